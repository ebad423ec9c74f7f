#!/usr/bin/env bash
# Print the path of a Python that gluon_rnn can be installed with, or say in one sentence what to install.
#   scripts/find_python.sh [VERSION ...]    for example: scripts/find_python.sh 3.9; default 3.11 3.12 3.10 3.9
set -euo pipefail
versions=("$@")
[ $# -gt 0 ] || versions=(3.11 3.12 3.10 3.9)
wanted=" ${versions[*]} "
problem=""

candidates() {  # every place where a Python of one of the versions may be, the preferred one first
    for version in "${versions[@]}"; do
        type -ap "python$version" || true
        if command -v pyenv > /dev/null; then  # pyenv hides the versions that are not "global"
            for name in $(pyenv whence "python$version" 2> /dev/null); do
                echo "$(pyenv prefix "$name")/bin/python$version"
            done
        fi
    done
    type -ap python3 python || true
}

what_lacks() {  # print what this Python lacks for the installation, nothing where it lacks nothing
    "$1" - <<'END'
import os, shlex, shutil, sysconfig
try:
    import venv, ensurepip
except ImportError:
    raise SystemExit(print("its module venv (on Debian and Ubuntu: apt install python3-venv)"))
compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
if not shutil.which(compiler):
    print(f"the C compiler {compiler!r} (on Debian and Ubuntu: apt install build-essential)")
elif not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
    print("its header files (on Debian and Ubuntu: apt install python3-dev)")
END
}

while read -r python; do
    # A shim may exist for a version that is not there, and "python3" may be any version: run it and ask.
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2> /dev/null) || continue
    [[ $wanted == *" $version "* ]] || continue
    lacks=$(what_lacks "$python")
    if [ -z "$lacks" ]; then
        "$python" -c 'import sys; print(sys.executable)'
        exit 0
    fi
    problem=${problem:-"found $python (Python $version), but to install gluonnlp it lacks $lacks"}
done < <(candidates)

if [ $# -gt 0 ]; then
    missing="no Python $* was found"
else
    missing="no Python 3.9, 3.10, 3.11 or 3.12 was found, which MXNet 1.9.1 needs: install Python 3.11 with its header"
    missing+=" files and venv (on Debian and Ubuntu: apt install python3.11-dev python3.11-venv), or name one: make PYTHON=..."
fi
echo "${problem:-$missing}" >&2
exit 1
