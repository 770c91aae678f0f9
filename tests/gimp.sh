#!/bin/bash
# The plug-in in a real GIMP, without a window: every case of tests/gimp/cases.scm.
# usage: tests/gimp.sh VERSION      2.10 or 3.0; BUILD: the folder of what was built, "build"
#
# The GIMP of this machine if it is of that version; else, for 3.0, one in a chroot of Debian
# 13 (GIMP3_ROOT, made by gimp-plugin/gimp3-root.sh).  What cannot be had here is skipped.
. "$(dirname "$0")/gimp/where.sh"
begin "$1" ''
find_gimp || leave "$reason"

# ---- pictures, and all cases in one run --------------------------------------
mkdir -p "$files"
p() { "$check" picture "$1" "$2" "$3" "$files/$4" ${5-}; }
p scene.1 240 100 a.png && p scene.1+blur.2 240 100 b.png && p scene.2 200 90 c.png &&
    p scene.1 24 40 small.png && p white.0 240 100 white.png &&
    p scene.3 120 80 gray-a.png gray && p scene.3+grain.20 120 80 gray-b.png gray &&
    p scene.1 240 100 few-a.png few && p scene.1+blur.2 240 100 few-b.png few &&
    "$check" profile "$files/wide.icc" && "$check" gray-profile "$files/gray.icc" || { fail 'the pictures of the test'; exit 1; }
script tests/gimp/cases.scm >"$files/all.scm"
# Apart: what GIMP says of itself comes in the middle of lines.
run_gimp "$files/all.scm" >"$work/log" 2>"$work/errors"
sed -n 's/^.*RESULT //p' "$work/log" >"$work/results"
if grep -q '^end ' "$work/results"; then ok 'all cases ran to their end'; else
    fail 'all cases ran to their end' "$(tail -n 6 "$work/log" "$work/errors")"
fi
grep -aE '(lpips|LPIPS).*(CRITICAL|WARNING)|(CRITICAL|WARNING).*lpips' "$work/errors" | grep -v 'Broken pipe' >"$work/noise"
check 'the plug-in draws no warning' test ! -s "$work/noise"

result() { sed -n "s/^$1 //p" "$work/results" | tail -n 1; }
number() { result "$1" | cut -d' ' -f1; }
says() { # NAME CASE WORDS...: the result of the case has these words
    local name=$1 got
    got=$(result "$2")
    case $got in *"$3"*) ok "$name" ;; *) fail "$name" "$2 says '$got', not '$3'" ;; esac
}
near() { # NAME CASE A-CASE TOLERANCE
    check "$1" awk -v a="$(number "$2")" -v b="$(number "$3")" -v t="$4" \
        'BEGIN { print a, b; d = a - b; exit !(a != "" && b != "" && d <= t && -d <= t) }'
}
a=$files/a.png b=$files/b.png

# ---- exactness ---------------------------------------------------------------
check 'the distance is the library'"'"'s' "$check" distance "$(number plain)" "$a" "$b"
check 'the raw image is the map, bit for bit' "$check" raw "$files/plain.tif" "$a" "$b"
check 'the heatmap is lpips_colorize(), byte for byte' \
    "$check" heat "$files/plain.png" viridis 0.5 0 0 255 "$a" "$b"
check 'colours, full scale and the colour beyond it are those asked for' \
    "$check" heat "$files/inferno.png" inferno 0.05 255 0 0 "$a" "$b"
check 'identical layers: exactly 0' awk -v d="$(number identical)" 'BEGIN { exit !(d ~ /^0(\.0)?$/) }'
check 'identical layers: one neutral colour' \
    "$check" heat "$files/identical.png" viridis 0.5 0 0 255 "$a" "$a"

