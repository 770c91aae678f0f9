# Sourced by test scripts in bash: the lines that run.sh counts, and what is counted here.
# $about comes before each name.
about=
passed=0 failed=0 skipped=0

ok() { # NAME
    passed=$((passed + 1))
    echo "ok   $about$1"
}
fail() { # NAME WHY
    failed=$((failed + 1))
    printf 'FAIL %s\n%s\n' "$about$1" "$(tail -n 8 <<<"${2-}" | sed 's/^/     /')"
}
skip() { # NAME WHY
    skipped=$((skipped + 1))
    echo "skip $about$1: $2"
}
check() { # NAME COMMAND...: ok if it succeeds
    local name=$1 out
    shift
    if out=$("$@" 2>&1); then ok "$name"; else fail "$name" "$out"; fi
}
conclude() { # WHAT: the last line, and the status
    echo "$1: $passed passed, $failed failed, $skipped skipped"
    [ $failed = 0 ]
}
