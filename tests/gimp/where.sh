# where.sh - a GIMP of a version; sourced by tests/gimp.sh, gimp_window.sh, gimp_install.sh.
#
#   begin VERSION WHAT   sets $version, $build, $check and the folder $work; WHAT: before each
#                        name of a test.  All of it goes at the end, with KEEP=1 only processes
#   leave REASON         skips everything
#   find_gimp            status 1 and a sentence in $reason where there is none; else
#     $root               the chroot it lives in, empty for this machine's own
#     $files, $guest_files  a folder for pictures, as seen from here and from GIMP
#     $profile, $guest_profile  GIMP's folder, with the plug-in in it
#   script FILE          a whole script, from a file that uses prelude?.scm and helpers.scm
#   run_gimp SCRIPT.scm  runs it, without a window
#   in_gimp COMMAND...   a GIMP, or another command, in the environment of a GIMP; $more: NAME=VALUE
#   make_there ARGS...   make, where that GIMP is
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.."
. tests/check.sh
root='' reason='' guest='' pids=''

begin() { # VERSION WHAT
    version=$1
    about="gimp $version${2:+ $2}: "
    build=${BUILD:-build}
    check=$PWD/$build/tests/gimp_check
    work=$(mktemp -d)
    trap clean_up EXIT
}
clean_up() {
    [ -z "$pids" ] || kill $pids 2>/dev/null
    [ -n "${KEEP-}" ] || rm -rf "$work" ${guest:+"$guest"}
}
leave() { skip 'all of it' "$1"; exit 0; }

# In the chroot the plug-in is built by the chroot's own compiler and headers.  A file that
# differs gets the time of now, so that make sees it: another checkout's may be older.
build_in_root() {
    local tree=$root/src/liblpips f
    git ls-files -co --exclude-standard -- core weights gimp-plugin tests Makefile '*.mk' liblpips.pc.in tools |
        while read -r f; do
            [ -f "$f" ] && ! cmp -s "$f" "$tree/$f" || continue
            mkdir -p "$tree/$(dirname "$f")" && cp "$f" "$tree/$f"
        done
    cmp -s build/weights/lpips-alex-v0.1.safetensors "$root/src/builtin.safetensors" ||
        cp build/weights/lpips-alex-v0.1.safetensors "$root/src/builtin.safetensors"
    make_there WERROR=-Werror gimp-plugin >"$work/make.log" 2>&1
}
# GIMP 3.2 draws its icons by glycin, whose loaders run in bubblewrap: that wants /proc and a
# namespace of users, which the kernel refuses in a chroot.  A root of its own is none.
enter() { # COMMAND...: in $root
    if unshare -m true 2>/dev/null; then
        unshare -m sh -ec 'mount --bind "$0" "$0"; cd "$0"; mount -t proc proc proc
            pivot_root . mnt; exec chroot . /bin/sh -c "umount -l /mnt; exec \"\$@\"" sh "$@"' "$root" "$@"
    else
        chroot "$root" "$@"
    fi
}
make_there() { # ARGUMENTS...: make, of the machine that has the GIMP
    if [ -n "$root" ]; then
        enter env -i HOME=/src PATH=/usr/bin:/bin LANG=C.UTF-8 make -C /src/liblpips \
            "-j$(nproc)" BUILTIN_FILE=/src/builtin.safetensors "$@"
    else
        make -s "$@"
    fi
}

find_gimp() {
    local here plugin
    set -- "$version"
    [ -x "$check" ] || { reason="$check is missing; \`make check-gimp\` builds it"; return 1; }
    here=$(gimp-console --version 2>/dev/null | grep -oE '[0-9]+\.[0-9]+' | head -n 1)
    if [ "${here%%.*}" = "${1%%.*}" ]; then
        plugin=$build/lib/gimp/$1/lpips
        [ -x "$plugin/lpips" ] || { reason='the plug-in is not built; `make gimp-plugin` does'; return 1; }
        guest=$work
    elif [ "$1" = 2.10 ]; then
        reason="this machine has ${here:+GIMP $here, }no GIMP 2.10"
        return 1
    else
        root=${GIMP3_ROOT:-${LPIPS_CACHE:-build}/gimp3-root}
        reason=$(sh gimp-plugin/gimp3-root.sh "$root" 2>"$work/root.log") ||
            { reason=${reason:-"a Debian 13 could not be fetched: $(tail -n 1 "$work/root.log")"}; return 1; }
        build_in_root || { tail -n 5 "$work/make.log"; reason='it could not be built there'
            echo "FAIL gimp $1: the plug-in builds in Debian 13"; return 1; }
        plugin=$root/src/liblpips/build/lib/gimp/$1/lpips
        guest=$(mktemp -d "$root/src/test.XXXXXX")
    fi
    files=$guest/files profile=$guest/profile
    guest_files=${files#"$root"} guest_profile=${profile#"$root"}
    mkdir -p "$files" "$guest/home" "$profile/plug-ins"
    for f in gradients brushes patterns palettes dynamics tool-presets fonts; do mkdir -p "$profile/$f"; done
    cp -r "$plugin" "$profile/plug-ins/"
}

in_gimp() { # COMMAND...: with an environment of its own, in the chroot if there is one
    ${root:+enter} env -i HOME="${guest_profile%/*}/home" PATH=/usr/bin:/bin LANG=C.UTF-8 \
        GIMP2_DIRECTORY="$guest_profile" GIMP3_DIRECTORY="$guest_profile" GEGL_USE_OPENCL=no \
        NO_AT_BRIDGE=1 ${DISPLAY:+DISPLAY="$DISPLAY"} ${more-} "$@"
}

script() { # FILE, or -: a whole script of it, for run_gimp
    echo "(define dir \"$guest_files\")"
    cat "tests/gimp/prelude${version%%.*}.scm" tests/gimp/helpers.scm "$1"
}

# An error does not end GIMP 2.10; that is what the last form is for, and timeout.
run_gimp() { # SCRIPT
    if [ "${version%%.*}" = 2 ]; then
        { cat "$1"; echo '(gimp-quit 1)'; } | DISPLAY='' in_gimp timeout 900 gimp-console -i -f --no-splash -b -
    else
        DISPLAY='' in_gimp timeout 900 gimp-console -i -f --no-splash --batch-interpreter \
            plug-in-script-fu-eval -b "(load \"$guest_files/${1##*/}\")" --quit
    fi
}
