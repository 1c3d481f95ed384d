"""Facts of bpf(2) and perf_event_open(2): calls without effect, and what the kernel's symbols tell."""

from __future__ import annotations

import errno
import os
import re
from typing import TYPE_CHECKING, Callable

from xtrace.core.facts import bpf_calls
from xtrace.core.facts.files import errno_name
from xtrace.core.facts.model import Fact, State

if TYPE_CHECKING:
    from xtrace.core.facts.live import LiveHost

Probe = Callable[["LiveHost"], Fact]

_NOT_HERE = Fact(State.UNPROBED, None, "only known of the machine that xtrace runs on")


def _called(what: str, number: int, conclusive: tuple[int, ...] = (errno.EINVAL, errno.ENOSYS)) -> Fact:
    """What the error number of a call that should work means; 0 is success."""
    if number == 0:
        return Fact(State.PRESENT, None, f"{what} works")
    if number in (errno.EPERM, errno.EACCES):
        state = State.DENIED
    else:
        state = State.UNSUPPORTED if number in conclusive else State.UNPROBED
    return Fact(state, None, f"{what} gives {errno_name(number)}", number)


def _syscall(host: LiveHost) -> Fact:
    """An empty request: EINVAL says that the kernel has bpf(2), ENOSYS that it does not (gVisor too)."""
    if not host.files.own:
        return _NOT_HERE
    number = bpf_calls.bpf(bpf_calls.MAP_CREATE, b"")
    if number in (errno.EINVAL, errno.E2BIG, 0):
        return Fact(State.PRESENT, None, f"bpf(2) answers an empty request with {errno_name(number)}")
    if number == errno.ENOSYS:
        return Fact(State.ABSENT, None, f"bpf(2) gives {errno_name(number)}", number)
    return _called("bpf(2)", number)


def _needs_bpf(ask: Callable[[LiveHost], Fact]) -> Probe:
    def probe(host: LiveHost) -> Fact:
        syscall = host.fact("bpf.syscall")
        return ask(host) if syscall.yes else syscall

    return probe


def _map(kind: int, what: str, key: int, value: int, entries: int) -> Probe:
    return _needs_bpf(lambda host: _called(f"making {what}", bpf_calls.create_map(kind, key, value, entries)))


def _program(kind: int, what: str, code: bytes = bpf_calls.RETURN_0) -> Probe:
    return _needs_bpf(lambda host: _called(f"loading {what}", bpf_calls.load_program(kind, code, host.release)))


def _symbol(*names: str) -> Probe:
    """Present where kallsyms has one of the names; kallsyms shows names to everybody."""

    def probe(host: LiveHost) -> Fact:
        if len(host.symbols.text) < 3:
            return Fact(State.UNPROBED, None, "kallsyms cannot be read")
        for name in names:
            if host.symbols.lookup(name):
                return Fact(State.PRESENT, None, f"kallsyms has {name}")
        return Fact(State.ABSENT, None, f"kallsyms has no {' or '.join(names)}")

    return probe


def _helpers(host: LiveHost) -> Fact:
    """`bpf_NAME_proto` exists for what a kernel implements; the enum of helpers lists more (RHEL 7.9: 69 and 24)."""
    found = re.findall(rb" bpf_(\w+)_proto\n", host.symbols.text)
    names = sorted({name.decode() for name in found})
    if not names:
        return Fact(State.UNPROBED, None, "kallsyms shows no bpf_*_proto (CONFIG_KALLSYMS_ALL)")
    return Fact(State.PRESENT, names, f"kallsyms has {len(names)} bpf_*_proto symbols")


def _btf(host: LiveHost) -> Fact:
    path = "/sys/kernel/btf/vmlinux"
    return host.files.exists(path, path)


def _module_btf(host: LiveHost) -> Fact:
    found = [name for name in host.files.names("/sys/kernel/btf") if name != "vmlinux"]
    if found:
        return Fact(State.PRESENT, len(found), f"/sys/kernel/btf holds {len(found)} modules")
    option = host.config("CONFIG_DEBUG_INFO_BTF_MODULES")
    return Fact(State.PRESENT, 0, option.evidence) if option.yes else option


def _fentry(host: LiveHost) -> Fact:
    """Trampolines need direct calls of ftrace, which arm64 had only from v6.4 on (Linux 2aa6ac03516d)."""
    option = host.config("CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS")
    btf = host.fact("bpf.btf")
    return option if option.no or not btf.no else btf


def _perf_open(host: LiveHost, pid: int, cpu: int) -> Fact:
    if not host.files.own:
        return _NOT_HERE
    whom = "every process" if pid < 0 else "xtrace itself"
    number = bpf_calls.open_cpu_clock(pid, cpu)
    return _called(f"perf_event_open(2) on {whom}", number, (errno.EINVAL, errno.ENOSYS, errno.ENOENT, errno.ENODEV))


PROBES: dict[str, Probe] = {
    "bpf.syscall": _syscall,
    "bpf.map": _map(bpf_calls.MAP_ARRAY, "an array", 4, 8, 1),
    "bpf.ringbuf": _map(bpf_calls.MAP_RINGBUF, "a ring buffer", 0, 0, max(4096, os.sysconf("SC_PAGESIZE"))),
    "bpf.raw_tracepoint": _program(bpf_calls.PROG_RAW_TRACEPOINT, "a raw tracepoint program"),
    "bpf.prog.kprobe": _program(bpf_calls.PROG_KPROBE, "a kprobe program"),
    "bpf.prog.tracepoint": _program(bpf_calls.PROG_TRACEPOINT, "a tracepoint program"),
    "bpf.prog.perf_event": _program(bpf_calls.PROG_PERF_EVENT, "a perf event program"),
    "bpf.bounded_loops": _program(bpf_calls.PROG_TRACEPOINT, "a bounded loop", bpf_calls.LOOP),
    "bpf.btf": _btf,
    "bpf.module_btf": _module_btf,
    "bpf.jit": lambda host: host.files.content("/proc/sys/net/core/bpf_jit_enable", lambda text: int(text)),
    "bpf.helpers": _helpers,
    # Linux 80ee81e0403c, v5.11, and RHEL 8.5.
    "bpf.memcg_accounting": _symbol("bpf_map_kmalloc_node"),
    "bpf.kprobe_multi": _symbol("register_fprobe"),
    "bpf.fentry": _fentry,
    "perf.open": lambda host: _perf_open(host, -1, 0),
    "perf.self": lambda host: _perf_open(host, 0, -1),
}
