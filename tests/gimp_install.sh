#!/bin/bash
# The plug-in installed and taken away, for a user and for all, and a translation of it.
# usage: tests/gimp_install.sh VERSION      2.10 or 3.0
. "$(dirname "$0")/gimp/where.sh"
begin "$1" install
command -v msgfilter >/dev/null || leave 'gettext is missing; `sh tools/deps.sh gimp` installs it'
[ -e /usr/share/i18n/locales/en_GB ] || leave 'Debian'"'"'s locales are missing; `sh tools/deps.sh gimp` installs them'
find_gimp || leave "$reason"

"$check" picture scene.1 64 64 "$files/a.png" || { fail 'the picture of the test'; exit 1; }
script - >"$files/ask.scm" <<'END'
(refused "alone" (load-picture (path "a.png")) 0 0)
(say "end" "")
END
# A new GIMP, which asks each plug-in what it is and writes that into pluginrc; NAME=VALUE goes
# into its environment.  Its answer to a lone layer goes into $work/log.
ask() { # ["NAME=VALUE ..."]
    rm -f "$profile/pluginrc"
    more=${1-} run_gimp "$files/ask.scm" >"$work/log" 2>&1
    [ -s "$profile/pluginrc" ]
}
known() { ask && grep -q '"plug-in-lpips"' "$profile/pluginrc"; }
unknown() { ask && ! grep -q '"plug-in-lpips"' "$profile/pluginrc"; }

# ---- for the user ------------------------------------------------------------
rm -r "$profile/plug-ins/lpips"
check 'nothing installed: GIMP does not know it' unknown
user="GIMP${version%%.*}_DIRECTORY=$guest_profile"
check 'install-gimp' make_there "$user" install-gimp
check 'it lies where GIMP looks' test -x "$profile/plug-ins/lpips/lpips"
check 'GIMP knows it' known

# ---- a translation -----------------------------------------------------------
# Every text with an "@" before it, in a language of its own.
check 'gimp-pot' make -s gimp-pot
pot=build/po/lpips.pot
check 'the texts of the sources are in it' grep -q 'two layers are needed' "$pot"
locale=$profile/plug-ins/lpips/locale/qq/LC_MESSAGES
translated() {
    mkdir -p "$locale" && msgen "$pot" | sed 's/charset=CHARSET/charset=UTF-8/' |
        msgfilter --keep-header sed '1s/^/@/' | msgfmt -c -o "$locale/lpips.mo" -
}
check 'the catalogue of a translation' translated
# A locale apart from C is needed, or nothing is translated; its messages alone are used, which
# any glibc can read.
localedef -i en_GB -f UTF-8 "$files/qq_QQ.UTF-8" 2>"$work/log" || fail 'a locale for the translation' "$(cat "$work/log")"
ask "LOCPATH=$guest_files LC_MESSAGES=qq_QQ.UTF-8"
check 'a message comes in its language' grep -q '@two layers are needed' "$work/log"
if [ "$version" = 3.0 ]; then # GIMP 2.10 translates it where it shows it
    check 'and so does the blurb' grep -q '"@See where two pictures differ' "$profile/pluginrc"
else
    check 'GIMP knows where its texts are' grep -q "(locale-def \"lpips\" .*plug-ins/lpips/locale" "$profile/pluginrc"
fi
rm -r "$profile/plug-ins/lpips/locale"

check 'uninstall-gimp' make_there "$user" uninstall-gimp
check 'it leaves nothing behind' test ! -e "$profile/plug-ins/lpips"
check 'GIMP knows it no more' unknown

# ---- without the variable: the folder in the home of the user ----------------
check 'install-gimp, into a home' make_there "HOME=$guest_profile/home" XDG_CONFIG_HOME= \
    GIMP2_DIRECTORY= GIMP3_DIRECTORY= install-gimp
check 'it lies in .config/GIMP' test -x "$profile/home/.config/GIMP/${version%%.*}".*/plug-ins/lpips/lpips

# ---- for all -----------------------------------------------------------------
check 'install-gimp-system, below DESTDIR' make_there "DESTDIR=$guest_profile/all" install-gimp-system
everywhere=$(find "$profile/all" -name lpips -type f)
case ${everywhere#"$profile/all"} in
    /usr/*/gimp/*/plug-ins/lpips/lpips) ok 'it lies in the folder of all plug-ins' ;;
    *) fail 'it lies in the folder of all plug-ins' "$everywhere" ;;
esac
check 'uninstall-gimp-system' make_there "DESTDIR=$guest_profile/all" uninstall-gimp-system
check 'it takes all of it away' test -z "$(find "$profile/all" -name '*lpips*')"
if [ -n "$root" ]; then # not on the machine that the test runs on
    check 'install-gimp-system' make_there install-gimp-system
    check 'GIMP knows it, with nothing in the folder of the user' known
    check 'uninstall-gimp-system, without DESTDIR' make_there uninstall-gimp-system
    check 'and does not, afterwards' unknown
fi
