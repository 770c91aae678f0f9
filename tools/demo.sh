#!/bin/sh
# Score a short real clip with the lpips filter; `make demo` runs this.
# usage: demo.sh           BUILD and LPIPS_CACHE as in the Makefile
set -eu
cd "$(dirname "$0")/.."

build=${BUILD:-build}
ffmpeg=$build/bin/ffmpeg
clips=$build/clips

[ -x "$ffmpeg" ] || {
    echo "demo: $ffmpeg is missing; \`make ffmpeg\` builds it" >&2
    exit 1
}
sh tools/get-clip.sh "$clips" "${LPIPS_CACHE:-$build/download}"

cat <<END

A clip, heavily compressed (first input), against its original (second input):

    $ffmpeg -i $clips/carphone_distorted.mp4 -i $clips/carphone_pristine.mp4 \\
        -lavfi "lpips=stats_file=-" -f null -

n: the pair of frames   pts_time: its time in seconds   lpips: its distance, lower is better
layer.0 ... layer.4: the terms that lpips is the sum of

END
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$ffmpeg" -hide_banner -nostats -nostdin -i "$clips/carphone_distorted.mp4" \
    -i "$clips/carphone_pristine.mp4" -lavfi "lpips=stats_file=-" -f null - 2>"$log" || {
    cat "$log" >&2
    exit 1
}
echo
grep 'LPIPS average' "$log" | sed 's/^\[[^]]*\] //; s/ (/\n    (/; s/; /;\n    /g'
cat <<END

The same for your own files: the distorted one first, then the reference, of one size.
END
