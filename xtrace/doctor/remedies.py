"""What to type on which distribution."""

from __future__ import annotations

from collections.abc import Mapping

from xtrace.core.facts.model import HostFacts

_DEBUGINFO: Mapping[str, str] = {
    "debian": "apt-get install linux-image-{release}-dbg",
    "ubuntu": "apt-get install linux-image-{release}-dbgsym (from ddebs.ubuntu.com)",
    "fedora": "dnf debuginfo-install kernel-{release}",
    "rhel": "dnf debuginfo-install kernel-{release} (RHEL 7: debuginfo-install kernel-{release})",
    "centos": "dnf debuginfo-install kernel-{release} (CentOS 7: debuginfo-install kernel-{release})",
    "amzn": "dnf debuginfo-install kernel-{release} (Amazon Linux 2: debuginfo-install kernel-{release})",
    "suse": "zypper install kernel-default-debuginfo",
    "sles": "zypper install kernel-default-debuginfo",
    "opensuse": "zypper install kernel-default-debuginfo",
    "arch": "set DEBUGINFOD_URLS=https://debuginfod.archlinux.org",
}


def families(facts: HostFacts) -> list[str]:
    """The distribution and those that it derives from, nearest first."""
    own, like = facts.fact("os.id").value, facts.fact("os.like").value
    names = [own, *(like if isinstance(like, list) else [])]
    return [name for name in names if isinstance(name, str)]


def debuginfo(facts: HostFacts) -> str:
    """How to get the kernel's debugging information."""
    for family in families(facts):
        if family in _DEBUGINFO:
            return _DEBUGINFO[family].format(release=facts.release)
    return f"install the debugging information of kernel {facts.release} as your distribution provides it"
