#!/bin/bash
# The plug-in in a GIMP with a window, on an X server of its own: what a person does with the
# dialog, and that each of it is undone, cancelled or kept as it should be.
# usage: tests/gimp_window.sh VERSION      SHOTS=FOLDER: keep pictures of the screen there
#
# GIMP's title says how many layers there are; names of layers are read in the saved file.
. "$(dirname "$0")/gimp/where.sh"
begin "$1" window
stop() { fail "$1"; tail -n 5 "$work/log" | sed 's/^/     /'; exit 1; } # what comes later builds on it
for tool in Xvfb xdotool import compare; do
    command -v $tool >/dev/null || leave "$tool is missing; \`sh tools/deps.sh gimp\` installs it"
done
find_gimp || leave "$reason"

# ---- a picture of two layers, and a GIMP that shows it -----------------------
"$check" picture scene.1 640 480 "$files/a.png" && "$check" picture scene.1+blur.3 640 480 "$files/b.png" &&
    script - >"$files/pair.scm" <<'END'
(let ((image (stack "b.png" "a.png")))
  (save-picture image (path "pair.xcf"))
  (gimp-image-scale image 4800 3600)
  (save-picture image (path "large.xcf")))
END
run_gimp "$files/pair.scm" >"$work/log" 2>&1
[ -s "$files/large.xcf" ] || stop 'pictures of two layers'
echo '(gtk_accel_path "<Actions>/plug-in/plug-in-lpips" "<Primary><Shift>F9")' >"$profile/menurc"
printf '(file-version 1)\n(action "plug-in-lpips" "<Primary><Shift>F9")\n' >"$profile/shortcutsrc"
weights_of() { # NET: for the plug-in, where this machine has them
    local dir
    for dir in "$build/weights" ../shared/weights; do
        cp "$dir/lpips-$1-v0.1.safetensors" "$profile/plug-ins/lpips/" 2>/dev/null && return
    done
}

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
find_window() { # NAME: into $found
    found=$(xdotool search --name "$1" 2>/dev/null | tail -n 1)
    [ -n "$found" ]
}
press() { # WINDOW KEY...
    xdotool windowfocus --sync "$1" 2>/dev/null
    shift
    for key in "$@"; do
        xdotool key "$key"
        sleep 0.4
    done
}
layers_are() { xdotool getwindowname "$main" 2>/dev/null | grep -q ", $1 layers)"; }
gone() { ! find_window 'perceptual differences'; }
shot() { [ -z "${SHOTS-}" ] || import -window "${2-root}" -strip "$SHOTS/gimp-$version-$1.png"; }
open_pictures() {
    in_gimp gimp -f -s "$guest_files/large.xcf" "$guest_files/pair.xcf" >"$work/log" 2>&1 &
    pids="$! $pids"
    within 90 find_window 'layers).*GIMP' || stop 'GIMP opens the picture'
    main=$found
    layers_are 2 || stop 'two layers at the start'
    sleep 3
    if find_window Welcome; then press "$found" Escape; fi
}
# The key is pressed again where GIMP was not ready for it.
open_dialog() { # NAME
    for _ in 1 2 3; do
        press "$main" ctrl+shift+F9
        within 12 find_window 'perceptual differences' && break
    done
    find_window 'perceptual differences' && dialog=$found && sleep 3 || stop "$1"
}
cancelled() { # NAME
    press "$dialog" Escape
    within 15 gone && sleep 1 && layers_are 2 || stop "$1"
}
accepted() { # LAYERS SECONDS NAME
    press "$dialog" alt+o
    within "$2" layers_are "$1" || stop "$3"
    ok "$3"
}
undone() { # NAME
    press "$main" ctrl+z
    within 15 layers_are 2 || stop "$1"
}

open_pictures
open_dialog 'the dialog opens'
ok 'the dialog opens'
shot dialog "$dialog"

