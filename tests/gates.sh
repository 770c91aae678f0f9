#!/bin/bash
# Rules of this project that a machine can check; CONTRIBUTING.md gives the reasons.
# usage: tests/gates.sh [BUILD]      the folder of the built library, "build" by default
set -u
export LC_ALL=C
cd "$(dirname "$0")/.."
build=${1:-build}
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# gate NAME: fails, and shows them, when standard input has lines
gate() {
    local found
    found=$(cat)
    if [ -n "$found" ]; then
        printf 'gate %s: FAILED\n%s\n' "$1" "$(sed 's/^/    /; 20q' <<<"$found")"
        failed=1
    else
        echo "gate $1: ok"
    fi
}

# Tracked files and those that would be; without git, all but what was built.
files() {
    { git ls-files -co --exclude-standard 2>/dev/null ||
        find . -path ./build -prune -o -type f -print | sed 's,^\./,,'; } |
        while read -r f; do [ ! -f "$f" ] || echo "$f"; done
}
files | sort >"$work/all"
grep '\.[ch]$' "$work/all" >"$work/c"
grep -E '^(core|weights)/.*\.[chS]$' "$work/all" >"$work/library"
[ -s "$work/library" ] || { echo 'gates: no sources found' >&2; exit 1; }

in_files() { # LIST GREP-ARGUMENTS...
    local list=$1
    shift
    xargs -d '\n' grep -nH "$@" <"$work/$list" /dev/null
}

# ---- the library as built ----------------------------------------------------
so=$build/lib/liblpips.so
{ [ -e "$so" ] && [ -e "${so%.so}.a" ]; } ||
    { echo "gates: $so is missing; \`make lib\` builds it" >&2; exit 1; }
exported() { nm "$@" --defined-only | awk 'NF == 3 { print $3 }' | sort -u; }

exported -D "$so" | grep -v '^lpips_' | gate 'exported symbols start with lpips_'
exported -g "${so%.so}.a" | grep -v '^lpips_' | gate 'symbols of the static library start with lpips_'
${CC:-cc} -E -P -DLPIPS_API=PUBLIC core/lpips.h |
    tr '\n' ' ' | grep -oE 'PUBLIC [^;(]*\(' | grep -oE 'lpips_[a-z0-9_]+\($' | tr -d '(' |
    sort -u >"$work/declared"
exported -D "$so" | diff "$work/declared" - |
    sed -n 's/^</declared, not exported:/p; s/^>/exported, not declared:/p' |
    gate 'lpips.h declares what is exported'
readelf -lW "$so" | grep 'GNU_STACK.*RWE' | gate 'no executable stack'
readelf -dW "$so" | grep -q 'SONAME.*liblpips\.so\.[0-9]' || echo "$so has no soname" | gate soname

# ---- the header --------------------------------------------------------------
for std in c99 c11 c++98; do
    case $std in c++*) lang=c++ compiler=g++ ;; *) lang=c compiler=${CC:-cc} ;; esac
    echo '#include "lpips.h"' |
        $compiler -x $lang -std=$std -pedantic-errors -Wall -Wextra -Werror -Icore -fsyntax-only - 2>&1 |
        gate "lpips.h alone as $std"
done
# The line before a declaration ends a comment, or is a declaration that shares one.
awk '/^LPIPS_API/ && before !~ /\*\/$/ && before !~ /;$/ { print FILENAME ":" FNR ": " $0 }
     { before = $0 }' core/lpips.h | gate 'each public function has a comment'

