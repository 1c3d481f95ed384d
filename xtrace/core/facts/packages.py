"""What to type on which distribution to get what xtrace can use."""

from __future__ import annotations

from collections.abc import Mapping

from xtrace.core.facts.model import HostFacts

_APT, _DNF, _YUM, _ZYPPER = "apt-get install", "dnf install", "yum install", "zypper install"

DEBUGINFO: Mapping[str, str] = {
    "debian": f"{_APT} linux-image-{{release}}-dbg",
    "ubuntu": f"{_APT} linux-image-{{release}}-dbgsym (from ddebs.ubuntu.com)",
    "fedora": "dnf debuginfo-install kernel-{release}",
    "rhel": "dnf debuginfo-install kernel-{release} (RHEL 7: debuginfo-install kernel-{release})",
    "centos": "dnf debuginfo-install kernel-{release} (CentOS 7: debuginfo-install kernel-{release})",
    "amzn": "dnf debuginfo-install kernel-{release} (Amazon Linux 2: debuginfo-install kernel-{release})",
    "suse": f"{_ZYPPER} kernel-default-debuginfo",
    "sles": f"{_ZYPPER} kernel-default-debuginfo",
    "opensuse": f"{_ZYPPER} kernel-default-debuginfo",
    "arch": "set DEBUGINFOD_URLS=https://debuginfod.archlinux.org",
    "": "install the debugging information of kernel {release} as your distribution provides it",
}
BCC: Mapping[str, str] = {
    "debian": f"{_APT} python3-bpfcc",
    "ubuntu": f"{_APT} python3-bpfcc",
    "fedora": f"{_DNF} python3-bcc",
    "rhel": f"{_YUM} python3-bcc (RHEL 7: python-bcc)",
    "centos": f"{_YUM} python3-bcc (CentOS 7: python-bcc)",
    "opensuse": f"{_ZYPPER} python3-bcc",
    "sles": f"{_ZYPPER} python3-bcc",
    "arch": "pacman -S python-bcc",
    "alpine": "apk add bcc-tools py3-bcc",
    "": "install your distribution's Python module for BCC (PyPI's bcc is another project)",
}
KERNEL_HEADERS: Mapping[str, str] = {
    "debian": f"{_APT} linux-headers-{{release}}",
    "ubuntu": f"{_APT} linux-headers-{{release}}",
    "fedora": f"{_DNF} kernel-devel-{{release}}",
    "rhel": f"{_YUM} kernel-devel-{{release}}",
    "centos": f"{_YUM} kernel-devel-{{release}}",
    "amzn": f"{_YUM} kernel-devel-{{release}}",
    "suse": f"{_ZYPPER} kernel-default-devel",
    "sles": f"{_ZYPPER} kernel-default-devel",
    "opensuse": f"{_ZYPPER} kernel-default-devel",
    "arch": "pacman -S linux-headers",
    "": "install kernel-devel-{release} or linux-headers-{release}, as your distribution calls it",
}
_INSTALLERS: Mapping[str, str] = {
    "debian": _APT,
    "ubuntu": _APT,
    "fedora": _DNF,
    "rhel": _YUM,
    "centos": _YUM,
    "amzn": _YUM,
    "suse": _ZYPPER,
    "sles": _ZYPPER,
    "opensuse": _ZYPPER,
    "": "install the package",
}


def command(facts: HostFacts, commands: Mapping[str, str]) -> str:
    """The entry of one of these tables for this host: its distribution's, else the nearest it derives from (ID and
    ID_LIKE of os-release(5)), else that of ""."""
    own, like = facts.fact("os.id").value, facts.fact("os.like").value
    names = [own, *(like if isinstance(like, list) else []), ""]
    return next(commands[name] for name in names if name in commands).format(release=facts.release)


def install(facts: HostFacts, package: str) -> str:
    """How to install a package that every distribution calls the same."""
    return f"{command(facts, _INSTALLERS)} {package}"
