#!/bin/bash
# The lpips filter in the FFmpeg that `make ffmpeg` built.
# usage: tests/filter.sh [VERSION]       BUILD: the folder of what was built, "build"
#
# Sources are FFmpeg's own test pictures.  What needs ../shared, weights or a program
# that is not there says that it is skipped.
set -u
export LC_ALL=C
cd "$(dirname "$0")/.."
version=${1:-7.1}
build=$PWD/${BUILD:-build}
ffmpeg=$build/bin/ffmpeg-$version
obj=$build/ffmpeg-$version/obj
shared=${LPIPS_SHARED:-../shared}
[ -x "$ffmpeg" ] || { echo "filter: $ffmpeg is missing; \`make ffmpeg\` builds it" >&2; exit 1; }
"$ffmpeg" -v error -pix_fmts >/dev/null || { echo "filter: $ffmpeg does not start" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset LPIPS_WEIGHTS_PATH
. tests/check.sh

ff() { # ARGUMENTS...
    "$ffmpeg" -hide_banner -nostats -nostdin -y "$@"
}
# Distances of the pairs that a graph compares, one a line.  It must end in
# [main][ref]lpips without options; $opts are the filter's, $inputs come before it.
opts='' inputs=()
scores() { # GRAPH
    ff -v info "${inputs[@]}" -lavfi "$1=f=$work/stats$opts" -f null - >"$work/log" 2>&1 ||
        { cat "$work/log"; return 1; }
    # Without the first line, which says how the numbers came about.
    sed -i '/^#/d' "$work/stats"
    sed 's/.* lpips:\([0-9.]*\).*/\1/' "$work/stats"
}
# all PROGRAM GRAPH [COUNT]: the awk condition holds for the distance d of each pair
all() {
    local out
    out=$(scores "$2") || { echo "$out"; return 1; }
    awk -v want="${3:-2}" '{ d = $1 } !('"$1"') { print "pair " NR ": " d; bad = 1 }
        END { if (NR != want) { print NR " pairs, not " want; bad = 1 } exit bad }' <<<"$out"
}
zero='$1 == "0.000000000"'
# refuses TEXT FFMPEG-ARGUMENTS...: fails, and says so with these words
refuses() {
    local text=$1 out
    shift
    if out=$(ff -v error "$@" -f null - 2>&1); then echo "accepted"; return 1; fi
    grep -qE -- "$text" <<<"$out" || { echo "$out"; return 1; }
    ! grep -qiE 'segmentation|abort|assert' <<<"$out"
}

source='testsrc2=s=128x96:r=25:d=0.08'
blur='split[b][ref];[b]avgblur=2[main];[main][ref]lpips'
same='split[main][ref];[main][ref]lpips'

# ---- equal and different pictures ------------------------------------------------
for fmt in yuv420p yuv422p10le yuv444p12le gray gbrp rgb24 rgba64le nv12 yuvj420p; do
    check "equal $fmt frames give exactly 0" all "$zero" "$source,format=$fmt,$same"
    check "blurred $fmt frames do not" all 'd > 0.01 && d < 1' "$source,format=$fmt,$blur"
done
for size in 31:31 33:47 127:240 239:64; do
    check "equal frames of ${size/:/x}" all "$zero" "testsrc2=s=240x240:d=0.08,format=yuv444p,crop=$size,format=yuv420p,$same"
done
swapped() {
    local a b
    a=$(scores "$source,format=yuv420p,$blur") && b=$(scores "$source,format=yuv420p,${blur/%\[main\]\[ref\]lpips/[ref][main]lpips}") &&
        [ "$a" = "$b" ] || { echo "$a, $b"; return 1; }
}
check 'the distance is the same with the inputs exchanged' swapped
threads() {
    local a b c
    a=$(scores "$source,format=yuv420p,$blur") && b=$(opts=:threads=1 scores "$source,format=yuv420p,$blur") &&
        c=$(opts=:threads=5 scores "$source,format=yuv420p,$blur") && [ "$a" = "$b" ] && [ "$a" = "$c" ]
}
check 'the distance does not depend on threads' threads

# ---- what is printed ---------------------------------------------------------------
stats_lines() {
    scores "$source,format=yuv420p,$blur" >/dev/null || { cat "$work/log"; return 1; }
    ! grep -vE '^n:[0-9]+ pts_time:[0-9]+\.[0-9]{6} lpips:[0-9]+\.[0-9]{9}( layer\.[0-4]:[0-9]+\.[0-9]{9}){5}$' "$work/stats" &&
        awk -F'[: ]' '{ sum = $8 + $10 + $12 + $14 + $16; e = sum - $6
            if ($2 != NR || e * e > 1e-16 || $4 != (NR - 1) * 0.04) { print; bad = 1 } }
            END { exit bad || NR != 2 }' "$work/stats"
}
check 'lines of the stats file' stats_lines
summary() {
    scores "$source,format=yuv420p,$blur" |
        awk '{ s += $1; if (NR == 1 || $1 < a) a = $1; if ($1 > b) b = $1 }
             END { print s / NR, a, b }' OFMT=%.12f >"$work/pooled"
    sed -nE 's/.*LPIPS average:([0-9.]+) min:([0-9.]+) max:([0-9.]+) frames:2 \(lpips [0-9.]+ alex v0\.1 weights [0-9a-f]+; main: yuv .*; reference: yuv .*\)$/\1 \2 \3/p' "$work/log" |
        paste -d' ' - "$work/pooled" | awk '{ for (i = 1; i <= 3; i++)
            if ($i == "" || $i - $(i + 3) > 1e-9 || $(i + 3) - $i > 1e-9) bad = 1 }
            END { exit bad || NR != 1 }' || { cat "$work/pooled" "$work/log"; return 1; }
}
check 'the summary pools the lines and names net, weights and colours' summary
metadata() {
    ff -v error -lavfi "$source,format=yuv420p,$blur=f=$work/stats,metadata=print:file=-" -f null - |
        grep -oE '^lavfi\.lpips\..*' | sed 's/lavfi.lpips.distance=/lpips:/; s/lavfi.lpips.//; s/=/:/' |
        paste -sd' ' >"$work/meta"
    sed '/^#/d; s/^n:[0-9]* pts_time:[0-9.]* //' "$work/stats" | paste -sd' ' | diff "$work/meta" - && [ -s "$work/meta" ]
}
check 'the metadata says the same' metadata
to_stdout() {
    [ "$(ff -v error -lavfi "$source,$blur=stats_file=-" -f null - | grep -c '^n:[12] ')" = 2 ]
}
check 'stats_file=- is standard output' to_stdout
main_unchanged() {
    local a b
    a=$(ff -v error -lavfi "$source,format=yuv420p,$blur" -f framemd5 - | grep -v '^#') &&
        b=$(ff -v error -lavfi "$source,format=yuv420p,avgblur=2" -f framemd5 - | grep -v '^#') && [ "$a" = "$b" ]
}
check 'the main frames pass unchanged' main_unchanged
enabled() {
    opts=":enable='between(t,0.19,0.37)'" \
        all 'd > 0.01' "testsrc2=s=128x96:r=25:d=1,format=yuv420p,$blur" 5 &&
        grep -q '^n:1 pts_time:0.200000 ' "$work/stats"
}
check 'enable= leaves frames out, and times stay true' enabled
with_option() { # OPTIONS CONDITION
    opts=$1 all "$2" "$source,format=yuv420p,$blur"
}
timebase() {
    local out
    out=$(ff -v info -lavfi "$source,split[a][b];[b]settb=1/90000[ref];[a][ref]lpips=f=-" -f null - 2>&1) &&
        [ "$(grep -c '^n:.* lpips:0\.000000000' <<<"$out")" = 2 ] &&
        grep -q 'not matching timebases' <<<"$out" || { echo "$out"; return 1; }
}
check 'other time bases are matched, with a warning' timebase

