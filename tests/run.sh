#!/bin/sh
# Runs one test program, shows what it prints, and counts.
#
#   run.sh TOTALS NAME COMMAND...   run; one more line "passed failed skipped NAME" in TOTALS
#   run.sh TOTALS                   print the sum of all lines; status 1 after a failure
#
# Counted are lines of TAP ("ok 1 - x", "not ok 2 - y", and with "# SKIP"), of Python's unittest
# ("x ... ok", "... FAIL", "... ERROR", "... skipped"), of tests/gates.sh ("gate x: ok") and
# of tests/filter.sh ("ok   x", "FAIL x", "skip x").
# A program that prints none of them counts as one test; one that ends badly without saying
# what failed, as one failure.
set -u
export LC_ALL=C
totals=$1
if [ $# -eq 1 ]; then
    [ -s "$totals" ] || { echo 'no test has run' >&2; exit 1; }
    awk '{ p += $1; f += $2; s += $3; if ($2) names = names " " $4 }
         END { if (f) print "failures in:" names
               printf "%d passed, %d failed", p, f
               if (s) printf ", %d skipped", s
               print ""
               exit f > 0 }' "$totals"
    exit
fi
name=$2
shift 2
mkdir -p "$(dirname "$totals")" || exit 1
log=$totals.$name.log
echo "== $name"
{ "$@" 2>&1; echo "status $?" >"$log.status"; } | tee "$log"
read -r _ status <"$log.status"
counts=$(awk -v status="$status" '
    /^(not )?ok [0-9]+.*# *SKIP/ || / \.\.\. skipped/ { s++; next }
    /^skip / { s++; next }
    /^ok +[0-9a-zA-Z]/ || / \.\.\. ok$/ || /^gate .*: ok$/ { p++; next }
    /^not ok [0-9]+/ || /^FAIL / || / \.\.\. (FAIL|ERROR)$/ || /^gate .*: FAILED/ { f++ }
    END { if (status && !f) f = 1
          if (!status && !p && !f && !s) p = 1
          print p + 0, f + 0, s + 0 }' "$log")
echo "$counts $name" >>"$totals"
set -- $counts
echo "== $name: $1 passed, $2 failed, $3 skipped"
[ "$2" -eq 0 ]
