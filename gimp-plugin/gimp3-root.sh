#!/bin/sh
# A Debian 13 with GIMP 3.0 and what the plug-in is built with, for machines that have
# GIMP 2.10: 1.2 GB, about a minute.  A folder that is whole is left as it is.
#
# usage: gimp3-root.sh ROOT
#
# Status 77, and one line that says why: it cannot be made here (not root, no mmdebstrap, no
# Debian).  The mirror and apt's settings are those of this machine.
set -eu
root=$1
[ ! -e "$root/.whole" ] || exit 0
cannot() {
    echo "$1"
    exit 77
}
[ "$(id -u)" = 0 ] || cannot 'making a root of Debian 13 needs root'
if ! command -v mmdebstrap >/dev/null; then
    sh tools/deps.sh gimp3 >&2 || cannot 'mmdebstrap is missing and could not be installed'
fi
mirror=$(apt-cache policy 2>/dev/null | grep -oE '[a-z]+://[^ ]+ [a-z]+/main' | head -n 1 | cut -d' ' -f1)
[ -n "$mirror" ] || cannot 'apt knows no mirror of Debian'
set --
for c in /etc/apt/apt.conf.d/*; do
    case $c in *docker* | *autoremove* | *appstream* | *packagekit* | *debconf* | *dep11*) continue ;; esac
    [ ! -f "$c" ] || set -- "$@" --aptopt="$c"
done
rm -rf --one-file-system "$root"
mkdir -p "$(dirname "$root")"
echo 'gimp3-root: fetching Debian 13 with GIMP 3.0' >&2
mmdebstrap --quiet --variant=minbase --skip=cleanup/tmp \
    --include=gimp,libgimp-3.0-dev,gcc,libc6-dev,binutils,make,pkgconf,libopenblas-dev,ca-certificates \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --aptopt='Acquire::Languages "none"' "$@" \
    trixie "$root" "deb $mirror trixie main" >&2
: >"$root/.whole"