# ---- options and errors --------------------------------------------------------------
two() { # SIZE-OF-MAIN SIZE-OF-REFERENCE OPTIONS: the arguments of one comparison
    args=(-lavfi "testsrc2=s=$1:d=0.04[a];testsrc2=s=$2:d=0.04[b];[a][b]lpips$3")
}
two 64x64 48x64 ''; check 'different sizes are an error' refuses 'Width and height of input videos must be same' "${args[@]}"
two 64x30 64x30 ''; check 'a small size names the least' refuses '64x30 is too small for net alex, which needs 31x31' "${args[@]}"
two 64x64 64x64 =net=vgg16; check 'an unknown net' refuses 'net' "${args[@]}"
two 64x64 64x64 =version=0.3; check 'an unknown version' refuses '0\.3' "${args[@]}"
two 64x64 64x64 =net=vgg; check 'weights that are not found name the remedy' refuses 'lpips-vgg-v0\.1\.safetensors.*LPIPS_WEIGHTS_PATH|LPIPS_WEIGHTS_PATH.*lpips-vgg-v0\.1\.safetensors' "${args[@]}"
two 64x64 64x64 "=model=$work/none"; check 'a model that is not there' refuses "$work/none" "${args[@]}"
echo 'no tensors' >"$work/bad"
two 64x64 64x64 "=model=$work/bad"; check 'a model that is none' refuses 'Could not load model: .*safetensors|Could not load model: .*bad' "${args[@]}"
two 64x64 64x64 "=f=$work/no/such/folder"; check 'a stats file that cannot be written' refuses 'Could not open stats file .*No such file' "${args[@]}"
# From an input: ffmpeg 5.1 exits with 0 after an error between frames in a graph without any.
args=(-f lavfi -i testsrc2=s=64x64:d=0.04 -lavfi "[0:v]format=yuv420p,setparams=colorspace=ictcp,split[a][b];[a][b]lpips")
check 'a colour space that has no matrix' refuses "colour space ictcp cannot be read" "${args[@]}"

