"""Facts of whoever runs xtrace: user, capabilities, limits, namespaces."""

from __future__ import annotations

import os
import re
import resource
from typing import TYPE_CHECKING, Callable

from xtrace.core.facts.model import Fact, State

if TYPE_CHECKING:
    from xtrace.core.facts.live import LiveHost

CAPABILITIES = (
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
    "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
    "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
    "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
    "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
    "checkpoint_restore",
)  # fmt: skip
"""Names by number (linux/capability.h), without CAP_ and in small letters."""

_INITIAL = {"pid": 4026531836, "user": 4026531837, "cgroup": 4026531835}
"""Inode numbers of the first namespaces (include/linux/proc_ns.h)."""
_CONTAINER_VARIABLE = "container"
"""Set by systemd-nspawn, podman and lxc (https://systemd.io/CONTAINER_INTERFACE)."""
_CONTAINER_FILES = ("/.dockerenv", "/run/.containerenv", "/run/systemd/container")


def _elsewhere(host: LiveHost) -> bool:
    return not host.files.own


_NOT_HERE = Fact(State.UNPROBED, None, "only known of the machine that xtrace runs on")


def _uid(host: LiveHost) -> Fact:
    return _NOT_HERE if _elsewhere(host) else Fact(State.PRESENT, os.geteuid(), "geteuid(2)")


def _status(host: LiveHost, field: str) -> str:
    match = re.search(rf"^{field}:\s*(\S+)", host.files.text("/proc/self/status"), re.M)
    if not match:
        raise ValueError(f"/proc/self/status has no {field}")
    return match[1]


def _capabilities(host: LiveHost) -> Fact:
    bits = int(_status(host, "CapEff"), 16)
    names = [name for number, name in enumerate(CAPABILITIES) if bits >> number & 1]
    return Fact(State.PRESENT, names, f"CapEff {bits:x} in /proc/self/status")


def _seccomp(host: LiveHost) -> Fact:
    mode = _status(host, "Seccomp")
    state = State.ABSENT if mode == "0" else State.PRESENT
    return Fact(state, None, f"Seccomp {mode} in /proc/self/status")


def _memlock(host: LiveHost) -> Fact:
    if _elsewhere(host):
        return _NOT_HERE
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return Fact(State.PRESENT, -1 if soft == resource.RLIM_INFINITY else soft, "getrlimit(RLIMIT_MEMLOCK)")


def _container(host: LiveHost) -> Fact:
    for path in _CONTAINER_FILES:
        if host.files.exists(path).yes:
            return Fact(State.PRESENT, path, f"{path} is there")
    if host.files.own and os.environ.get(_CONTAINER_VARIABLE):
        value = os.environ[_CONTAINER_VARIABLE]
        return Fact(State.PRESENT, value, f"{_CONTAINER_VARIABLE}={value} in the environment")
    return Fact(State.ABSENT, None, "none of " + ", ".join(_CONTAINER_FILES))


def _namespaces(host: LiveHost) -> Fact:
    foreign = []
    for name, number in _INITIAL.items():
        try:
            link = str(host.files.path(f"/proc/self/ns/{name}").readlink())
        except FileNotFoundError:
            continue
        if link != f"{name}:[{number}]":
            foreign.append(name)
    state = State.ABSENT if foreign else State.PRESENT
    return Fact(state, foreign, "/proc/self/ns: " + (f"own {', '.join(foreign)}" if foreign else "all are the first"))


PROBES: dict[str, Callable[[LiveHost], Fact]] = {
    "caller.uid": _uid,
    "caller.capabilities": _capabilities,
    "caller.cap_last_cap": lambda host: host.files.content("/proc/sys/kernel/cap_last_cap", lambda text: int(text)),
    "caller.memlock": _memlock,
    "caller.container": _container,
    "caller.initial_namespaces": _namespaces,
    "caller.seccomp": _seccomp,
}
