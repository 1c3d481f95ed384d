"""The words of tracefs commands, each checked by the rule that the kernel has, or should have, for it.

The kernel checks names only since 5.0 (is_good_name, kernel/trace/trace_probe.h) and reads every newline as the start
of another command, so nothing reaches a definition unchecked. All functions raise QuotingError for what cannot be
written.
"""

from __future__ import annotations

import re

from xtrace.core.quoting import Code, QuotingError

MAX_LINE = 4000
"""Bytes of one definition; the kernel takes 4094 (WRITE_BUFSIZE of kernel/trace/trace.c)."""
MAX_FETCH = 63
"""Characters of one fetch argument (MAX_ARGSTR_LEN, kernel/trace/trace_probe.h)."""
MAX_ARGUMENTS = 128
"""Arguments of one definition (MAX_TRACE_ARGS, kernel/trace/trace_probe.h)."""
MAX_FILTER = 4000
"""Characters of an event filter, which must fit a page."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)
_SYMBOL = re.compile(r"[A-Za-z_.$][\w.$]*", re.ASCII)
_MODULE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*", re.ASCII)
_FETCH = re.compile(r"(?:[-+@$%\\()]|[A-Za-z0-9_])+(?::[a-z]\w*(?:@\d+/\d+)?(?:\[\d+\])?)?", re.ASCII)
_SYSTEM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*", re.ASCII)


def name(value: str) -> Code:
    """A group, an event, an argument or an instance: a C identifier of at most 63 characters."""
    return _checked(_NAME, value, "a name in tracefs")


def system(value: str) -> Code:
    """A directory below `events/`; the kernel's own may hold a dash or start with a digit (`xhci-hcd`)."""
    return _checked(_SYSTEM, value, "a directory of tracefs events")


def symbol(value: str) -> Code:
    """A kernel symbol, compiler suffixes included (`tcp_v4_rcv.isra.0`)."""
    return _checked(_SYMBOL, value, "a kernel symbol")


def module(value: str) -> Code:
    """A kernel module's name."""
    return _checked(_MODULE, value, "a module's name")


def fetch(value: str) -> Code:
    """One fetch argument with its type, `+8(%di):u32`."""
    if len(value.partition(":")[0]) > MAX_FETCH:
        raise QuotingError(f"{value!r} is longer than the {MAX_FETCH} characters of a fetch argument")
    return _checked(_FETCH, value, "a fetch argument")


def kernel_place(function: str, offset: int = 0, module_name: str = "") -> Code:
    """Where a kprobe goes: `[MODULE:]SYMBOL[+OFFSET]`."""
    prefix = f"{module(module_name)}:" if module_name else ""
    suffix = f"+{offset}" if offset else ""
    return Code(f"{prefix}{symbol(function)}{suffix}")


def _checked(pattern: re.Pattern[str], value: str, what: str) -> Code:
    if not pattern.fullmatch(value):
        raise QuotingError(f"{value!r} cannot be {what}")
    return Code(value)
