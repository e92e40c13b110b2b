#!/bin/sh
# Lays rsyslogd and syslog-ng into the virtual environment where this machine lacks them: from Debian's packages,
# unpacked and not installed, since each would take the place of the machine's own log daemon. Only the libraries that
# they are linked against are installed.
set -eu
. "$(dirname "$0")/apt.sh"

environment=$(cd "$VENV" && pwd)

# Unpack packages into a folder, and install the libraries that they depend on.
unpack() {
    into="$environment/log-daemons/$1"
    folder=$(mktemp -d)
    chmod 755 "$folder" # apt reads as a user of its own
    (cd "$folder" && apt download "$@")
    libraries=""
    mkdir -p "$into"
    for package in "$folder"/*.deb; do
        libraries="$libraries $(dpkg-deb -f "$package" Depends | tr ',' '\n' | sed 's/|.*//' | grep -o '^ *lib[^ ]*')"
        dpkg-deb -x "$package" "$into"
    done
    rm -r "$folder"
    # shellcheck disable=SC2086 # one word a library
    apt install -y --no-install-recommends $libraries
}

# Write the program that starts a daemon where it was unpacked: its name, its environment, and options of its own.
starter() {
    printf '#!/bin/sh\n%s exec "%s" %s "$@"\n' "$2" "$into/usr/sbin/$1" "$3" >"$environment/bin/$1"
    chmod 755 "$environment/bin/$1"
}

apt update
if ! command -v rsyslogd >/dev/null; then
    unpack rsyslog
    starter rsyslogd "RSYSLOG_MODDIR='$(dirname "$(find "$into" -name omprog.so)")'" ""
fi
if ! command -v syslog-ng >/dev/null; then
    unpack syslog-ng-core syslog-ng-mod-python
    # Its prefix moves neither /etc nor /var. Debian 13 has the file in its place already.
    [ ! -e "$into/etc/syslog-ng/scl.conf" ] || cp "$into/etc/syslog-ng/scl.conf" "$into/usr/share/syslog-ng/include/"
    state="$into/var/lib/syslog-ng/syslog-ng"
    starter syslog-ng "SYSLOGNG_PREFIX='$into/usr' LD_LIBRARY_PATH='$into/usr/lib/syslog-ng'" \
        "--persist-file='$state.persist' --pidfile='$state.pid' --control='$state.ctl'"
fi
