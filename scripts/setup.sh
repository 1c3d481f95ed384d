#!/bin/sh
# Installs what a fresh Debian machine lacks: `setup.sh run` for running xtrace, `setup.sh test` for its tests too.
# Asks apt only for packages that are not there, so a second run needs no network.
set -eu

RUN="python3-venv"
TEST="python3-bpfcc bpftrace libbpf-tools clang gcc libc6-dev systemtap-sdt-dev dash busybox shellcheck"

missing() {
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$package"
    done
}

case "${1:-run}" in
run) wanted=$RUN ;;
test) wanted="$RUN $TEST" ;;
*)
    echo "usage: setup.sh [run|test]" >&2
    exit 2
    ;;
esac

if command -v apt-get >/dev/null; then
    # shellcheck disable=SC2086  # a list of words
    needed=$(missing $wanted)
    if [ -n "$needed" ]; then
        [ "$(id -u)" -eq 0 ] || { echo "setup.sh: run as root to install: $needed" >&2; exit 1; }
        apt-get update -q
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $needed
    fi
fi

if [ "$(id -u)" -eq 0 ] && ! grep -q ' tracefs ' /proc/mounts; then
    mount -t tracefs nodev /sys/kernel/tracing
fi
