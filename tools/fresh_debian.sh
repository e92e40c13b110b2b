#!/usr/bin/env bash
# Runs commands of README in a clean clone of this checkout on a bare Debian, made for it and removed afterwards.
#
#   tools/fresh_debian.sh SUITE COMMAND...     such as bookworm 'make demo' 'make test'
#
# USER_TOO=1 runs them once more as an ordinary user. Root on a Debian. What runs in there has its own processes and mounts,
# which end with this script, however it ends (killed outright, it leaves the folder). Exit status 1 if a command failed; the last lines say which.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/apt.sh

if [ $# -lt 2 ]; then
    sed -n '2,7s/^# \?//p' "$0"
    exit 2
fi
if [ "${FRESH_INSIDE:-}" != yes ]; then
    may_install || { echo "tools/fresh_debian.sh requires root on a Debian" >&2; exit 2; }
    command -v debootstrap >/dev/null || install_packages debootstrap
    machine=$(mktemp -d "${TMPDIR:-/tmp}/fresh-debian-XXXXXX")
    chmod 755 "$machine"
    clean_up() {
        { kill -KILL "$inside" && wait "$inside"; } 2>/dev/null || true
        rm -rf --one-file-system "$machine" "$machine.log"
    }
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' HUP TERM
    FRESH_INSIDE=yes FRESH_MACHINE=$machine setpriv --pdeathsig KILL \
        unshare --mount --pid --fork --kill-child bash "$0" "$@" &
    inside=$!
    wait "$inside"
    exit
fi

suite=$1 machine=$FRESH_MACHINE
shift

make_machine() {
    # What README takes for granted, and certificates, without which git and pip reach nothing.
    debootstrap --variant=minbase --include=git,make,ca-certificates "$suite" "$machine" >"$machine.log" 2>&1 ||
        { tail -n 5 "$machine.log" >&2; exit 1; }
    rm "$machine.log"
    cp /etc/resolv.conf /etc/hosts "$machine/etc/"
    # Authorities that this machine trusts beside the usual ones.
    cp /usr/local/share/ca-certificates/*.crt "$machine/usr/local/share/ca-certificates/" 2>/dev/null || true
    chroot "$machine" update-ca-certificates >/dev/null 2>&1
    chroot "$machine" useradd --create-home somebody
    # Onto itself, so that it is a mount point: Java asks which one a folder is on, and takes no plain folder for it.
    mount --bind "$machine" "$machine"
    mount -t proc proc "$machine/proc"
    mount --rbind /dev "$machine/dev"
}

# Run the commands as a user with a home, in a clone of his own.
run_as() {
    local user=$1 home=$2 code line start
    git clone -q --no-local . "$machine$home/checkout"
    chroot "$machine" chown -R "$user" "$home/checkout"
    for line in "${commands[@]}"; do
        start=$SECONDS code=0
        echo "== $suite, $user: $line"
        chroot "$machine" runuser -u "$user" -- env -i "${passed_on[@]}" HOME="$home" LANG=C.UTF-8 \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            bash -c "cd $home/checkout && $line" </dev/null || code=$?
        echo "== $suite, $user: $line: exit $code after $((SECONDS - start)) s"
        [ "$code" = 0 ] || failed+=("$suite, $user: $line")
    done
}

commands=("$@") failed=()
# How this machine reaches the package registries, and whether this is CI.
mapfile -t passed_on < <(env | grep -E '^([A-Za-z_]+_proxy|[A-Z_]+_PROXY|CI|OPENSEARCH_VERSION)=|^[A-Z0-9_]*CERT[A-Z0-9_]*=/etc/ssl/')
make_machine
run_as root /root
[ -z "${USER_TOO:-}" ] || run_as somebody /home/somebody
[ ${#failed[@]} = 0 ] || { printf 'failed: %s\n' "${failed[@]}"; exit 1; }
