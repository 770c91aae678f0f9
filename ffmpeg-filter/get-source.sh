#!/bin/sh
# Put a clean FFmpeg source tree into a folder.
# usage: get-source.sh VERSION TREE DOWNLOADS        VERSION: 7.1, ...
#
# In this order:
#   FFMPEG_SRC=DIR        a copy of the user's own tree, which is never changed
#   DOWNLOADS             what an earlier run left there, or a release tarball put there
#   Debian                the source package of the suite that carries the version
#   FFMPEG_RELEASES=URL   the release tarball; where this is set, Debian is not asked
#
# Debian's lists and packages are fetched with a private configuration, so the
# machine's own is neither read from nor written to, but for the address of its mirror
# and its network settings.  Signatures are checked with Debian's own keyring.
set -eu

version=$1 tree=$2 downloads=$3
here=$(dirname "$0")
releases=${FFMPEG_RELEASES:-https://ffmpeg.org/releases}

die() {
    echo "get-source: $*" >&2
    exit 1
}

# The fields of this version; a version that is not listed can still be FFMPEG_SRC's.
point='' digest='' suite=''
while read -r name a b c; do
    [ "$name" != "$version" ] || { point=$a digest=$b suite=$c; }
done <"$here/releases.txt"

sha256() {
    sha256sum <"$1" | cut -d' ' -f1
}

unpack() { # TARBALL
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

# The mirrors this machine is set up with, however that is written; security archives
# and others' have no such suite, and are passed over when they fail.
mirrors() {
    apt-get update --print-uris 2>/dev/null |
        sed -n "s,^'\(.*\)/dists/[^']*/InRelease'.*,\1,p" | grep -v security | sort -u
}

apt() { # COMMAND ARGUMENTS... with the private configuration in $private
    command=$1
    shift
    "$command" -o Dir::Etc::sourcelist="$private/sources.list" \
        -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
        -o Dir::State::Lists="$private/lists" -o Dir::State::status=/dev/null \
        -o Dir::Cache="$private/cache" -o APT::Sandbox::User="$(id -un)" \
        -o Acquire::Retries=3 -o Acquire::Languages=none "$@"
}

from_debian() {
    command -v apt-get >/dev/null && [ -n "$suite" ] || return 1
    for keyring in /usr/share/keyrings/debian-archive-keyring.gpg \
        /usr/share/keyrings/debian-archive-keyring.pgp ''; do
        [ ! -f "$keyring" ] || break
    done
    [ -n "$keyring" ] || return 1
    private=$(mktemp -d "$downloads/apt.XXXXXX")
    private=$(cd "$private" && pwd)
    trap 'rm -rf "$private"' EXIT
    mkdir -p "$private/lists/partial" "$private/cache/archives/partial"
    for mirror in $(mirrors); do
        echo "deb-src [signed-by=$keyring] $mirror $suite main" >"$private/sources.list"
        ! apt apt-get -qq update >"$private/log" 2>&1 || break
    done
    found=$(apt apt-cache showsrc --only-source ffmpeg 2>/dev/null | sed -n 's/^Version: //p' |
        grep -E "^([0-9]+:)?$(echo "$version" | sed 's/\./\\./')[.-]" | sort -V | tail -n 1)
    if [ -z "$found" ]; then
        echo "get-source: Debian $suite does not offer FFmpeg $version (any more)" >&2
        [ ! -s "$private/log" ] || sed 's/^/    /; 5q' "$private/log" >&2
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

rm -rf "$tree"
mkdir -p "$downloads"
if [ -n "${FFMPEG_SRC-}" ]; then
    copy_own
elif [ -n "${FFMPEG_RELEASES-}" ]; then
    from_release
else
    from_downloads || from_debian || from_release
fi
