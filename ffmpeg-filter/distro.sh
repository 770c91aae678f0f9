#!/bin/sh
# Debian's own FFmpeg package with the lpips filter added; `make ffmpeg-distro` runs this.
# usage: distro.sh DOWNLOADS          BUILD: the folder of what is built, "build"
#
# The source is that of the suite this machine runs, with Debian's patches and Debian's
# configuration of the program `ffmpeg`, so all codecs and filters of the package are there.
# Two things differ: its own libraries are linked into it, so it needs and changes none of
# the system's, and there is no documentation.  What the package is built with has to be
# installed, some hundreds of packages: as root, or through sudo.
set -eu

downloads=$1
here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-build}
dir=$build/ffmpeg-distro

die() {
    echo "ffmpeg-distro: $*" >&2
    exit 1
}
. "$here/apt.sh"

sh "$here/../tools/deps.sh" build ffmpeg distro
suite=$(. /etc/os-release && [ "$ID" = debian ] && echo "${VERSION_CODENAME-}") && [ -n "$suite" ] ||
    die "this is for a release of Debian; \`make ffmpeg FFMPEG_SRC=DIR\` takes any FFmpeg tree"

# ---- the source ----------------------------------------------------------------------
mkdir -p "$downloads" "$dir"
read_lists "$downloads" "$suite" "$suite-security" || {
    [ ! -s "${private-}/log" ] || cat "$private/log" >&2
    die "the list of Debian $suite could not be read"
}
found=$(offered | tail -n 1)
[ -n "$found" ] || die "Debian $suite offers no FFmpeg"
version=$(echo "$found" | sed 's/^[0-9]*://' | cut -d. -f1,2)
patch=$here/../patches/0001-avfilter-add-lpips-n$version.patch
[ -f "$patch" ] || die "there is no patch for FFmpeg $version"
origin="$found $(sha256sum <"$patch")"
if [ "$origin" != "$(cat "$dir/origin" 2>/dev/null)" ]; then
    echo "ffmpeg-distro: FFmpeg $found, source package of Debian $suite"
    rm -rf "$dir/src" "$dir/obj" "$dir/origin"
    (cd "$private" && apt apt-get -qq source --download-only "ffmpeg=$found" &&
        dpkg-source --no-check -x ffmpeg_*.dsc src >unpack.log) || die 'the source could not be had'
    mv "$private/src" "$dir/src"
    sh "$here/build.sh" patch "$dir/src" "$patch"
    echo "$origin" >"$dir/origin"
fi
sh "$here/build.sh" filter "$dir/src" "$here"/*.[ch]

# ---- what it is built with -----------------------------------------------------------
export DEB_BUILD_PROFILES=nodoc
if ! missing=$(cd "$dir/src" && dpkg-checkbuilddeps -B 2>&1); then
    if [ "$(id -u)" = 0 ]; then
        root=
    elif command -v sudo >/dev/null; then
        root=sudo
    else
        die "install as root: apt-get build-dep $dir/src; missing is ${missing##*dependencies:}"
    fi
    echo "ffmpeg-distro: installing what Debian builds its FFmpeg with; $dir/build-dep.log grows"
    $root apt-get -qq update
    (cd "$dir/src" && $root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 \
        --no-install-recommends --arch-only -P nodoc build-dep ./ >"../build-dep.log" 2>&1) ||
        { tail -n 5 "$dir/build-dep.log" >&2; die "apt-get build-dep failed"; }
fi

# ---- configure and make --------------------------------------------------------------
# shellcheck disable=SC2016 # make's variables, not the shell's
flags=$(cd "$dir/src" && MAKEFLAGS='' make -s -f debian/rules \
    --eval='flags-of-ffmpeg: ; @echo $(CONFIG) $(CONFIG_standard)' flags-of-ffmpeg)
case $flags in *--enable-gpl*) ;; *) die "debian/rules gave no flags: $flags" ;; esac
eval "$(cd "$dir/src" && dpkg-buildflags --export=sh)"
if [ "$flags" != "$(cat "$dir/obj/flags" 2>/dev/null)" ]; then
    echo "ffmpeg-distro: configuring with $(echo "$flags" | wc -w) options of the package"
    rm -rf "$dir/obj"
    mkdir -p "$dir/obj"
    # shellcheck disable=SC2086 # a list of words
    sh "$here/build.sh" configure "$dir/src" "$dir/obj" "$build/lib/pkgconfig" own $flags \
        --disable-shared --enable-static --disable-doc
    echo "$flags" >"$dir/obj/flags"
fi
echo "ffmpeg-distro: building; $dir/obj/make.log grows meanwhile"
sh "$here/build.sh" make "$dir/obj"
mkdir -p "$build/bin"
cp -f "$dir/obj/ffprobe" "$build/bin/ffprobe-distro"
cp -f "$dir/obj/ffmpeg" "$build/bin/ffmpeg-distro"
"$build/bin/ffmpeg-distro" -hide_banner -filters 2>/dev/null | grep -w lpips