# ---- results -----------------------------------------------------------------
check 'a layer is added' test "$(result layer | cut -d' ' -f2)" = 3
says 'its name has number, net and version' layer "LPIPS $(printf %.6f "$(number plain)") (alex v0.1)"
says 'its parasite has the number' parasite "distance=0."
check 'its parasite has net and version' grep -q '^version=0.1' "$work/log"
says 'it lies over the layers' layer-place '(0 0) (240 100)'
check 'a second run ignores the first result' test "$(result second-run)" = "$(number plain) 4"
check 'so does a run with a result selected' test "$(result result-selected)" = "$(number plain)"
says 'a group has a layer for each tap' group "$(number plain) 5 tap 1: "
says 'a colour bar is one more layer' bar 2
check 'a run with the last values gives the number' test "$(result last-values)" = "$(number plain)"
check 'layers can be given, in either order' test "$(result given)" = "$(number plain)"
check 'layers of two images' test "$(result two-images)" = "$(number plain)"

# ---- refusals ----------------------------------------------------------------
says 'one layer: says that two are needed' one-layer 'two layers are needed'
says 'no overlap: says so' no-overlap 'do not overlap'
says 'no overlap: leaves nothing behind' no-overlap-left 2
says 'a selection beside the layers: says so' nothing-selected 'nothing is selected'
says 'too small: names the minimum' too-small 'alex needs at least 31 x 31'
says 'different sizes: names both and the choices' sizes '240 x 100 and 200 x 90'
says 'full scale 0 is refused' no-scale refused

# ---- places ------------------------------------------------------------------
check 'sizes: where both lie' "$check" distance "$(number sizes-overlap)" \
    "$a@0,0,200,90" "$files/c.png"
check 'sizes: scaled gives a number' awk -v d="$(number sizes-scale)" 'BEGIN { exit !(d > 0) }'
check 'sizes: a selection within both needs no choice' "$check" mean "$(number sizes-selection)" \
    "$a" "$files/c.png" 10 10 40 40
check 'offsets: the overlap is compared' "$check" distance "$(number offsets)" \
    "$a@7,0,233,95" "$b@0,5,233,95"
check 'offsets: its map, bit for bit' "$check" raw "$files/offsets.tif" \
    "$a@7,0,233,95" "$b@0,5,233,95"
says 'offsets: the layer lies on the overlap' offsets-layer '(27 10)'
check 'selection: the mean of the map in it' "$check" mean "$(number selection)" "$a" "$b" 190 50 30 20
check 'selection: its map is that of the picture around it' \
    "$check" raw "$files/selection.tif" "$a" "$b" 190 50 30 20
says 'selection: the layer lies on it' selection-layer '(210 60) (30 20)'
says 'selection: of 3 x 2 pixels in a corner' selection-small '(3 2)'

# ---- types, precisions, profiles, alpha --------------------------------------
near '16 bit: the same number' u16 plain 1e-6
near '32-bit float, linear light: the same number' float-linear plain 1e-6
check 'grey' "$check" distance "$(number gray)" "$files/gray-a.png" "$files/gray-b.png"
check 'grey: the result opens as a new RGB image' test "$(result gray-result)" = '2 0'
check 'indexed: as the same colours in RGB' awk -v r="$(result indexed)" \
    'BEGIN { split(r, d, " "); print r; exit !(d[1] > 0 && d[1] == d[2]) }'
check 'a profile counts' "$check" profiled "$(number profile)" "$files/wide.icc" "$a" "$b"
check 'a profile counts in pictures of few colours' \
    "$check" profiled "$(number profile-few)" "$files/wide.icc" "$files/few-a.png" "$files/few-b.png"
near 'a profile counts as much when they are indexed' profile-indexed profile-few 1e-6
check 'a grey profile counts' \
    "$check" grayed "$(number profile-gray)" "$files/gray-a.png" "$files/gray-b.png"
near 'an alpha channel without transparent pixels changes nothing' opaque opaque 0
check 'transparent pixels are white over white, and not over black' awk -v r="$(result transparent)" \
    'BEGIN { split(r, d, " "); print r; exit !(d[1] ~ /^0(\.0)?$/ && d[2] > 0.1) }'
if [ -n "${GIMP_NUMBERS-}" ]; then grep -E '^(plain|profile|u16|gray|float-linear|selection) ' "$work/results" >"$GIMP_NUMBERS"; fi
