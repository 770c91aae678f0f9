#!/bin/bash
# The plug-in in a GIMP with a window, on an X server of its own: the dialog comes up, leaves
# nothing when it is cancelled, adds one layer, and one Ctrl+Z takes it away again.
# usage: tests/gimp_window.sh VERSION      SHOTS=FOLDER: keep pictures of the screen there
#
# GIMP's title says how many layers there are, and that is what is looked at.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.."
version=$1
build=${BUILD:-build}
check=$PWD/$build/tests/gimp_check
work=$(mktemp -d)
pids=''
. tests/gimp/where.sh
clean_up() {
    [ -z "$pids" ] || kill $pids 2>/dev/null
    rm -rf "$work" ${guest:+"$guest"}
}
. tests/check.sh
about="gimp $version window: "
leave() { skip 'all of it' "$1"; exit 0; }
stop() { fail "$1"; exit 1; } # what comes later builds on what came before
for tool in Xvfb xdotool import; do
    command -v $tool >/dev/null || leave "$tool is missing; \`sh tools/deps.sh gimp\` installs it"
done
find_gimp "$version" || leave "$reason"
[ -x "$check" ] || leave "$check is missing; \`make check-gimp\` builds it"
trap clean_up EXIT

"$check" picture scene.1 640 480 "$files/a.png" && "$check" picture scene.1+blur.3 640 480 "$files/b.png" &&
    { echo "(define dir \"$guest_files\")"; cat "tests/gimp/prelude${version%%.*}.scm"; echo '
(let* ((image (load-picture (string-append dir "/b.png")))
       (layer (car (gimp-file-load-layer 1 image (string-append dir "/a.png")))))
  (gimp-image-insert-layer image layer 0 0)
  (save-picture image (string-append dir "/pair.xcf")))'; } >"$files/pair.scm"
run_gimp "$files/pair.scm" >"$work/log" 2>&1
[ -s "$files/pair.xcf" ] || { tail -n 5 "$work/log"; stop 'a picture of two layers'; }
echo '(gtk_accel_path "<Actions>/plug-in/plug-in-lpips" "<Primary><Shift>F9")' >"$profile/menurc"
printf '(file-version 1)\n(action "plug-in-lpips" "<Primary><Shift>F9")\n' >"$profile/shortcutsrc"

Xvfb -displayfd 4 -screen 0 1280x900x24 4>"$work/display" 2>/dev/null &
pids=$!
within() { # SECONDS COMMAND...: the command comes true in that time
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.4
    done
}
within 10 test -s "$work/display" || leave 'no X server starts here'
DISPLAY=:$(cat "$work/display")
export DISPLAY
in_gimp gimp -f -s "$guest_files/pair.xcf" >"$work/log" 2>&1 &
pids="$! $pids"

find_window() { # NAME: into $found
    found=$(xdotool search --name "$1" 2>/dev/null | tail -n 1)
    [ -n "$found" ]
}
layers_are() { xdotool getwindowname "$main" 2>/dev/null | grep -q ", $1 layers)"; }
gone() { ! find_window 'perceptual differences'; }
shot() { [ -z "${SHOTS-}" ] || import -window "${2-root}" -strip "$SHOTS/gimp-$version-$1.png"; }
within 90 find_window 'layers).*GIMP' || { tail -n 5 "$work/log"; stop 'GIMP opens the picture'; }
main=$found
layers_are 2 || stop 'two layers at the start'
sleep 3
if find_window Welcome; then
    xdotool windowfocus --sync "$found" key Escape
    sleep 1
fi
# The key is pressed again where GIMP was not ready for it.
open_dialog() {
    for _ in 1 2 3; do
        xdotool windowfocus --sync "$main" key ctrl+shift+F9
        within 12 find_window 'perceptual differences' && break
    done
    find_window 'perceptual differences' && dialog=$found && sleep 3
}
open_dialog || { tail -n 5 "$work/log"; stop 'the dialog opens'; }
ok 'the dialog opens'
shot dialog "$dialog"
xdotool windowfocus --sync "$dialog" key Escape
within 15 gone && sleep 1 && layers_are 2 || stop 'Escape leaves nothing behind'
ok 'Escape leaves nothing behind'
open_dialog || stop 'the dialog opens again'
xdotool windowfocus --sync "$dialog" key alt+b
sleep 1
xdotool windowfocus --sync "$dialog" key alt+o
within 20 layers_are 4 || stop 'OK adds the layer and its colour bar'
ok 'OK adds the layer and its colour bar'
sleep 2
shot layer
xdotool windowfocus --sync "$main" key ctrl+z
within 15 layers_are 2 || stop 'one Ctrl+Z takes both away'
ok 'one Ctrl+Z takes both away'
shot undo
if grep -aE 'lpips.*(CRITICAL|WARNING|mnemonic)' "$work/log" | grep -v 'theme engine'; then stop 'the dialog draws no warning'; fi
ok 'the dialog draws no warning'