# ---- who may use what --------------------------------------------------------
{
    in_files library -E '^ *# *include *<' | grep -vE '<(stddef|stdint|stdlib|stdio|string|math|float|limits|errno|stdarg|stdbool|stdatomic|pthread|sched|unistd|fcntl|sys/(stat|mman|types))\.h>' |
        grep -vE '^core/blas\.c:.*<(cblas|dlfcn)\.h>|^core/x86/.*<(immintrin|cpuid)\.h>|^core/arm/.*<arm_neon\.h>'
    in_files library -E '^ *# *include *"' | while IFS=: read -r file line text; do
        header=$(cut -d'"' -f2 <<<"$text")
        folder=$(dirname "$file")
        case $(realpath -m --relative-to=. "$folder/$header") in
        core/* | weights/*) [ -f "$folder/$header" ] || echo "$file:$line: $text" ;;
        *) echo "$file:$line: $text" ;;
        esac
    done
} | gate 'core/ and weights/ include only libc and each other'
in_files library -E -w 'cblas_[a-z]+|openblas_[a-z_]+' | grep -v '^core/blas\.c:' |
    gate 'only core/blas.c names BLAS'
in_files library -E '(^|[^a-zA-Z_0-9])(exit|_exit|abort|v?f?printf|f?puts|putchar|perror|setlocale|setenv|putenv|signal|sigaction|fesetround|openblas_set_num_threads|system|popen) *\(' |
    grep -vE '^[^:]*:[0-9]+: *(/\*|\*)' | gate 'the library neither prints, exits nor changes the process'
in_files library -E '(^|[^a-zA-Z_0-9])(secure_)?getenv *\(' | grep -v '^core/find\.c:' |
    gate 'only the search for weights reads the environment'
grep -E '^(ffmpeg-filter|gimp-plugin|tools|media|cli|report|learn)/.*\.[ch]$' "$work/all" | xargs -r -d '\n' grep -nHE '^ *# *include *["<]' /dev/null |
    while IFS=: read -r file line text; do
        header=$(sed 's/.*["<]\(.*\)[">].*/\1/' <<<"$text")
        case $(realpath -m --relative-to=. "$(dirname "$file")/$header") in
        core/lpips.h) continue ;;
        core/* | weights/*) ;;
        *) # a name that the search for headers finds in core/ first
            [ -f "$(dirname "$file")/$header" ] && continue
            [ -f "core/$header" ] || [ -f "weights/$header" ] || continue
            [ "$header" != lpips.h ] || continue
            ;;
        esac
        case $file in
        learn/init/*) # which make weights
            grep -qE '"\.\./\.\./core/(net|thread)\.h"' <<<"$text" && continue ;;
        learn/train/*)
            grep -qE '"\.\./(core/train|weights/safetensors)\.h"' <<<"$text" && continue ;;
        learn/distort/*)
            grep -qF '"../weights/safetensors.h"' <<<"$text" && continue ;;
        esac
        echo "$file:$line: $text"
    done | gate 'programs, the filter, the plug-in and the tools know only lpips.h; what makes weights the nets too'

# Only an adapter knows a version of GIMP, and only the dialog GTK.
grep -E '^gimp-plugin/.*\.[ch]$' "$work/all" | xargs -r -d '\n' grep -nHE \
    '^ *# *(if|elif)[^n]|^ *# *include *<(libgimp|gtk)' /dev/null |
    grep -vE '^gimp-plugin/gimp[23]\.c:[0-9]+:# *include|^gimp-plugin/(dialog|preview)\.[ch]:[0-9]+:#include <gtk/' |
    gate 'the shared files of the plug-in know neither GIMP nor its version'

# ---- form --------------------------------------------------------------------
xargs -d '\n' awk 'FNR == 1 { start = 0 }
    /^\{/ { start = FNR }
    /^\}/ { if (start && FNR - start + 1 > 60)
                print FILENAME ":" start ": " FNR - start + 1 " lines"
            start = 0 }' <"$work/c" | gate 'functions have at most 60 lines'
grep -E '\.([chS]|sh|py|mk)$|^Makefile$' "$work/all" | xargs -d '\n' wc -l |
    awk '$2 != "total" && $1 > 600 { print $2 ": " $1 " lines" }' |
    gate 'files have at most 600 lines'
grep -vE '\.patch$' "$work/all" >"$work/text"
in_files text -E -I '[[:blank:]]+$' | gate 'no blanks at the end of a line'
in_files c -E "$(printf '\t')" | gate 'no tabs in C'
xargs -d '\n' stat -c '%s %n' <"$work/all" | awk '$1 > 1048576' | gate 'no file over 1 MB'
grep -E '\.(safetensors|pth|ckpt|onnx|mp4|mkv|npy)$' "$work/all" |
    xargs -r -d '\n' stat -c '%s %n' | awk '$1 > 65536' | gate 'no weights and no data'
grep -E '(^|/)(Makefile|[^/]*\.mk)$' "$work/all" | xargs -d '\n' grep -nHE -e '-march=native|-ffast-math|-Ofast' |
    gate 'no -march=native, no -ffast-math'

# Where this machine gets its packages belongs to this machine.  Its own settings are
# the list; nothing is written here.
{
    pip config list 2>/dev/null
    env | grep -iE '^[A-Z_]*(PROXY|INDEX)[A-Z_]*='
    cat /etc/apt/sources.list /etc/apt/sources.list.d/* /etc/apt/apt.conf.d/* 2>/dev/null
} | grep -oE '[a-z]+://[^/ "'"'"']+' | sed 's,.*//,,; s,.*@,,; s,:[0-9]*$,,' | grep -F . | sort -u >"$work/hosts"
{
    [ ! -s "$work/hosts" ] || in_files text -I -F -f "$work/hosts"
    in_files text -E -I -i '://[^/ ]*(p[y]pi|python[h]osted|deb[.]debian|npm[j]s|crates[.]io)'
} | gate 'no host of a package registry'
in_files text -E -I '(^|[^A-Za-z0-9_./])/(wor[k]|roo[t]|hom[e])/' | gate 'no path of one machine'

format=$(command -v clang-format-14 || command -v clang-format)
if [ -n "$format" ] && "$format" --version | grep -q 'version 14\.'; then
    grep -vE '^ffmpeg-filter/' "$work/c" | xargs -d '\n' "$format" --dry-run 2>&1 |
        grep 'warning:' | cut -d: -f1 | sort | uniq -c | gate 'clang-format'
else
    echo 'gate clang-format: skipped, clang-format 14 is not installed'
fi

[ $failed = 0 ] || echo 'gates: FAILED' >&2
exit $failed
