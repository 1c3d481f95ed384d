"""Whose call the current task is in, as the body of the script's function `xt_syscall_abi`."""

from __future__ import annotations

from xtrace.backends.systemtap.expressions import Context, expression
from xtrace.core.facts.model import HostFacts
from xtrace.core.resolve import compat_calls
from xtrace.core.syscall_abi import NATIVE, UNKNOWN


def syscall_abi(facts: HostFacts) -> str:
    """An expression of the script. Offsets that the host does not tell are compiled against its headers."""
    if not compat_calls.possible(facts):
        return str(NATIVE)
    known = compat_calls.current_abi(facts.arch, facts.types)
    if known is not None:
        return expression(known, Context(maps={}, probe=""))
    return _BY_HEADERS.get(facts.arch, str(UNKNOWN))


_TASK = '@cast(task_current(), "task_struct", "kernel<linux/sched.h>")'
_ON_STACK = f'@cast({_TASK}->stack, "thread_info", "kernel<asm/thread_info.h>")'


def _first(*alternatives: str) -> str:
    """The first member that the headers have; stap leaves the others out when it compiles."""
    *rest, last = alternatives
    return "".join(f"@defined({one}) ? {one} : " for one in rest) + last


_STATUS = _first(f"{_TASK}->thread_info->status", f"{_TASK}->thread->status", f"{_ON_STACK}->status")
_FLAGS = _first(f"{_TASK}->thread_info->flags", f"{_ON_STACK}->flags")
_BY_HEADERS = {
    "x86_64": f"((({_STATUS}) & {compat_calls.TS_COMPAT}) != 0 ? 1 : 0)",
    "aarch64": f"((({_FLAGS}) & {compat_calls.TIF_32BIT}) != 0 ? 1 : 0)",
}