weights=$build/weights
if [ -f "$weights/lpips-vgg-v0.1.safetensors" ] && [ -f "$weights/lpips-alex-v0.0.safetensors" ]; then
    vgg=$weights/lpips-vgg-v0.1.safetensors
    found() {
        local a b
        a=$(opts=:net=vgg LPIPS_WEIGHTS_PATH=$weights scores "$source,$blur") &&
            b=$(opts=:model=$vgg scores "$source,$blur") && [ "$a" = "$b" ] &&
            [ "$a" != "$(scores "$source,$blur")" ] && grep -q 'alex v0.1' "$work/log"
    }
    check 'net=vgg by LPIPS_WEIGHTS_PATH and by model= are the same' found
    two 64x64 64x64 "=model=$vgg:net=alex"; check 'a model of another net' refuses 'holds net vgg' "${args[@]}"
    two 64x64 15x64 ''; two 15x64 15x64 "=model=$vgg"; check 'the least size is that of the net' refuses 'net vgg, which needs 16x16' "${args[@]}"
    old() {
        opts=:version=0.0 LPIPS_WEIGHTS_PATH=$weights all 'd > 0.005 && d < 1' "$source,$blur" &&
            grep -q 'alex v0.0' "$work/log"
    }
    check 'version=0.0' old
else
    skip 'other nets and versions' 'make weights has not run'
fi

# ---- colours ---------------------------------------------------------------------------
# One picture in another format than the reference: near 0 where it is read rightly;
# far above where planes, depth, range or chroma places are mistaken.
# The pictures are smooth, so that subsampled chroma is no difference by itself.
soft='testsrc2=s=192x128:r=25:d=0.08,format=gbrp,gblur=6'
# A format's line: its name and, after it, what differs at most.
known=$(ff -v error -pix_fmts)
writes() { # FORMAT: whether this FFmpeg's scaler can
    ff -v quiet -lavfi "testsrc2=s=16x16:d=0.04,format=gbrp,scale,format=$1" -f null -
}
while read -r fmt most; do
    if ! grep -qE "^[IOHPB.]+ $fmt " <<<"$known"; then
        skip "$fmt" "FFmpeg $version does not have it"
        continue
    elif ! writes "$fmt"; then
        skip "$fmt" "FFmpeg $version cannot convert to it"
        continue
    fi
    check "$fmt against gbrp: below $most" all "d < $most" \
        "$soft,split[a][ref];[a]scale=flags=accurate_rnd+full_chroma_int+full_chroma_inp+bicubic,format=$fmt[main];[main][ref]lpips"
done <<END
yuv420p 0.004
yuv422p 0.004
yuv440p 0.0005
yuv444p 0.0005
yuv411p 0.02
yuv410p 0.02
yuvj420p 0.004
yuvj444p 0.0005
nv12 0.004
nv21 0.004
nv24 0.0005
yuyv422 0.004
uyvy422 0.004
yuv420p10le 0.004
yuv422p10le 0.004
yuv444p10le 0.00002
yuv444p12le 0.00002
yuv444p16le 0.00002
p010le 0.004
p016le 0.004
p210le 0.004
y210le 0.004
yuva420p 0.004
yuva444p10le 0.00002
ayuv64le 0.00002
vuyx 0.0005
xv36le 0.00002
rgb24 0.00002
bgr24 0.00002
rgba 0.00002
argb 0.00002
abgr 0.00002
bgr0 0.00002
rgb48le 0.00002
rgba64le 0.00002
bgr48le 0.00002
gbrap 0.00002
gbrp10le 0.00002
gbrp16le 0.00002
gbrpf32le 0.00002
END
check 'gray against its own copy in RGB' all 'd < 0.001' \
    "$soft,format=gray,split[a][b];[b]format=gbrp[ref];[a][ref]lpips"
