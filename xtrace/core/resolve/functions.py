"""What a kernel function's name means on one host: attachable, renamed, inlined, or not visible, and how that is known.

The order of the rules is that of the states; see docs/reference/functions.md for how often they are right.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path

from xtrace.core.facts.model import HostFacts, KernelSymbol

_KNOWLEDGE = Path(__file__).parent / "knowledge"
_PARTIAL = (".part.", ".cold", ".isra.", ".constprop.", ".llvm.")


class FunctionState(Enum):
    EXACT = "exact"
    AMBIGUOUS = "ambiguous"
    INCOMPLETE = "incomplete"
    TRANSFORMED = "transformed"
    RENAMED = "renamed"
    INLINED = "inlined"
    BLACKLISTED = "blacklisted"
    NOTRACE = "notrace"
    ABSENT = "absent"
    UNPROBED = "unprobed"


@dataclass(frozen=True)
class FunctionVerdict:
    """`symbol` is what to give the kernel, "" where nothing can be attached. `remedy` is the way out."""

    function: str
    state: FunctionState
    symbol: str
    evidence: str
    remedy: str = ""
    module: str = ""

    @property
    def attachable(self) -> bool:
        return self.state in (FunctionState.EXACT, FunctionState.INCOMPLETE, FunctionState.TRANSFORMED)


@cache
def _table(name: str) -> Mapping[str, object]:
    path = _KNOWLEDGE / f"{name}.json"
    table: Mapping[str, object] = json.loads(path.read_text()) if path.is_file() else {}
    return table


def judge(function: str, facts: HostFacts) -> FunctionVerdict:
    """The state of one function on a host, from its symbols, its blacklist, and what is known of other kernels."""
    symbols = facts.fact("kernel.kallsyms")
    if not symbols.yes:
        evidence = symbols.evidence or "kallsyms was not recorded"
        return FunctionVerdict(function, FunctionState.UNPROBED, function, evidence, "check it on the host itself")
    found = facts.symbols.lookup(function)
    if found:
        return _present(function, found, facts)
    return _missing(function, facts)


def _present(function: str, found: tuple[KernelSymbol, ...], facts: HostFacts) -> FunctionVerdict:
    refused = facts.blacklisted(function)
    if refused.yes:
        state = FunctionState.BLACKLISTED
        return FunctionVerdict(function, state, "", refused.evidence or "on the kprobe blacklist", _other(function))
    if len(found) > 1:
        evidence = f"{len(found)} symbols of this name in kallsyms"
        remedy = "newer kernels refuse the name; probe a caller, or a tracepoint"
        return FunctionVerdict(function, FunctionState.AMBIGUOUS, function, evidence, remedy, found[0].module)
    parts = [symbol.name for symbol in facts.symbols.variants(function) if ".part." in symbol.name]
    known = _table("inlined").get(function)
    if known == "some" or parts:
        evidence = f"some calls go to {parts[0]}" if parts else "compilers inline some of its calls on other kernels"
        remedy = "calls that were inlined are missed"
        return FunctionVerdict(function, FunctionState.INCOMPLETE, function, evidence, remedy, found[0].module)
    return FunctionVerdict(function, FunctionState.EXACT, function, "in kallsyms", module=found[0].module)


def _missing(function: str, facts: HostFacts) -> FunctionVerdict:
    whole = [s.name for s in facts.symbols.variants(function) if ".cold" not in s.name]
    if whole:
        best = min(whole, key=lambda name: (".part." in name, name))
        if ".part." not in best:
            evidence = f"the compiler made {best} of it"
            remedy = "its arguments may lie elsewhere: count it, do not read them"
            return FunctionVerdict(function, FunctionState.TRANSFORMED, best, evidence, remedy)
    for alias in aliases(function):
        if facts.symbols.lookup(alias["name"]):
            evidence = f"{alias['name']} is in kallsyms (renamed {_since(alias)})"
            return FunctionVerdict(function, FunctionState.RENAMED, "", evidence, f"probe {alias['name']}")
    prototype = facts.types.prototype(function)
    if prototype is not None or function in _table("inlined"):
        how = "BTF knows it" if prototype is not None else "compilers inline it on other kernels"
        evidence = f"not in kallsyms, but {how}"
        return FunctionVerdict(function, FunctionState.INLINED, "", evidence, _other(function))
    near = facts.symbols.near(function)
    remedy = f"did you mean {' or '.join(near)}?" if near else _other(function)
    evidence = "not visible: inlined, removed, in a module that is not loaded, or misspelt"
    return FunctionVerdict(function, FunctionState.ABSENT, "", evidence, remedy)


def aliases(function: str) -> list[dict[str, str]]:
    """Other names of a function on other kernels, with the change each comes from."""
    found = _table("aliases").get(function, [])
    assert isinstance(found, list)
    return found


def _since(alias: Mapping[str, str]) -> str:
    since = alias["since"]
    words = since if since.startswith("before") else f"in {since}"
    return f"{words}: {alias['why']}" if alias.get("why") else words


def _other(function: str) -> str:
    return f"use a tracepoint, or a function that calls {function}"
