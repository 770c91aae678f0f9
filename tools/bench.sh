#!/bin/sh
# How fast is the library here?  Times five kinds of comparisons, beside the fastest other
# runtimes, and gradients, beside PyTorch's autograd, in one run, where ../shared/tools/peers.py
# and its Python environment are there.
# usage: tools/bench.sh BENCH [PEERS_PYTHON]
set -eu
bench=$1 python=${2:-}
peers=../shared/tools/peers.py
work='alex 1920 1080 1
squeeze 1920 1080 1
vgg 1920 1080 1
squeeze 64 64 32
alex 64 64 32'

ratios=
if [ ! -f "$peers" ]; then
    echo "$peers is not here: no comparison with other runtimes"
elif [ ! -x "$python" ]; then
    echo "no comparison with other runtimes: \`make peers\` installs them (some GB)"
else
    ratios=yes
fi
echo "$work" | while read -r net width height batch; do
    echo
    run="$bench --net $net --size ${width}x$height --batch $batch"
    $run </dev/null || { echo "skipped: $net"; continue; }
    [ -z "$ratios" ] || "$python" "$peers" --net "$net" --size "$height" "$width" \
        --batch "$batch" --peers onnxruntime openvino mnn --ours "$run" </dev/null
done

threads=$(nproc)
for net in alex squeeze vgg; do
    echo
    run="$bench --net $net --size 256x256 --gradient --threads $threads"
    $run || { echo "skipped: $net"; continue; }
    # shellcheck disable=SC2086 # $run is a command and its arguments
    [ -z "$ratios" ] || "$python" tools/bench_gradient.py ../shared/tools "$net" 256 256 "$threads" $run
done
