#!/bin/bash
# The patches, and where FFmpeg's source comes from.
# usage: tests/patches.sh [VERSION...]    those whose source is in the folder of downloads
set -u
export LC_ALL=C
cd "$(dirname "$0")/.."
versions=${*:-5.1 7.1 8.1 9.0}
downloads=${LPIPS_CACHE:-build/download}
. tests/check.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset FFMPEG_SRC FFMPEG_RELEASES

get() { # VERSION TREE [DOWNLOADS]
    sh ffmpeg-filter/get-source.sh "$1" "$2" "${3:-$downloads}"
}
patch_of() { echo "patches/0001-avfilter-add-lpips-n$1.patch"; }
pristine() { # VERSION: a clean tree, made once
    [ -d "$work/$1" ] || get "$1" "$work/$1"
}
patched() { # VERSION: the same with its patch
    rm -rf "$work/patched"
    cp -r "$work/$1" "$work/patched"
}

# ---- each version ------------------------------------------------------------------------
fresh() { # VERSION
    python3 ffmpeg-filter/make-patch.py "$work/$1" "$work/patch" &&
        cmp "$work/patch" "$(patch_of "$1")" || { echo 'run: make patches'; return 1; }
}
exact() { # VERSION
    local out
    patched "$1"
    out=$(patch -d "$work/patched" -p1 --fuzz=0 <"$(patch_of "$1")") || { echo "$out"; return 1; }
    ! grep -E 'fuzz|offset' <<<"$out" || return 1
    for file in ffmpeg-filter/*.c ffmpeg-filter/*.h; do
        [ ! -e "$file" ] || cmp "$work/patched/libavfilter/$(basename "$file")" "$file" || return 1
    done
}
as_built() { # VERSION
    patched "$1"
    sh ffmpeg-filter/build.sh patch "$work/patched" "$(patch_of "$1")"
}
for v in $versions; do
    if ! ls "$downloads/ffmpeg"[_-]"$v"*.tar.* >/dev/null 2>&1; then
        skip "patch for $v" "its source is not in $downloads"
        continue
    fi
    check "source of $v" pristine "$v"
    release=$(cat "$work/$v/RELEASE")
    if grep -q "from $release; do not edit" "$(patch_of "$v")"; then
        check "the patch for $release is what make patches writes" fresh "$v"
        check "it applies to the clean $release without fuzz or offset" exact "$v"
    else
        skip "the patch for $v is what make patches writes" "the source is $release now"
        check "the patch for $v applies to $release without fuzz" as_built "$v"
    fi
done

# ---- 6.1, whose tree is not to be had ------------------------------------------------------
if [ -d "$work/5.1" ] && [ -d "$work/7.1" ]; then
    origin="what $(cat "$work/5.1/RELEASE") and $(cat "$work/7.1/RELEASE") have in common"
    if grep -q "from $origin" "$(patch_of 6.1)"; then
        between() {
            python3 ffmpeg-filter/make-patch.py --between "$work/5.1" "$work/7.1" 6.1 "$work/patch" &&
                cmp "$work/patch" "$(patch_of 6.1)" || { echo 'run: make patches'; return 1; }
        }
        check 'the patch for 6.1 is what make patches writes' between
    else
        skip 'the patch for 6.1 is what make patches writes' 'a neighbour has a new point release'
    fi
    neighbour() { # VERSION: all of it but the book-keeping, which is 6.1's own
        patched "$1"
        awk '/^diff --git / { keep = !/ b\/(Changelog|libavfilter\/version\.h)$/ } keep' \
            "$(patch_of 6.1)" >"$work/patch"
        patch -d "$work/patched" -p1 --fuzz=0 -f <"$work/patch"
    }
    check "6.1's patch fits 5.1 without fuzz" neighbour 5.1
    check "6.1's patch fits 7.1 without fuzz" neighbour 7.1
else
    skip 'the patch for 6.1' 'it is made from the trees of 5.1 and 7.1'
fi

# ---- where the source comes from -----------------------------------------------------------
if [ -d "$work/7.1" ]; then
    own_tree() {
        FFMPEG_SRC=$work/7.1 get 7.1 "$work/copy" "$work/d1" && diff -rq "$work/7.1" "$work/copy" &&
            ! FFMPEG_SRC=$work get 7.1 "$work/copy" "$work/d1"
    }
    check 'FFMPEG_SRC is copied; what is no FFmpeg tree is refused' own_tree
    release=$(awk '$1 == "7.1" { print $2 }' ffmpeg-filter/releases.txt)
    tarball=$(ls "$downloads"/ffmpeg[_-]"$release".*tar.xz 2>/dev/null | head -n 1)
    tarballs() {
        mkdir "$work/site" && cp "$tarball" "$work/site/ffmpeg-$release.tar.xz" &&
            FFMPEG_RELEASES=file://$work/site get 7.1 "$work/released" "$work/d2" &&
            [ "$(cat "$work/released/RELEASE")" = "$release" ] || return 1
        rm -r "$work/d2" && echo x >>"$work/site/ffmpeg-$release.tar.xz" &&
            ! FFMPEG_RELEASES=file://$work/site get 7.1 "$work/changed" "$work/d2" &&
            [ ! -e "$work/changed" ]
    }
    if [ -n "$tarball" ]; then
        check 'a release tarball is taken; a changed one is refused' tarballs
    else
        skip 'release tarball' "FFmpeg $release is not in $downloads"
    fi
fi
# Stand-ins for apt, so that what Debian offers is known.
mkdir "$work/bin"
cat >"$work/bin/apt-get" <<'END'
#!/bin/sh
case "$*" in
*print-uris*) echo "'http://mirror.invalid/debian/dists/x/InRelease' x 0" ;;
*" update") [ "$STAND_IN" != unreachable ] ;;
*) exit 1 ;;
esac
END
cat >"$work/bin/apt-cache" <<'END'
#!/bin/sh
case $STAND_IN in newer) printf 'Package: ffmpeg\nVersion: 7:99.0-1\n' ;; esac
END
chmod +x "$work/bin"/*
stand_in() { # HOW STATUS VERSION
    local out status=0
    mkdir -p "$work/d3"
    out=$(STAND_IN=$1 PATH=$work/bin:$PATH get "$3" - "$work/d3" 2>&1) || status=$?
    echo "status $status: $out"
    [ $status = "$2" ] || return 1
    if [ "$2" = 3 ]; then
        grep -qx "FFmpeg $3: not built: no longer offered by Debian sid" <<<"$out"
    else
        ! grep -q 'no longer offered' <<<"$out"
    fi
}
if [ -f /usr/share/keyrings/debian-archive-keyring.gpg ]; then
    check 'a version that sid has given up: said so, and status 3' stand_in newer 3 8.1
    check 'a mirror that cannot be reached is not that' stand_in unreachable 1 8.1
    check 'nor is a list without any FFmpeg' stand_in empty 1 8.1
else
    skip 'what Debian sid offers' "there is no Debian's keyring"
fi

conclude patches
