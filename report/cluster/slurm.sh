#!/bin/sh
# One shard of `lpips report` for each task of a Slurm job array:
#
#     lpips report plan clips.csv --out DIR
#     sbatch --wait --array=1-8 slurm.sh DIR
#     lpips report merge DIR && lpips report write DIR
#
# DIR, the clips and lpips must be seen by all nodes under the same names.  A task that is
# requeued, by hand or because its node was lost, goes on where it was; that a first copy may
# still be running somewhere does no harm.  To run some shards again, say how many there are:
#
#     sbatch --array=3,5 slurm.sh DIR 8
#
#SBATCH --job-name=lpips-report
#SBATCH --cpus-per-task=1
#SBATCH --requeue
#SBATCH --open-mode=append
set -eu
dir=$1
shards=${2:-$SLURM_ARRAY_TASK_COUNT}
if [ $# -lt 2 ] && [ "$SLURM_ARRAY_TASK_MAX" -ne "$shards" ]; then
    echo "slurm.sh: the array is not 1-N; say how many shards there are: slurm.sh DIR N" >&2
    exit 2
fi
exec "${LPIPS:-lpips}" report run --shard "$SLURM_ARRAY_TASK_ID/$shards" \
    -j "${SLURM_CPUS_PER_TASK:-1}" "$dir"
