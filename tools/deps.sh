#!/bin/sh
# Install what a build of liblpips needs and this machine lacks, with apt.
#
# usage: tools/deps.sh [-n] [build] [weights] [ffmpeg] [cli] [learn] [check]
#                      [browser] [latex] [fuzz] [cluster] [distro] [gimp] [gimp3]
#   no group: build, weights, ffmpeg, cli, learn and check
#   -n  install nothing: say what is missing and fail
#
# Each need is tested by what it gives (a command, a pkg-config module), not by a
# package's name, so things installed by hand count.  When nothing is missing this
# takes a fraction of a second and needs no rights.
set -eu

dry=
[ "${1-}" != -n ] || { dry=1; shift; }
groups=${*:-build weights ffmpeg cli learn check}
missing=

# need 'TEST' PACKAGE...: the packages, where the test fails
need() {
    test=$1
    shift
    sh -c "$test" >/dev/null 2>&1 || missing="$missing $*"
}

# What GIMP's headers are called where this Debian has 2.10, and where it has 3.  A new machine
# has no lists of packages yet; then its name tells.
gimp_dev() {
    for package in libgimp-3.0-dev libgimp2.0-dev; do
        if apt-cache show $package >/dev/null 2>&1; then
            echo $package
            return
        fi
    done
    case $(. /etc/os-release && echo "${VERSION_CODENAME-}") in
    bookworm | jammy | noble) echo libgimp2.0-dev ;;
    *) echo libgimp-3.0-dev ;;
    esac
}

for group in $groups; do
    case $group in
    build)
        need 'echo "#include <stdlib.h>" | ${CC:-cc} -E -' gcc libc6-dev
        need 'command -v ar' binutils
        need 'command -v pkg-config' pkg-config
        need 'pkg-config --exists openblas' libopenblas-dev
        ;;
    weights)
        need 'command -v python3' python3
        need 'python3 -m pip --version' python3-pip
        ;;
    ffmpeg)
        need 'command -v nasm' nasm
        need 'command -v patch' patch
        need 'command -v xz' xz-utils
        need 'pkg-config --exists zlib' zlib1g-dev
        need 'pkg-config --exists dav1d' libdav1d-dev
        need 'pkg-config --exists x264' libx264-dev
        ;;
    cli)
        need 'pkg-config --exists libavformat libavcodec libavfilter libswscale' \
            libavformat-dev libavcodec-dev libavfilter-dev libswscale-dev
        need 'pkg-config --exists libpng' libpng-dev
        need 'pkg-config --exists jansson' libjansson-dev
        need 'pkg-config --exists sqlite3' libsqlite3-dev
        need 'test -e /usr/share/javascript/chart.js/chart.min.js' libjs-chart.js
        ;;
    learn)
        need 'pkg-config --exists libjpeg' libjpeg-dev
        need 'pkg-config --exists fftw3' libfftw3-dev
        need 'pkg-config --exists gsl' libgsl-dev
        need 'pkg-config --exists libmicrohttpd' libmicrohttpd-dev
        ;;
    check)
        need 'command -v g++' g++
        need 'pkg-config --exists cmocka' libcmocka-dev
        need 'command -v valgrind' valgrind
        need 'pkg-config --exists libpng' libpng-dev
        ;;
    browser) # what the page of a report is tested with
        need 'command -v chromium' chromium
        need 'command -v chromedriver' chromium-driver
        need 'python3 -c "import selenium" || /usr/bin/python3 -c "import selenium"' python3-selenium
        ;;
    latex) # what the tables of a report are set with; their test is skipped without
        need 'command -v pdflatex' texlive-latex-base
        need 'kpsewhich booktabs.sty' texlive-latex-recommended
        ;;
    cluster) # hosts and a Slurm that are made up for tests
        need 'command -v parallel' parallel
        need 'test -x /usr/sbin/sshd' openssh-server
        need 'command -v ip' iproute2
        need 'PATH=$PATH:/usr/sbin command -v slurmctld' slurmctld
        need 'PATH=$PATH:/usr/sbin command -v slurmd' slurmd
        need 'command -v sbatch' slurm-client
        need 'PATH=$PATH:/usr/sbin command -v munged' munge
        ;;
    distro) # what it is built with comes on top: ffmpeg-filter/distro.sh
        need 'command -v dpkg-source' dpkg-dev
        ;;
    gimp) # whichever GIMP this Debian has, and what its window is tested with
        need 'command -v gimp-console' gimp
        need 'pkg-config --exists gimpui-2.0 || pkg-config --exists gimpui-3.0' "$(gimp_dev)"
        need 'command -v Xvfb' xvfb
        need 'command -v xdotool' xdotool
        need 'command -v import' imagemagick
        need 'command -v msgfilter' gettext
        need 'test -e /usr/share/i18n/locales/en_GB' locales
        ;;
    gimp3) # GIMP 3.0 beside a Debian that has 2.10: gimp-plugin/gimp3-root.sh
        need 'command -v mmdebstrap' mmdebstrap
        ;;
    fuzz)
        need 'echo "int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return d && n; }" |
              clang -x c -fsanitize=fuzzer,address - -o /dev/null' clang libclang-rt-dev
        ;;
    *)
        echo "deps: unknown group '$group'; there are build, weights, ffmpeg, cli, learn, check, browser, latex, fuzz, cluster, distro, gimp, gimp3" >&2
        exit 2
        ;;
    esac
done

[ -n "$missing" ] || exit 0
missing=${missing# }
if [ -n "$dry" ] || ! command -v apt-get >/dev/null; then
    echo "deps: missing; Debian's packages are called: $missing" >&2
    [ -z "$dry" ] || echo "deps: \`sh tools/deps.sh $groups\` installs them" >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    root=
elif command -v sudo >/dev/null; then
    root=sudo
else
    echo "deps: missing: $missing" >&2
    echo "deps: install them as root: apt-get install $missing" >&2
    exit 1
fi

echo "deps: installing $missing"
# shellcheck disable=SC2086 # lists of words
{
    $root apt-get -qq update
    $root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 \
        --no-install-recommends install $missing >/dev/null
} || {
    echo "deps: apt-get failed; needed are: $missing" >&2
    exit 1
}
