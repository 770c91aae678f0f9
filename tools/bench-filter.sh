#!/bin/sh
# Frames a second of the lpips filter beside FFmpeg's other metrics and the library alone.
# usage: bench-filter.sh FFMPEG LPIPS-BENCH DISTORTED REFERENCE [ROUNDS]
#
# All by turns, ROUNDS times (3); shown is the best of each, for other programs only ever
# take time away.  Decoding is part of it, as it is for a user; "decoding" is that alone.
# The library's row compares as many made-up pictures of that size, decoding nothing.
set -eu

ffmpeg=$1 bench=$2 distorted=$3 reference=$4 rounds=${5:-3}
frames=$("$ffmpeg" -v error -stats_period 1000 -nostdin -i "$distorted" -map 0:v:0 -f framecrc - | grep -vc '^#')
size=$("$ffmpeg" -hide_banner -nostdin -i "$distorted" 2>&1 | grep -oE 'Video:.* [0-9]+x[0-9]+' | grep -oE '[0-9]+x[0-9]+$' | head -n 1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

has() {
    "$ffmpeg" -v error -filters | grep -qE "^ [A-Z.]+ $1 "
}

row() { # NAME FILTER
    started=$(date +%s%N)
    "$ffmpeg" -v error -nostdin -i "$distorted" -i "$reference" -lavfi "$2" -f null - 2>"$work/error" || {
        echo "bench-filter: $1: $(tail -n 1 "$work/error")" >&2
        return 0
    }
    echo "$1;$((($(date +%s%N) - started) / 1000))" >>"$work/times"
}

for round in $(seq "$rounds"); do
    row decoding '[0:v][1:v]overlay=enable=0'
    row psnr psnr
    row ssim ssim
    ! has libvmaf || row libvmaf "libvmaf=n_threads=$(nproc)"
    row 'lpips alex' lpips
    row 'lpips squeeze' lpips=net=squeeze
    ms=$("$bench" --net alex --size "$size" --threads "$(nproc)" --runs 9 | tail -n 1 | grep -oE '[0-9.]+$')
    echo "library alone, alex;$(echo "$ms $frames" | awk '{ printf "%d", $1 * $2 * 1000 }')" >>"$work/times"
done

echo "$size, $frames frames, $(nproc) threads: frames a second, and ms a frame"
awk -F';' -v frames="$frames" '!($1 in best) { order[++n] = $1 }
    !($1 in best) || $2 < best[$1] { best[$1] = $2 }
    END { for (i = 1; i <= n; i++) printf "%-20s %8.1f %8.1f\n", order[i],
              frames * 1e6 / best[order[i]], best[order[i]] / 1000 / frames }' "$work/times"
