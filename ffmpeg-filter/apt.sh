# Debian's source packages without the machine's own apt settings; for get-source.sh and
# distro.sh, which include this file.
#
# Lists and packages are fetched with a private configuration, so the machine's own is
# neither read from nor written to, but for the addresses of its mirrors and its network
# settings.  Signatures are checked with Debian's own keyring.

# The mirrors this machine is set up with, however that is written.
mirrors() {
    apt-get update --print-uris 2>/dev/null |
        sed -n "s,^'\(.*\)/dists/[^']*/InRelease'.*,\1,p" | sort -u
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

keyring() {
    for file in /usr/share/keyrings/debian-archive-keyring.gpg \
        /usr/share/keyrings/debian-archive-keyring.pgp; do
        [ ! -f "$file" ] || { echo "$file"; return; }
    done
    return 1
}

# The lists of SUITE and, where SECURITY names it, of the suite of security updates, from
# the first mirror of each kind that has it; $private is made in FOLDER, and removed at the
# end.  Fails when no list of SUITE could be read.
read_lists() { # FOLDER SUITE [SECURITY]
    command -v apt-get >/dev/null && ring=$(keyring) || return 1
    private=$(mktemp -d "$1/apt.XXXXXX")
    private=$(cd "$private" && pwd)
    trap 'rm -rf "$private"' EXIT
    mkdir -p "$private/lists/partial" "$private/cache/archives/partial"
    : >"$private/all"
    for want in "$2" ${3-}; do
        for mirror in $(mirrors); do
            case $mirror in *security*) [ "$want" = "${3-}" ] || continue ;; *) [ "$want" = "$2" ] || continue ;; esac
            echo "deb-src [signed-by=$ring] $mirror $want main" >"$private/sources.list"
            # Without Error-Mode a mirror that cannot be reached is only a warning.
            apt apt-get -qq -o APT::Update::Error-Mode=any update >"$private/log" 2>&1 || continue
            cat "$private/sources.list" >>"$private/all"
            break
        done
    done
    grep -q " $2 main" "$private/all" || return 1
    mv "$private/all" "$private/sources.list"
    apt apt-get -qq -o APT::Update::Error-Mode=any update >"$private/log" 2>&1
}

# All versions of FFmpeg's source package in the lists that were read.
offered() {
    apt apt-cache showsrc --only-source ffmpeg 2>/dev/null | sed -n 's/^Version: //p' | sort -V
}
