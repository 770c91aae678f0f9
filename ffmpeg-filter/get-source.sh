#!/bin/sh
# Put a clean FFmpeg source tree into a folder.
# usage: get-source.sh VERSION TREE DOWNLOADS        VERSION: 7.1, ...
#        get-source.sh VERSION - DOWNLOADS           only see to it that DOWNLOADS has it
#
# In this order:
#   FFMPEG_SRC=DIR        a copy of the user's own tree, which is never changed
#   DOWNLOADS             what an earlier run left there, or a release tarball put there
#   Debian                the source package of the suite that carries the version
#   FFMPEG_RELEASES=URL   the release tarball; where this is set, Debian is not asked
#
# Exit status 3, and a line that says so: the version was in a suite that moves, and the
# suite's list, which was read, does not have it any more.  Whatever else goes wrong, the
# network too, is status 1.
set -eu

version=$1 tree=$2 downloads=$3
here=$(dirname "$0")
releases=${FFMPEG_RELEASES:-https://ffmpeg.org/releases}

die() {
    echo "get-source: $*" >&2
    exit 1
}
. "$here/apt.sh"

# The fields of this version; a version that is not listed can still be FFMPEG_SRC's.
point='' digest='' suite=''
while read -r name a b c; do
    [ "$name" != "$version" ] || { point=$a digest=$b suite=$c; }
done <"$here/releases.txt"

sha256() {
    sha256sum <"$1" | cut -d' ' -f1
}

unpack() { # TARBALL
    [ "$tree" != - ] || return 0
    rm -rf "$tree.part"
    mkdir -p "$tree.part"
    tar -xf "$1" -C "$tree.part" --strip-components=1
    mv "$tree.part" "$tree"
}

copy_own() {
    [ -f "$FFMPEG_SRC/libavfilter/allfilters.c" ] ||
        die "FFMPEG_SRC=$FFMPEG_SRC is not an FFmpeg source tree: it has no libavfilter/allfilters.c"
    rm -rf "$tree.part"
    mkdir -p "$tree.part"
    tar -C "$FFMPEG_SRC" -cf - --exclude=./.git --exclude='*.o' --exclude='*.a' . |
        tar -C "$tree.part" -xf -
    # A tree that was built in place would refuse to be built elsewhere.
    rm -f "$tree.part/config.h" "$tree.part/config_components.h" "$tree.part/ffbuild/config.mak"
    mv "$tree.part" "$tree"
    echo "get-source: FFmpeg $(cat "$tree/RELEASE" 2>/dev/null) copied from $FFMPEG_SRC"
}

# Fetched by apt before (its hash was noted then), or a release of the known hash.
from_downloads() {
    for file in "$downloads/ffmpeg_$version".*orig.tar.* "$downloads/ffmpeg_$version.orig.tar.xz"; do
        [ -f "$file" ] && [ -f "$file.sha256" ] && case $file in *.sha256) false ;; esac || continue
        [ "$(sha256 "$file")" = "$(cat "$file.sha256")" ] || continue
        unpack "$file"
        return 0
    done
    file=$downloads/ffmpeg-$point.tar.xz
    [ -f "$file" ] && [ "$(sha256 "$file")" = "$digest" ] && unpack "$file"
}

from_debian() {
    gone=
    [ -n "$suite" ] || return 1
    if ! read_lists "$downloads" "$suite"; then
        echo "get-source: the list of Debian $suite could not be read" >&2
        [ ! -s "${private-}/log" ] || sed 's/^/    /; 5q' "$private/log" >&2
        return 1
    fi
    versions=$(offered)
    found=$(echo "$versions" | grep -E "^([0-9]+:)?$(echo "$version" | sed 's/\./\\./')[.-]" | tail -n 1)
    if [ -z "$found" ]; then
        # A list without any FFmpeg says nothing.
        [ -z "$versions" ] || gone=1
        # shellcheck disable=SC2086 # a list of words
        echo "get-source: Debian $suite offers FFmpeg" ${versions:-not at all} >&2
        return 1
    fi
    echo "get-source: FFmpeg $found, source package of Debian $suite"
    (cd "$private" && apt apt-get -qq source --download-only --tar-only "ffmpeg=$found") || return 1
    for file in "$private"/ffmpeg_*.orig.tar.*; do
        name=$(basename "$file")
        mv "$file" "$downloads/$name"
        sha256 "$downloads/$name" >"$downloads/$name.sha256"
        unpack "$downloads/$name"
    done
}

from_release() {
    if [ -n "${gone-}" ] && [ "$suite" = sid ] && [ "$point" = - ]; then
        echo "FFmpeg $version: not built: no longer offered by Debian $suite"
        exit 3
    fi
    [ -n "$point" ] && [ "$point" != - ] || die "the hash of a release of FFmpeg $version is not" \
        "in ffmpeg-filter/releases.txt; give a source tree with FFMPEG_SRC=DIR"
    file=$downloads/ffmpeg-$point.tar.xz
    echo "get-source: fetching $releases/ffmpeg-$point.tar.xz"
    python3 -c 'import shutil, sys, urllib.request as u
with u.urlopen(sys.argv[1], timeout=60) as r, open(sys.argv[2], "wb") as f:
    shutil.copyfileobj(r, f)' "$releases/ffmpeg-$point.tar.xz" "$file.part" 2>"$file.log" || {
        why=$(tail -n 1 "$file.log")
        rm -f "$file.part" "$file.log"
        die "could not fetch it ($why); put ffmpeg-$point.tar.xz into $downloads, or give a" \
            "source tree with FFMPEG_SRC=DIR"
    }
    rm -f "$file.log"
    if [ "$(sha256 "$file.part")" != "$digest" ]; then
        rm -f "$file.part"
        die "ffmpeg-$point.tar.xz from $releases is refused: its SHA-256 is not $digest"
    fi
    mv "$file.part" "$file"
    unpack "$file"
}

[ "$tree" = - ] || rm -rf "$tree"
mkdir -p "$downloads"
if [ -n "${FFMPEG_SRC-}" ]; then
    copy_own
elif [ -n "${FFMPEG_RELEASES-}" ]; then
    gone=
    from_release
else
    from_downloads || from_debian || from_release
fi
