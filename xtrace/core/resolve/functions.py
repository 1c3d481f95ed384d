"""What a kernel function's name means on one host: attachable, renamed, inlined, or not visible, and how that is known.

The order of the rules is that of the states; docs/reference/functions.md tells how often they are right.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import Enum
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from xtrace.core.facts.model import HostFacts, KernelSymbol
from xtrace.core.records import dataclass
from xtrace.core.resolve.inlining import Inlining, kin, partly_inlined, wholly_inlined

_KNOWLEDGE = Path(__file__).parent / "knowledge"
_WHOLE = ".llvm."
"""Clang's link-time optimisation gives a static function this suffix and changes nothing else."""
_CLONES = (".isra.", ".constprop.")
_REST = ".part."


class FunctionState(Enum):
    EXACT = "exact"
    AMBIGUOUS = "ambiguous"
    """Several symbols have the name."""
    INCOMPLETE = "incomplete"
    """Attachable, and some calls may have been inlined, which are missed."""
    TRANSFORMED = "transformed"
    """Only the compiler's variants are left; their arguments may lie elsewhere."""
    RENAMED = "renamed"
    INLINED = "inlined"
    BLACKLISTED = "blacklisted"
    NOTRACE = "notrace"
    ABSENT = "absent"
    """Not visible. Without DWARF nobody can tell removed from inlined."""
    UNPROBED = "unprobed"


_NO_FUNCTIONS = {
    "__pfx_": "it is the padding before a function, which never runs",
    "__cfi_": "it is the hash before a function that indirect calls are checked with (CONFIG_CFI), which never runs",
    "__SCT__": "it is the trampoline of a static call, whose code the kernel replaces while it runs",
}
"""Beginnings of text symbols that are no functions."""
_ATTACHABLE = (FunctionState.EXACT, FunctionState.INCOMPLETE, FunctionState.TRANSFORMED)


@dataclass(frozen=True)
class FunctionVerdict:
    """`symbols` are what to give the kernel, several where the compiler made several variants; empty where nothing can
    be attached. `remedy` is the way out."""

    function: str
    state: FunctionState
    symbols: tuple[str, ...]
    evidence: str
    remedy: str = ""
    module: str = ""

    @property
    def symbol(self) -> str:
        """The first symbol, or ""."""
        return self.symbols[0] if self.symbols else ""

    @property
    def attachable(self) -> bool:
        return self.state in _ATTACHABLE


def judge(function: str, facts: HostFacts, module: str = "") -> FunctionVerdict:
    """The state of one function on a host, from its symbols, its lists, and what is known of other kernels.

    `module` narrows the search to one module.
    """
    symbols = facts.fact("kernel.kallsyms")
    if not symbols.yes:
        evidence = symbols.evidence or "kallsyms was not recorded"
        remedy = "check it on the host itself"
        return FunctionVerdict(function, FunctionState.UNPROBED, (function,), evidence, remedy)
    padding = no_function(function)
    if padding:
        remedy = f"probe {function[len(padding[0]) :]}"
        return FunctionVerdict(function, FunctionState.NOTRACE, (), padding[1], remedy)
    found = _distinct(facts.symbols.lookup(function), module)
    if found:
        return _present(function, found, facts)
    return _varied(function, facts, module) or _missing(function, facts)


def no_function(symbol: str) -> tuple[str, str] | None:
    """The beginning that tells that a text symbol is no function, and what it is; None for functions."""
    return next((one for one in _NO_FUNCTIONS.items() if symbol.startswith(one[0])), None)


def _distinct(found: Sequence[KernelSymbol], module: str) -> list[KernelSymbol]:
    """Symbols of different functions: one address has one function, however often it is listed."""
    wanted = [symbol for symbol in found if in_module(symbol, module)]
    return list({symbol.address or -index: symbol for index, symbol in enumerate(wanted, 1)}.values())


def in_module(symbol: KernelSymbol, pattern: str) -> bool:
    """Does a symbol belong to a module of this name or pattern? `vmlinux` is the kernel itself, "" is anywhere."""
    return not pattern or fnmatchcase(symbol.module or "vmlinux", pattern)


# --- the symbol is there ---------------------------------------------------------------------------------------------


def _present(function: str, found: Sequence[KernelSymbol], facts: HostFacts) -> FunctionVerdict:
    refused = facts.blacklisted(function)
    if refused.yes:
        evidence = refused.evidence or "it is on the kprobe blacklist"
        return FunctionVerdict(function, FunctionState.BLACKLISTED, (), evidence, _way_out(function, facts))
    if len(found) > 1:
        return _ambiguous(function, found, facts)
    if checks_notrace(facts) and facts.filterable(function).no:
        evidence = f"{facts.filterable(function).evidence}, and this kernel refuses kprobes on such functions"
        return FunctionVerdict(function, FunctionState.NOTRACE, (), evidence, _way_out(function, facts))
    module = found[0].module
    doubt = _incompleteness(function, facts)
    if doubt:
        remedy = "calls that were inlined are missed"
        return FunctionVerdict(function, FunctionState.INCOMPLETE, (function,), doubt, remedy, module)
    return FunctionVerdict(function, FunctionState.EXACT, (function,), "in kallsyms", module=module)


