"""Concrete attach points as SystemTap probe points, and what expressions mean there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from xtrace.backends.systemtap.expressions import SYSCALL_ABI
from xtrace.core import attach as at
from xtrace.core.quoting import stp_str

ABSENT_FROM_HEADERS = ("ext4", "xfs", "nfs", "nvme", "iomap", "mac80211", "drm")
"""Subsystems whose tracepoint headers do not compile outside their directory: kernel.trace lists none of them."""


@dataclass(frozen=True)
class Point:
    """One probe point. `arguments` is None where `ulong_arg` serves; `guard` must hold for the event to be ours."""

    text: str
    fields: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[int, str] | None = None
    user: bool = False
    guard: str = ""
    in_kernel: bool = True


class NoPointError(Exception):
    """SystemTap cannot attach there; the message is a reason, `remedy` what would help."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


@lru_cache(maxsize=1)
def translations() -> Mapping[str, Mapping[str, str]]:
    """Field translations by `system:event`."""
    import yaml

    with (Path(__file__).parent / "tracepoints.yaml").open() as stream:
        table: Mapping[str, Mapping[str, str]] = yaml.safe_load(stream)
    return table


_FIRST, _LAST = 10, 999
"""Numbers of a program's own begin and end probes, between those of the script's frame (-1000 and 1000)."""


def point(where: at.Attach, arch: str, order: int = 0) -> Point:
    """The probe point of an attach point. `order` is the place of its clause in the program, which decides among those
    that run at the begin or at the end: equal numbers would run in any order. Raises NoPointError."""
    if isinstance(where, at.Begin):
        return Point(f"begin({min(_FIRST + order, _LAST)})", in_kernel=False)
    if isinstance(where, at.End):
        return Point(f"end({min(_FIRST + order, _LAST)})", in_kernel=False)
    if isinstance(where, at.Interval):
        return Point(f"timer.{_period(where.nsecs)}", in_kernel=False)
    if isinstance(where, at.Profile):
        return Point(f"timer.profile.freq.hz({where.hz})" if where.hz else f"timer.{_period(where.nsecs)}")
    if isinstance(where, at.Tracepoint):
        return _tracepoint(where, arch)
    if isinstance(where, at.Kprobe):
        return _kprobe(where)
    if isinstance(where, at.Uprobe):
        return _uprobe(where)
    if isinstance(where, at.Usdt):
        return _usdt(where)
    raise NoPointError(f"SystemTap has no probe point for {where.name}")


def _period(nsecs: int) -> str:
    if nsecs % 1_000_000_000 == 0:
        return f"s({nsecs // 1_000_000_000})"
    if nsecs % 1_000_000 == 0:
        return f"ms({nsecs // 1_000_000})"
    if nsecs < 100_000:
        raise NoPointError("SystemTap's timers do not go below 100 microseconds")
    return f"us({nsecs // 1000})"


def _tracepoint(where: at.Tracepoint, arch: str) -> Point:
    if where.system == "syscalls":
        return _syscall(where, arch)
    if where.system in ABSENT_FROM_HEADERS:
        raise NoPointError(
            f"kernel.trace shows no tracepoint of {where.system}: its header does not compile outside its subsystem",
            "the ftrace and BCC backends can attach to it",
        )
    key = f"{where.system}:{where.event}"
    fields = dict(translations().get(key, {}))
    if key == "raw_syscalls:sys_enter":
        fields |= {f"args[{n}]": text for n, text in enumerate(_any_arguments(arch))}
    return Point(f"kernel.trace({stp_str(key)})", fields)


_SYSCALL_ARGUMENTS = {
    "x86_64": ("$regs->di", "$regs->si", "$regs->dx", "$regs->r10", "$regs->r8", "$regs->r9"),
    "aarch64": ("$regs->orig_x0", *(f"$regs->regs[{n}]" for n in range(1, 6))),
}
"""Where each architecture's system call arguments lie in pt_regs (arch/*/include/asm/syscall.h)."""
_I386_ARGUMENTS = ("bx", "cx", "dx", "si", "di", "bp")
"""Where those of i386 calls lie in x86_64's (`syscall_get_arguments`, the same file)."""


def _any_arguments(arch: str) -> tuple[str, ...]:
    """Arguments of a call of whichever ABI. arm's lie where aarch64's do."""
    own = _SYSCALL_ARGUMENTS.get(arch, ())
    if arch != "x86_64":
        return own
    return tuple(
        f"({SYSCALL_ABI}() ? $regs->{other} & 0xffffffff : {register})" for register, other in zip(own, _I386_ARGUMENTS)
    )


def _syscall(where: at.Tracepoint, arch: str) -> Point:
    """The `syscalls:` events exist only in tracefs; the raw event and the call's number give the same."""
    from xtrace.core.facts.syscalls import syscall_number

    entering = where.event.startswith("sys_enter_")
    name = where.event.split("_", 2)[-1]
    number = syscall_number(arch, name)
    registers = _SYSCALL_ARGUMENTS.get(arch)
    if number is None or registers is None:
        reason = f"the number of system call {name} on {arch} is not known"
        raise NoPointError(reason, "the ftrace backend can attach to it")
    if not entering:
        return Point('kernel.trace("raw_syscalls:sys_exit")', {"ret": "$ret", "__syscall_nr": str(number)},
                     guard=f"xt_syscall_of($regs) == {number} && !{SYSCALL_ABI}()")  # fmt: skip
    names = [f.name for f in where.fields if not f.name.startswith("__")]
    fields = {"__syscall_nr": str(number), **dict(zip(names, registers))}
    return Point('kernel.trace("raw_syscalls:sys_enter")', fields, guard=f"$id == {number} && !{SYSCALL_ABI}()")


def _kprobe(where: at.Kprobe) -> Point:
    named = {position: f"${p.name}" for position, p in enumerate(where.parameters) if p.name}
    if where.sites:
        return Point(f"kernel.function({stp_str(where.function)}).inline", arguments=named)
    if where.offset:
        raise NoPointError("SystemTap attaches to functions, not to offsets in them", "use the ftrace backend")
    home = f"kprobe.module({stp_str(where.module)})" if where.module else "kprobe"
    suffix = ".return" if where.returns else ""
    arguments: dict[int, str] | None = {} if where.returns else None
    return Point(f"{home}.function({stp_str(where.symbol or where.function)}){suffix}", arguments=arguments)


def _uprobe(where: at.Uprobe) -> Point:
    if not where.function or where.function.startswith("0x") or "+" in where.function:
        raise NoPointError("SystemTap attaches to functions of a program, not to plain offsets")
    suffix = ".return" if where.returns else ""
    return Point(f"process({stp_str(where.path)}).function({stp_str(where.function)}){suffix}", user=True)


def _usdt(where: at.Usdt) -> Point:
    count = max((len(site.arguments) for site in where.sites), default=0)
    provider = f".provider({stp_str(where.provider)})" if where.provider else ""
    return Point(
        f"process({stp_str(where.path)}){provider}.mark({stp_str(where.probe)})",
        arguments={n: f"$arg{n + 1}" for n in range(count)},
        user=True,
    )
