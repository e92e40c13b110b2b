#!/bin/sh
# Adds to the tests' virtual environment what the Spark job requires.
set -eu
"$BIN/python" -m pip install --quiet --disable-pip-version-check --editable '.[spark]'