check 'a step of one of 1023 codes is seen' all 'd > 0 && d < 0.001' \
    "$soft,format=yuv420p10le,split[a][ref];[a]lutyuv=y=val+1[main];[main][ref]lpips"

tagged() { # CONDITION TAGS-OF-MAIN TAGS-OF-REFERENCE: the same codes
    all "$1" "$source,format=yuv420p,split[a][b];[a]setparams=$2[main];[b]setparams=$3[ref];[main][ref]lpips" &&
        ! grep -q 'auto_scale\|Parsed_scale' "$work/log" || { cat "$work/log"; return 1; }
}
for tags in colorspace=bt709 colorspace=smpte170m colorspace=bt2020nc range=tv range=pc \
    colorspace=bt709:range=pc; do
    check "$tags against no tags: exactly 0" tagged "$zero" $tags colorspace=unknown
    check "no tags against $tags: exactly 0" tagged "$zero" colorspace=unknown $tags
done
check 'bt709 against bt601 codes: not 0' tagged 'd > 0.001' colorspace=bt709 colorspace=smpte170m
check 'bt470bg is smpte170m' tagged "$zero" colorspace=bt470bg colorspace=smpte170m
check 'full against limited codes: not 0' tagged 'd > 0.001' range=pc range=tv
rightly() { # TAGS: the same picture coded in bt709 and in TAGS
    all 'd < 0.003' "$soft,split[a][b];[a]scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd,format=yuv444p10le,setparams=colorspace=bt709:range=tv[main];[b]scale=$1:flags=accurate_rnd,format=yuv444p10le,setparams=$2[ref];[main][ref]lpips"
}
check 'one picture coded as bt709 and as bt601' rightly out_color_matrix=smpte170m:out_range=tv colorspace=smpte170m:range=tv
check 'one picture coded as bt709 and as bt2020' rightly out_color_matrix=bt2020:out_range=tv colorspace=bt2020nc:range=tv
check 'one picture coded in limited and in full range' rightly out_color_matrix=bt709:out_range=pc colorspace=bt709:range=pc
sizes() {
    scores "testsrc2=s=64x576:d=0.04,format=yuv420p,$same" >/dev/null && grep -q 'main read as .*bt601' "$work/log" &&
        scores "testsrc2=s=64x578:d=0.04,format=yuv420p,$same" >/dev/null && grep -q 'main read as .*bt709.*untagged' "$work/log"
}
check 'without tags the height decides, and the log says so' sizes

# ---- files -----------------------------------------------------------------------------
ff -v error -lavfi "testsrc2=s=128x96:r=25:d=0.2,format=yuv420p" -c:v ffv1 "$work/source.mkv" || exit 1
round_trip() { # CONDITION FILE ENCODER-ARGUMENTS...
    local condition=$1 file=$work/$2 input=()
    shift 2
    ff -v error -i "$work/source.mkv" "$@" "$file" || return 1
    case $file in *.yuv) input=(-f rawvideo -s 128x96 -pix_fmt yuv420p -r 25) ;; esac
    case $file in *%d*) input=(-r 25) ;; esac
    local inputs=("${input[@]}" -i "$file" -i "$work/source.mkv")
    all "$condition" '[0:v][1:v]lpips' 5
}
check 'y4m' round_trip "$zero" a.y4m
check 'raw yuv' round_trip "$zero" a.yuv -f rawvideo
check 'ffv1 in mkv' round_trip "$zero" a.mkv -c:v ffv1
check 'png pictures' round_trip 'd < 0.02' a%d.png -c:v png
check 'mjpeg' round_trip 'd > 0 && d < 0.1' a.avi -c:v mjpeg -q:v 2
if ff -v error -encoders | grep -q libx264; then
    check 'lossless h264 in mp4' round_trip "$zero" a.mp4 -c:v libx264 -qp 0
    check '10-bit h264 in mkv' round_trip 'd < 0.02' b.mkv -c:v libx264 -qp 1 -pix_fmt yuv420p10le
    check 'lossy h264 as a raw stream' round_trip 'd > 0 && d < 0.3' a.h264 -c:v libx264 -crf 30
