#!/bin/sh
# Adds what the Spark job wants to the virtual environment, and a Java on Debian or Ubuntu as root.
set -eu

if ! command -v java >/dev/null 2>&1 && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq default-jre-headless >/dev/null
fi
"$BIN/python" -m pip install --quiet --disable-pip-version-check --editable '.[spark]'
