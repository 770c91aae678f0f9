# Sourced by cluster_*.sh: clips, an undivided report, and looking whether a merged one is
# the same.  $D is the folder of the test.
. tests/check.sh
LPIPS=${LPIPS:-$PWD/build/bin/lpips}
LPIPS=$(realpath "$LPIPS")
export LPIPS

prepare() {
    mkdir -p "$D"
    python3 tests/cluster_clips.py "$D"
    "$LPIPS" report "$D/list.csv" --quiet --out "$D/whole" 2>/dev/null
}
plan() { # NAME
    "$LPIPS" report plan "$D/list.csv" --out "$D/$1" 2>/dev/null
}
merge() { # NAME: the report of the shards, and whether it is that of an undivided run
    "$LPIPS" report merge "$D/$1" && "$LPIPS" report write "$D/$1" || return 1
    for f in "$D"/whole/*; do
        case ${f##*/} in report.sqlite* | run.lock) continue ;; esac
        cmp "$f" "$D/$1/${f##*/}" || return 1
    done
}
# Attempts that have something: the log of their store has grown.
begun() { # NAME
    find "$D/$1/shards" -name '*.part-wal' -size +64k 2>/dev/null | wc -l
}
wait_until() { # COMMAND...: at most a minute
    for _ in $(seq 600); do
        ! "$@" || return 0
        sleep 0.1
    done
    echo "waited in vain: $*"
    return 1
}
