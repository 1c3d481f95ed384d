"""Facts of the kernel and the distribution that lie in files."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Callable

from xtrace.core.elf.notes import build_id, notes
from xtrace.core.facts import compat_calls
from xtrace.core.facts.files import shortened
from xtrace.core.facts.model import Fact, State

if TYPE_CHECKING:
    from xtrace.core.facts.live import LiveHost

_BUILD_ID = "/sys/kernel/notes"
SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
LOCKDOWN = "/sys/kernel/security/lockdown"
_STUB_BYTES = 4096
HEADER_FILES = ("include/generated/utsrelease.h", "include/linux/utsrelease.h", "include/linux/version.h")
"""Where a build tree tells its release, newest kernels first."""


# --- distribution -----------------------------------------------------------------------------------------------------


def os_release(host: LiveHost) -> dict[str, str]:
    """The fields of os-release(5), or what the release file of a distribution before it says."""
    for place in ("/etc/os-release", "/usr/lib/os-release"):
        try:
            lines = host.files.text(place).splitlines()
        except OSError:
            continue
        pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        return {name.strip(): value.strip().strip("\"'") for name, value in pairs}
    return _older_release(host)


def _older_release(host: LiveHost) -> dict[str, str]:
    """RHEL 6 and older: one line such as `CentOS release 6.8 (Final)`."""
    for place in ("/etc/redhat-release", "/etc/system-release", "/etc/SuSE-release"):
        try:
            line = host.files.text(place).splitlines()[0].strip()
        except (OSError, IndexError):
            continue
        word = line.split()[0].lower()
        version = re.search(r"\d+(\.\d+)?", line)
        return {
            "PRETTY_NAME": line,
            "ID": "rhel" if word == "red" else word,
            "VERSION_ID": version[0] if version else "",
        }
    return {}


def _os(field: str, split: bool = False) -> Callable[[LiveHost], Fact]:
    def probe(host: LiveHost) -> Fact:
        value = os_release(host).get(field)
        if not value:
            return Fact(State.ABSENT, None, f"os-release has no {field}")
        return Fact(State.PRESENT, value.split() if split else value, f"{field} of os-release")

    return probe


# --- identity ---------------------------------------------------------------------------------------------------------


def _release(host: LiveHost) -> Fact:
    return Fact(State.PRESENT, host.release, "uname -r")


def _arch(host: LiveHost) -> Fact:
    return Fact(State.PRESENT, host.arch, "uname -m")


def _version(host: LiveHost) -> Fact:
    if host.files.own:
        return Fact(State.PRESENT, os.uname().version, "uname -v")
    return host.files.content("/proc/sys/kernel/version")


def _build_id(host: LiveHost) -> Fact:
    data = host.files.read(_BUILD_ID)
    found = build_id(note for order in "<>" for note in notes(data, order))
    if found:
        return Fact(State.PRESENT, found, f"GNU note of {_BUILD_ID}")
    return Fact(State.ABSENT, None, f"{_BUILD_ID} has no build id")


def _config(host: LiveHost) -> Fact:
    options, where = host.options
    if options is None:
        return Fact(State.DENIED if "PermissionError" in where else State.ABSENT, None, where)
    return Fact(State.PRESENT, where, f"{where} sets {len(options)} options")


def _kallsyms(host: LiveHost) -> Fact:
    data = host.symbols.text
    if len(data) < 3:
        return (
            host.files.exists("/proc/kallsyms") if not host.files.own else Fact(State.ABSENT, None, "kallsyms is empty")
        )
    shown = any(symbol.address for symbol in host.symbols.lookup("vfs_read") or host.symbols.glob("vfs_re*"))
    return Fact(State.PRESENT, {"addresses": shown}, f"/proc/kallsyms: addresses {'show' if shown else 'are hidden'}")


# --- what forbids -----------------------------------------------------------------------------------------------------


def _lockdown(host: LiveHost) -> Fact:
    fact = host.files.content(LOCKDOWN, lambda text: re.findall(r"\[(\w+)\]", text)[0])
    if fact.state is not State.ABSENT:
        return fact
    if host.options[0] is None:
        return Fact(State.UNPROBED, None, f"no {LOCKDOWN}, and no kernel configuration")
    for option in ("CONFIG_SECURITY_LOCKDOWN_LSM", "CONFIG_LOCK_DOWN_KERNEL", "CONFIG_EFI_SECURE_BOOT_LOCK_DOWN"):
        if host.config(option).yes:
            return Fact(State.UNPROBED, None, f"{option} is set, but {LOCKDOWN} is not there (securityfs not mounted?)")
    return Fact(State.ABSENT, "none", "the kernel has no lockdown")


def _number(text: str) -> int:
    return int(text.split()[0])


def _sysctl(name: str) -> Callable[[LiveHost], Fact]:
    return lambda host: host.files.content("/proc/sys/" + name.replace(".", "/"), _number)


def _switch(path: str) -> Callable[[LiveHost], Fact]:
    """A file that holds 0/N or 1/Y: absent when off."""

    def probe(host: LiveHost) -> Fact:
        fact = host.files.content(path)
        if fact.yes and str(fact.value) in ("0", "N"):
            return Fact(State.ABSENT, None, fact.evidence)
        return fact

    return probe


def _secure_boot(host: LiveHost) -> Fact:
    if host.files.exists("/sys/firmware/efi").state is State.ABSENT:
        return Fact(State.ABSENT, None, "the machine was not started by UEFI")
    value = host.files.read(SECURE_BOOT)
    return Fact(State.PRESENT if value[-1:] == b"\1" else State.ABSENT, None, f"{SECURE_BOOT} ends in {value[-1:]!r}")


def _wsl(host: LiveHost) -> Fact:
    found = "microsoft" in host.release.lower() or "wsl2" in host.release.lower()
    return Fact(State.PRESENT if found else State.ABSENT, None, f"the release is {host.release}")


# --- what helps -------------------------------------------------------------------------------------------------------


def _headers(host: LiveHost) -> Fact:
    tree = f"/lib/modules/{host.release}/build"
    for place in HEADER_FILES:
        try:
            match = re.search(r'UTS_RELEASE "([^"]+)"', host.files.text(f"{tree}/{place}"))
        except OSError:
            continue
        if match:
            value = {"path": tree, "release": match[1], "matches": match[1] == host.release}
            state = State.PRESENT if value["matches"] else State.ABSENT
            return Fact(state, value, f"{tree}/{place} says {match[1]}, the kernel is {host.release}")
    return Fact(State.ABSENT, None, f"{tree} holds no utsrelease.h")


def _kheaders(host: LiveHost) -> Fact:
    archive = host.files.exists("/sys/kernel/kheaders.tar.xz", "/sys/kernel/kheaders.tar.xz")
    if archive.yes:
        return archive
    folder = f"/lib/modules/{host.release}/kernel/kernel"
    modules = [name for name in host.files.names(folder) if name.startswith("kheaders.ko")]
    if modules:
        return Fact(State.PRESENT, f"{folder}/{modules[0]}", "a module: `modprobe kheaders` shows the archive")
    return archive


def _system_map(host: LiveHost) -> Fact:
    stubs = []
    for place in system_map_places(host.release):
        try:
            size = host.files.size(place)
        except OSError:
            continue
        if size >= _STUB_BYTES:
            return Fact(State.PRESENT, {"path": place, "stub": False}, f"{place} has {size} bytes")
        stubs.append(f"{place} has only {size} bytes")
    if stubs:
        return Fact(State.ABSENT, {"path": stubs[0].split()[0], "stub": True}, "; ".join(stubs))
    return Fact(State.ABSENT, None, "no System.map of this kernel")


def system_map_places(release: str) -> tuple[str, ...]:
    return (
        f"/usr/lib/debug/boot/System.map-{release}",
        f"/lib/modules/{release}/build/System.map",
        f"/boot/System.map-{release}",
        f"/lib/modules/{release}/System.map",
        f"/usr/lib/modules/{release}/System.map",
    )


def _debuginfo(host: LiveHost) -> Fact:
    from xtrace.core.facts.debuginfo import find_vmlinux

    return find_vmlinux(host)


def _debuginfod(host: LiveHost) -> Fact:
    urls = os.environ.get("DEBUGINFOD_URLS", "").split() if host.files.own else []
    for name in host.files.names("/etc/debuginfod"):
        if name.endswith(".urls"):
            urls += host.files.text(f"/etc/debuginfod/{name}").split()
    if not urls:
        return Fact(State.ABSENT, None, "neither DEBUGINFOD_URLS nor /etc/debuginfod/*.urls names a server")
    return Fact(State.PRESENT, list(dict.fromkeys(urls)), shortened(" ".join(urls)))


PROBES: dict[str, Callable[[LiveHost], Fact]] = {
    "os.id": _os("ID"),
    "os.version": _os("VERSION_ID"),
    "os.name": _os("PRETTY_NAME"),
    "os.like": _os("ID_LIKE", split=True),
    "kernel.release": _release,
    "kernel.version": _version,
    "kernel.arch": _arch,
    "kernel.build_id": _build_id,
    "kernel.config": _config,
    "kernel.kallsyms": _kallsyms,
    "kernel.compat": compat_calls.observed,
    "kernel.lockdown": _lockdown,
    "kernel.modules_disabled": _switch("/proc/sys/kernel/modules_disabled"),
    "kernel.sig_enforce": _switch("/sys/module/module/parameters/sig_enforce"),
    "kernel.secure_boot": _secure_boot,
    "kernel.headers": _headers,
    "kernel.kheaders": _kheaders,
    "kernel.system_map": _system_map,
    "kernel.debuginfo": _debuginfo,
    "kernel.ftrace_enabled": _switch("/proc/sys/kernel/ftrace_enabled"),
    "kernel.perf_event_paranoid": _sysctl("kernel.perf_event_paranoid"),
    "kernel.kptr_restrict": _sysctl("kernel.kptr_restrict"),
    "kernel.unprivileged_bpf_disabled": _sysctl("kernel.unprivileged_bpf_disabled"),
    "kernel.wsl": _wsl,
    "debuginfod.urls": _debuginfod,
}
