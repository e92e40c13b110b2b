#!/bin/sh
# Adds what the tests require: Python packages, and as root on Debian or Ubuntu the programs that they start. Where
# these are missing and cannot be installed, the tests that start them are skipped and say so.
set -eu
. "$(dirname "$0")/apt.sh"

missing_programs() {
    command -v chromium >/dev/null || echo chromium
    command -v luajit >/dev/null || echo luajit
    command -v luacheck >/dev/null || echo lua-check
    command -v ruby >/dev/null || echo ruby
    command -v curl >/dev/null || echo curl
    command -v go >/dev/null || echo golang-go
    command -v mvn >/dev/null || echo maven
    # The node that PyPI's playwright brings is linked against it.
    ldconfig -p | grep -q libatomic.so.1 || echo libatomic1
}

# 21 runs both lines of OpenSearch that are tested; Debian 12 has 17, which runs 2.19 alone.
install_java() {
    for version in 21 25 17; do
        package="openjdk-$version-jre-headless"
        if apt-cache show "$package" >/dev/null 2>&1; then
            install_packages "$package"
            return
        fi
    done
    echo "no Java in this distribution's packages: the tests of a real OpenSearch cannot run" >&2
}

if may_install; then
    missing=$(missing_programs)
    # shellcheck disable=SC2086 # one word a package
    [ -z "$missing" ] || install_packages $missing
    [ -n "${OPENSEARCH_JAVA_HOME:-}${JAVA_HOME:-}" ] || command -v java >/dev/null || install_java
    sh "$(dirname "$0")/setup_log_daemons.sh"
fi
echo "installing the Python packages that the tests require (once, some minutes)" >&2
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[dev]' \
    ${CONSTRAINTS:+--constraint "$CONSTRAINTS"}
