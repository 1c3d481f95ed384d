#!/bin/sh
# Installs what the lab needs on Debian 12 or newer, and only what is missing. Run as root.
set -eu
missing=
for package in debian-archive-keyring e2fsprogs mmdebstrap qemu-system-x86 util-linux; do
    if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
        missing="$missing $package"
    fi
done
if [ -n "$missing" ]; then
    apt-get update -q
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
fi