# ---- dragging the crop -------------------------------------------------------
# The first of the three previews lies left of the others, whose sides are 192 pixels, at the
# dialog's right edge; 40, 40 from its corner is within it whatever the borders.
drag() { # DX DY: the crop by so much
    xdotool mousemove --window "$dialog" $((left + 80)) $((top + 80)) mousedown 1
    sleep 0.3
    xdotool mousemove --window "$dialog" $((left + 80 + $1)) $((top + 80 + $2)) mouseup 1
    sleep 2
}
part() { convert "$1" -crop "100x100+$2+$3" +repage "$work/part-${4}.png"; }
same_parts() { [ "$(compare -metric AE "$work/part-1.png" "$work/part-2.png" null: 2>&1)" = 0 ]; }
eval "$(xdotool getwindowgeometry --shell "$dialog" | grep WIDTH)"
left=$((WIDTH - 600)) top=60
import -window "$dialog" "$work/before.png"
drag -40 -30
import -window "$dialog" "$work/after.png"
part "$work/before.png" $((left + 40)) $((top + 30)) 1 && part "$work/after.png" $left $top 2
check 'dragging the preview moves the crop with the pointer' same_parts
drag 40 30
import -window "$dialog" "$work/after.png"
part "$work/before.png" $left $top 1 && part "$work/after.png" $left $top 2
check 'and back' same_parts
cancelled 'Escape leaves nothing behind'
ok 'Escape leaves nothing behind'

# ---- a result, undone; settings, saved and loaded ----------------------------
open_dialog 'the dialog opens again'
press "$dialog" alt+b
if [ "${version%%.*}" = 3 ]; then
    press "$dialog" alt+s
    check 'saved settings lie where GIMP has them' grep -q '(bar yes)' "$profile"/plug-in-settings/*.default
    cancelled 'Escape after settings were saved'
    open_dialog 'the dialog opens once more'
    press "$dialog" alt+l
fi
accepted 4 20 'OK adds the layer and its colour bar'
[ -z "${SHOTS-}" ] || press "$main" ctrl+shift+j # fits it in the window
sleep 2
shot layer "$main"
undone 'one Ctrl+Z takes both away'
ok 'one Ctrl+Z takes both away'
shot undo

# ---- the other nets ----------------------------------------------------------
named() { # NET: a layer in the file that Ctrl+S wrote
    grep -aqE "LPIPS 0\.[0-9]+ \($1 v0\.1\)" "$files/pair.xcf"
}
downs=''
for net in vgg squeeze; do
    downs="$downs Down"
    if ! weights_of $net; then
        skip "$net, chosen in the dialog" "this machine has no weights of $net"
        continue
    fi
    open_dialog "the dialog opens for $net"
    press "$dialog" alt+r alt+n $downs
    sleep 3
    shot $net "$dialog"
    accepted 3 90 "$net, chosen in the dialog"
    press "$main" ctrl+s
    within 20 named $net || stop "the result says $net"
    ok "the result says $net"
    undone "Ctrl+Z after $net"
done

# ---- GIMP's own progress bar: a run with the last values has no dialog -------
runs() { pgrep -f "$guest_profile/plug-ins/lpips/lpips" >/dev/null; }
ended() { ! runs; }
unchanged() { [ "$(xdotool getwindowname "$main")" = "$title" ]; } # no layer more, and no "*"
press "$main" alt+1
sleep 2
title=$(xdotool getwindowname "$main")
press "$main" ctrl+f
within 10 runs || stop 'a run with the last values begins'
sleep 1
shot progress
eval "$(xdotool getwindowgeometry --shell "$main" | grep -E 'WIDTH|HEIGHT')"
cancel_it() { # the button is there once the progress bar is
    xdotool mousemove --window "$main" $((WIDTH - 262)) $((HEIGHT - 17)) click 1
    sleep 0.5
    ended
}
within 10 cancel_it && sleep 2 && unchanged || stop 'Cancel beside the progress bar ends the run and leaves nothing behind'
ok 'Cancel beside the progress bar ends the run and leaves nothing behind'
shot cancelled

if find_window 'GIMP Message'; then stop 'GIMP has nothing to complain of'; fi
ok 'GIMP has nothing to complain of'
if grep -aE 'lpips.*(CRITICAL|WARNING|mnemonic)' "$work/log" | grep -v 'theme engine'; then stop 'the dialog draws no warning'; fi
ok 'the dialog draws no warning'