else
    skip h264 'built without libx264'
fi
decodes() { # FILE
    local inputs=(-i "$1" -i "$1")
    all "$zero" '[0:v][1:v]lpips' 5
}
encode_by() { # PROGRAM FILE ARGUMENTS...
    local program=$1 file=$work/$2 name=$2
    shift 2
    if ! command -v "$program" >/dev/null; then
        skip "decode $name" "$program is not installed"
    elif ! "$program" "$@" >"$work/log" 2>&1; then
        fail "decode $name" "$(cat "$work/log")"
    else
        check "decode $name" decodes "$file"
    fi
}
encode_by vpxenc vp9.webm --codec=vp9 -o "$work/vp9.webm" "$work/a.y4m"
encode_by aomenc av1.mkv --cpu-used=8 --webm -o "$work/av1.mkv" "$work/a.y4m"
encode_by x265 hevc.hevc --input "$work/a.y4m" -o "$work/hevc.hevc"
decoders='h264 ffv1 mjpeg png rawvideo'
[ "$(cat "$build/ffmpeg-$version/extent")" = small ] || decoders="$decoders hevc vp9 libdav1d"
for decoder in $decoders; do
    if ff -v error -decoders | grep -qE "^ V[A-Z.]+ $decoder "; then
        ok "decoder $decoder is built in"
    elif [ $decoder = libdav1d ] && ! pkg-config --exists dav1d; then
        skip "decoder $decoder" 'libdav1d-dev is not installed'
    else
        fail "decoder $decoder is built in"
    fi
done
alone() {
    (cd / && env -i "$ffmpeg" -v error -lavfi "$source,$same" -f null -)
}
check 'the program runs from elsewhere without settings' alone

# ---- goldens: numbers of an independent implementation -----------------------------------
if [ -f "$shared/data/pairs/ex_ref.png" ]; then
    golden() { # NET-OPTIONS DISTANCE
        local inputs=(-i "$shared/data/pairs/ex_p0.png" -i "$shared/data/pairs/ex_ref.png")
        opts=$1 LPIPS_WEIGHTS_PATH=$weights all "d - $2 < 1e-6 && $2 - d < 1e-6" '[0:v][1:v]lpips' 1
    }
    check 'golden pair, alex' golden '' 0.721880709
    if [ -f "$weights/lpips-vgg-v0.1.safetensors" ]; then
        check 'golden pair, vgg' golden :net=vgg 0.568612821
    fi
else
    skip 'golden pair' "$shared is not here"
fi

# ---- memory ------------------------------------------------------------------------------
clean() { # FFMPEG-ARGUMENTS...: valgrind finds nothing, whatever the exit status
    local status=0
    valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
        "$ffmpeg" -v error -nostdin -y "$@" -f null - >"$work/log" 2>&1 || status=$?
    [ $status != 99 ] && ! grep '^==[0-9]*==' "$work/log" || { cat "$work/log"; return 1; }
}
small='testsrc2=s=64x48:r=25:d=0.12,format=yuv420p'
if [ "$version" != 7.1 ]; then
    : # the same files
elif command -v valgrind >/dev/null; then
    check 'clean memory: all that can be written' clean \
        -lavfi "$small,split=3[a][b][c];[a]avgblur=2[m];[c]scale=80:60[r];[m][b][r]lpips=inputs=3:scale=reference:output=overlay:log_path=$work/j:f=$work/s:dump=$work/d"
    check 'clean memory: failing at the end' clean \
        -lavfi "$small,split[a][b];[a]avgblur=2[m];[b]trim=end_frame=2[r];[m][r]lpips=threshold=0.01:log_fmt=csv:log_path=$work/c"
    check 'clean memory: failing at the start' clean \
        -lavfi "$small,split[a][b];[a]crop=32:48[m];[m][b]lpips=log_path=$work/j"
else
    skip 'clean memory' 'valgrind is not installed'
fi
fate() {
    [ -s ffmpeg-filter/fate/filter-refcmp-lpips-rgb ] &&
        LD_LIBRARY_PATH=$build/lib env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS \
            make -C "$obj" fate-filter-refcmp-lpips-rgb fate-filter-refcmp-lpips-yuv
}
check "FFmpeg's own test, FATE" fate

conclude "filter $version"
