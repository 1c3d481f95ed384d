"""Does a 64-bit kernel also serve programs of a 32-bit ABI, whose system calls have numbers of their own?

It does if it was built with that, and on x86, since Linux a11e097504ac (v6.7), unless it was told otherwise when it
was started (`ia32_emulation`, Documentation/admin-guide/kernel-parameters.txt).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, NamedTuple, Optional

from xtrace.core.facts.model import Fact, State
from xtrace.core.syscall_abi import COMPAT_NAMES

if TYPE_CHECKING:
    from xtrace.core.facts.live import LiveHost

_COMMAND_LINE = "/proc/cmdline"
_X32_OPTIONS = ("CONFIG_X86_X32_ABI", "CONFIG_X86_X32")
"""The name since Linux 83a44a4f47ad (v5.18), and before."""


class _Support(NamedTuple):
    """What shows that a kernel was built with an ABI: its option, and functions that only come with it."""

    option: str
    functions: tuple[str, ...] = ()


_SUPPORT = {
    "x86_64": _Support("CONFIG_IA32_EMULATION", ("do_fast_syscall_32", "entry_INT80_compat", "ia32_sysenter_target")),
    "aarch64": _Support("CONFIG_COMPAT", ("compat_arm_syscall",)),
}
_ANY = _Support("CONFIG_COMPAT")


def built(arch: str, config: Callable[[str], Fact], has_function: Callable[[str], bool]) -> Fact:
    """What a kernel's configuration tells, or where that is not known, its functions."""
    abi = COMPAT_NAMES.get(arch)
    if abi is None:
        return Fact(State.ABSENT, None, f"{arch} has no second ABI that xtrace knows")
    support = _SUPPORT.get(arch, _ANY)
    option = config(support.option)
    if option.yes:
        return Fact(State.PRESENT, [abi, *_x32(arch, config)], option.evidence)
    if option.no:
        return Fact(State.ABSENT, None, option.evidence)
    found = next((name for name in support.functions if has_function(name)), None)
    if found is not None:
        return Fact(State.PRESENT, [abi], f"the kernel has the function {found}")
    return Fact(State.UNPROBED, None, option.evidence)


def _x32(arch: str, config: Callable[[str], Fact]) -> list[str]:
    return ["x32"] if arch == "x86_64" and any(config(option).yes for option in _X32_OPTIONS) else []


def observed(host: LiveHost) -> Fact:
    """The fact of a running kernel."""
    fact = built(host.arch, host.config, lambda name: bool(host.symbols.lookup(name)))
    if not fact.yes or host.arch != "x86_64":
        return fact
    switch = _switch(host)
    if switch is not None:
        return fact if switch else Fact(State.ABSENT, None, f"ia32_emulation is off in {_COMMAND_LINE}")
    default = host.config("CONFIG_IA32_EMULATION_DEFAULT_DISABLED")
    return Fact(State.ABSENT, None, f"{default.evidence}, and {_COMMAND_LINE} does not differ") if default.yes else fact


def _switch(host: LiveHost) -> Optional[bool]:
    """What the command line says; as in the kernel, the last one holds (`kstrtobool` reads the first letters)."""
    words = host.files.text(_COMMAND_LINE).split()
    told = [word.partition("=")[2].lower() for word in words if word.startswith("ia32_emulation=")]
    return not told[-1].startswith(("0", "n", "f", "of")) if told else None
