# What the set-up scripts share: Debian's packages, as root, where there is apt-get. To be sourced.

# Tell whether packages may be installed here.
may_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1
}

# Run apt-get without questions. Another apt may be at work, on a fresh machine its daily one: wait for its locks,
# of which apt-get waits by itself for one alone.
apt() {
    waited=0
    # In English, whatever this machine speaks: what it says is read below.
    while ! said=$(LC_ALL=C LANGUAGE= DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 "$@" 2>&1); do
        case $said in
        *"Could not get lock"* | *"Unable to lock"* | *"is another process using it"*)
            if [ "$waited" -lt 600 ]; then
                [ "$waited" -gt 0 ] || echo "waiting for another apt to end" >&2
                sleep 5
                waited=$((waited + 5))
                continue
            fi
            ;;
        esac
        echo "apt-get $*: $said" >&2
        return 1
    done
}

# Install packages, and nothing that they merely recommend.
install_packages() {
    apt update
    apt install -y --no-install-recommends "$@"
}
