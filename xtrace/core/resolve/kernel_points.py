"""Kernel functions as attach points: one by name, many by pattern, and the places where one was inlined."""

from __future__ import annotations

import re
from collections import Counter

from xtrace.core import attach as at
from xtrace.core.facts.ctypes_text import parse_parameters
from xtrace.core.facts.model import HostFacts
from xtrace.core.lang import ast
from xtrace.core.resolve.functions import FunctionState, FunctionVerdict, checks_notrace, in_module, judge, no_function
from xtrace.core.resolve.located import Located, nothing
from xtrace.core.types import CType

GLOB = re.compile(r"[*?\[]")
_OFFSET = re.compile(r"0x[0-9a-fA-F]+|[1-9][0-9]*|0")
_REFUSALS = {
    FunctionState.INLINED: "is inlined here",
    FunctionState.RENAMED: "has another name here",
    FunctionState.AMBIGUOUS: "is ambiguous here",
    FunctionState.BLACKLISTED: "cannot be probed",
    FunctionState.NOTRACE: "cannot be probed",
}


def kernel_function(point: ast.AttachPoint, facts: HostFacts) -> Located:
    """A function's entry or return; several points where the compiler made several variants of it."""
    module, written = ("", point.parts[0]) if len(point.parts) == 1 else (point.parts[0], point.parts[1])
    function, _, added = written.partition("+")
    offset = offset_of(added)
    if offset is None:
        return nothing("XT0513", f"+{added} is not an offset in bytes", point, "unsupported", f"{function}+0x10, say")
    if GLOB.search(function) or GLOB.search(module):
        return _glob(point, module, function, facts)
    verdict = judge(function, facts, module)
    if not verdict.attachable and verdict.state is not FunctionState.UNPROBED:
        message = f"{function} {_REFUSALS.get(verdict.state, 'is not visible here')}: {verdict.evidence}"
        hints = (verdict.remedy,) if verdict.remedy else ()
        return nothing("XT0502", message, point, verdict.state.value, *hints)
    found = _points(point, verdict, module, facts, offset)
    if verdict.state is FunctionState.EXACT:
        return Located(found)
    words = (verdict.evidence, verdict.remedy) if verdict.attachable else (verdict.evidence,)
    return Located(found, notes=(f"{function}: {'; '.join(words)}",), state=verdict.state.value)


def offset_of(text: str) -> int | None:
    """What stands behind a function's `+`, decimal or hexadecimal; 0 for nothing, None for what is no number."""
    return (int(text, 0) if _OFFSET.fullmatch(text) else None) if text else 0


def _points(
    point: ast.AttachPoint, verdict: FunctionVerdict, module: str, facts: HostFacts, offset: int
) -> tuple[at.Kprobe, ...]:
    parameters, result = _prototype(point, verdict.function, facts)
    if verdict.state is FunctionState.TRANSFORMED:
        # Without DWARF nobody knows which parameters are left, and where.
        parameters, result = (), None
    home = "" if module == "vmlinux" else module
    name = ":".join((point.kind, *point.parts[:-1], verdict.function)) + (f"+{offset}" if offset else "")
    return tuple(
        at.Kprobe(name, verdict.function, symbol, _returns(point), offset, home, (), parameters, result)
        for symbol in verdict.symbols
    )


def _returns(point: ast.AttachPoint) -> bool:
    return point.kind in ("kretprobe", "fexit")


def _prototype(
    point: ast.AttachPoint, function: str, facts: HostFacts
) -> tuple[tuple[at.Parameter, ...], CType | None]:
    """Names and types of the parameters: as the attach point writes them, else as BTF has them."""
    known = facts.types.prototype(function)
    result = known.result if known else None
    if point.prototype:
        return tuple(at.Parameter(name, kind) for name, kind in parse_parameters(point.prototype)), result
    return tuple(at.Parameter(name, kind) for name, kind in known.parameters) if known else (), result


# --- many by pattern -------------------------------------------------------------------------------------------------


def _glob(point: ast.AttachPoint, module: str, pattern: str, facts: HostFacts) -> Located:
    symbols = [one for one in facts.symbols.glob(pattern) if "." not in one.name and in_module(one, module)]
    symbols = [one for one in symbols if no_function(one.name) is None]
    counted = Counter(symbol.name for symbol in symbols)
    listed = checks_notrace(facts)
    usable = [
        symbol
        for symbol in symbols
        if counted[symbol.name] == 1
        and not facts.blacklisted(symbol.name).yes
        and not (listed and facts.filterable(symbol.name).no)
    ]
    if not usable:
        message = f"no kernel function {'that can be probed ' if symbols else ''}matches {':'.join(point.parts)}"
        return nothing("XT0502", message, point, "absent")
    found = tuple(
        at.Kprobe(
            ":".join((point.kind, *((symbol.module or "vmlinux",) if module else ()), symbol.name)),
            symbol.name,
            symbol.name,
            _returns(point),
            module=symbol.module if module else "",
        )
        for symbol in usable
    )
    left = len(counted) - len(usable)
    notes = f"{point.span.text}: {left} of {len(counted)} functions cannot be probed (ambiguous, blacklisted, notrace)"
    return Located(found, notes=(notes,) if left else ())


# --- where it was inlined --------------------------------------------------------------------------------------------


def inlined(point: ast.AttachPoint, facts: HostFacts) -> Located:
    """The places where a function was inlined, from debuginfo."""
    function = point.parts[-1]
    debuginfo = facts.fact("kernel.debuginfo")
    if facts.recorded or not debuginfo.yes:
        message = f"the places where {function} is inlined are known only from debuginfo: {debuginfo.evidence}"
        return nothing("XT0505", message, point, "inlined", "install the kernel's debuginfo package")
    from xtrace.core.resolve.inlines import UNKNOWN, inlined_sites

    sites = inlined_sites(str(debuginfo.value), function, facts.arch)
    if not sites:
        return nothing("XT0505", f"debuginfo has no inlined {function}", point, "absent")
    parameters, _ = _prototype(point, function, facts)
    found = at.Kprobe(
        f"inline:{function}",
        function,
        "",
        sites=tuple(site.offset for site in sites),
        parameters=parameters,
        site_arguments=tuple(tuple(site.arguments.get(one.name, UNKNOWN) for one in parameters) for site in sites),
    )
    return Located((found,))
