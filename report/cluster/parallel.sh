#!/bin/sh
# Shards of `lpips report` on several hosts, by GNU parallel over ssh:
#
#     lpips report plan clips.csv --out DIR
#     parallel.sh DIR 32 HOSTS
#     lpips report merge DIR && lpips report write DIR
#
# HOSTS is a file of lines "4/name", 4 being how many shards run there at once; ":" is this
# machine.  DIR, the clips and lpips must be seen by all of them under the same names.  A host
# that is lost has its shards run elsewhere; after anything worse the same command goes on.
# A few shards for each core are best: little is repeated when one is lost.
set -eu
if [ $# -ne 3 ]; then
    echo 'usage: parallel.sh DIR SHARDS HOSTS' >&2
    exit 2
fi
dir=$(cd "$1" && pwd)
exec parallel --quote --sshloginfile "$3" ${LPIPS_WEIGHTS_PATH+--env LPIPS_WEIGHTS_PATH} \
    --joblog "$dir/parallel.log" --resume-failed --retries 3 \
    "${LPIPS:-lpips}" report run --quiet --shard "{}/$2" -j 1 "$dir" ::: $(seq "$2")
