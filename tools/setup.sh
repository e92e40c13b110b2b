#!/bin/sh
# Makes the virtual environment that every make target runs in; on a fresh Debian or Ubuntu as root it
# installs the packages this needs first.
set -eu

find_python() {
    for candidate in "$PYTHON" python3 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
}

install_debian_packages() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
    fi
}

python=$(find_python)
if [ -z "$python" ] || ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    install_debian_packages python3 python3-venv
    python=$(find_python)
fi
if [ -z "$python" ]; then
    echo "Python 3.11 or newer is needed, with its venv module (Debian: python3 python3-venv)." >&2
    exit 1
fi
# What the tests of the report's page look at it with, a shipper that tests start, and what runs and lints the
# scripts inside others.
for command in chromium rsyslogd ruby luajit luacheck; do
    if ! command -v "$command" >/dev/null 2>&1; then
        install_debian_packages chromium rsyslog ruby luajit lua-check
        break
    fi
done
"$python" -m venv "$VENV"
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[dev]' ${CONSTRAINTS:+--constraint "$CONSTRAINTS"}
