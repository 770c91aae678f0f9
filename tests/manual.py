"""What tests of manual pages and completions share."""

import re
import shutil
import subprocess


def options_of(text):
    """Long options of a --help; those that want a value end with =."""
    found = re.findall(r"^ {2,6}(?:-., +)?--([a-z0-9-]+)(=?)", text, re.M)
    return {name + value for name, value in found}


def documented(page):
    """Long options that a page, or a part of one, has an item for."""
    return set(re.findall(r"^\.It .*Fl -([a-z0-9-]+)", page, re.M))


def check_page(case, path):
    """No warning of groff, nor of mandoc, where they are installed."""
    ran = 0
    for command in (["groff", "-ww", "-mandoc", "-Tutf8", "-z"], ["mandoc", "-Tlint", "-Wwarning"]):
        if shutil.which(command[0]):
            run = subprocess.run([*command, path], capture_output=True, text=True)
            case.assertEqual(run.stdout + run.stderr, "")
            ran += 1
    if not ran:
        case.skipTest("neither groff nor mandoc is installed")


def complete(case, path, function, *words):
    """What the file's function proposes for the last of the words of a command."""
    script = (
        'source "$1"; f=$2; shift 2; COMP_WORDS=(x "$@"); COMP_CWORD=$#; $f;'
        ' printf "%s\\n" "${COMPREPLY[@]}"'
    )
    command = ["bash", "-c", script, "bash", path, function, *words]
    run = subprocess.run(command, cwd=case.folder, capture_output=True, text=True)
    case.assertEqual((run.returncode, run.stderr), (0, ""))
    return set(run.stdout.split("\n")) - {""}
