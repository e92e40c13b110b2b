#!/bin/sh
# Makes the virtual environment with the package and its report: all that `make demo` requires is Python with venv,
# which as root on Debian or Ubuntu is installed where it is missing.
set -eu
. "$(dirname "$0")/apt.sh"

find_python() {
    for candidate in "$PYTHON" python3 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
}

has_venv() {
    [ -n "$1" ] && "$1" -c 'import ensurepip, venv' 2>/dev/null
}

python=$(find_python)
if ! has_venv "$python" && may_install; then
    install_packages python3 python3-venv
    python=$(find_python)
fi
if ! has_venv "$python"; then
    echo "guardduty-lens requires Python 3.11 or newer with its venv module. On Debian and Ubuntu:" >&2
    echo "    sudo apt-get install python3 python3-venv" >&2
    exit 1
fi
"$python" -m venv "$VENV"
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --editable ".[report]" \
    ${CONSTRAINTS:+--constraint "$CONSTRAINTS"}