def _ambiguous(function: str, found: Sequence[KernelSymbol], facts: HostFacts) -> FunctionVerdict:
    modules = [symbol.module for symbol in found]
    evidence = f"{len(found)} functions in kallsyms have this name"
    if len(set(modules)) == len(modules):
        remedy = " or ".join(f"kprobe:{module}:{function}" for module in modules if module)
        return FunctionVerdict(function, FunctionState.AMBIGUOUS, (), evidence, f"name the module: {remedy}")
    # Since Linux b022f0c7e404 (v6.6) the kernel refuses such names too; before, it took whichever came first.
    return FunctionVerdict(function, FunctionState.AMBIGUOUS, (), evidence, _way_out(function, facts))


def checks_notrace(facts: HostFacts) -> bool:
    """Linux 45408c4f9250 (v4.20) refuses kprobe events on notrace functions, unless configured not to."""
    checks = bool(facts.symbols.lookup("__within_notrace_func"))
    return checks and not facts.config("CONFIG_KPROBE_EVENTS_ON_NOTRACE").yes


def _incompleteness(function: str, facts: HostFacts) -> str:
    """Why some calls may be missed, in words; "" where nothing speaks for it."""
    rest = [symbol.name for symbol in facts.symbols.variants(function) if _REST in symbol.name]
    if rest:
        return f"the compiler split it: some calls go to {rest[0]} directly"
    known = partly_inlined(function)
    if known is None or not _seen(known, "S", facts):
        return ""
    return f"compilers inlined some of its calls on Ubuntu's {known.kernels_with('S')}"


def _seen(known: Inlining, letter: str, facts: HostFacts) -> bool:
    """Was a function inlined in this way on the kernels that are most like the host's, or on any where none is known
    to be?"""
    events = facts.events()
    return letter in (known.on(kin(events)) if events else known.pattern)


# --- only variants of it are there -----------------------------------------------------------------------------------


def _varied(function: str, facts: HostFacts, module: str) -> FunctionVerdict | None:
    variants = [symbol for symbol in facts.symbols.variants(function) if in_module(symbol, module)]
    names = [symbol.name for symbol in variants if ".cold" not in symbol.name]
    whole = tuple(name for name in names if _WHOLE in name and not any(clone in name for clone in _CLONES))
    if len(whole) == 1:
        return FunctionVerdict(function, FunctionState.EXACT, whole, f"in kallsyms as {whole[0]}")
    clones = tuple(name for name in names if any(clone in name for clone in _CLONES) and _REST not in name)
    if clones and len(set(names)) == len(names):
        evidence = f"the compiler made {' and '.join(clones)} of it"
        remedy = "its arguments may lie elsewhere: count it, do not read them"
        return FunctionVerdict(function, FunctionState.TRANSFORMED, clones, evidence, remedy)
    rest = tuple(name for name in names if _REST in name)
    if len(rest) == 1:
        evidence = f"only a part of it is a function, {rest[0]}; the rest was inlined"
        remedy = "calls that end before that part are missed, and its arguments may lie elsewhere"
        return FunctionVerdict(function, FunctionState.TRANSFORMED, rest, evidence, remedy)
    if names:
        evidence = f"several functions are left of it: {', '.join(names)}"
        return FunctionVerdict(function, FunctionState.AMBIGUOUS, (), evidence, _way_out(function, facts))
    return None


# --- nothing of it is there ------------------------------------------------------------------------------------------


def _missing(function: str, facts: HostFacts) -> FunctionVerdict:
    known = wholly_inlined(function)
    where = f"inlined on Ubuntu's {known.kernels_with('F')}" if known else ""
    if known and _seen(known, "F", facts):
        return FunctionVerdict(
            function, FunctionState.INLINED, (), f"not in kallsyms; {where}", _way_out(function, facts)
        )
    alias = _alias_here(function, facts)
    if alias:
        evidence = f"{alias['name']} is in kallsyms ({_since(alias)})"
        return FunctionVerdict(function, FunctionState.RENAMED, (), evidence, f"probe {alias['name']}")
    if facts.types.prototype(function) is not None:
        evidence = "not in kallsyms, though BTF has it"
        return FunctionVerdict(function, FunctionState.INLINED, (), evidence, _way_out(function, facts))
    near = () if function in _table("tracepoints") else facts.symbols.near(function)
    remedy = f"did you mean {' or '.join(near)}?" if near else _way_out(function, facts)
    seen = f"; {where}" if where else ""
    evidence = f"inlined, removed, not configured or in a module that is not loaded{seen}"
    return FunctionVerdict(function, FunctionState.ABSENT, (), evidence, remedy)


# --- ways out --------------------------------------------------------------------------------------------------------


def _way_out(function: str, facts: HostFacts) -> str:
    """What shows the same on this host: the function under another name, a tracepoint, or else a caller."""
    alias = _alias_here(function, facts)
    if alias:
        return f"probe {alias['name']}"
    events = facts.events() or ()
    tracepoint = next((event for event in _table("tracepoints").get(function, ()) if event in events), None)
    return f"use tracepoint:{tracepoint}" if tracepoint else f"use a tracepoint, or a function that calls {function}"


def _alias_here(function: str, facts: HostFacts) -> Mapping[str, str] | None:
    return next((alias for alias in aliases(function) if facts.symbols.lookup(alias["name"])), None)


def aliases(function: str) -> Sequence[Mapping[str, str]]:
    """Other names of a function on other kernels, with the change each comes from."""
    found: Sequence[Mapping[str, str]] = _table("aliases").get(function, ())
    return found


@cache
def _table(name: str) -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads((_KNOWLEDGE / f"{name}.json").read_text())
    return table


def _since(alias: Mapping[str, str]) -> str:
    since = alias["since"]
    words = f"its name {since}" if since.startswith("before") else f"renamed in {since}"
    return f"{words}: {alias['why']}" if alias.get("why") else words
