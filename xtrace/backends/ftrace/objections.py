"""What ftrace cannot do of a clause on this host, each with its place, the reason and a remedy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from xtrace.backends.ftrace import tokens
from xtrace.backends.ftrace.columns import Columns, makes_definition, needs_event_probe
from xtrace.backends.ftrace.features import Features
from xtrace.backends.ftrace.fetch import Refused, by_fprobe
from xtrace.backends.ftrace.lower import prepared
from xtrace.backends.ftrace.placement import places_of
from xtrace.backends.ftrace.requirements import REMEDIES
from xtrace.core import ir
from xtrace.core.attach import USER_SPACE, Attach, Kprobe, PerfEvent, Profile, Tracepoint, Uprobe, Usdt
from xtrace.core.errors import Diagnostic
from xtrace.core.evaluate.evaluator import OWN_BUILTINS
from xtrace.core.lang.source import Span
from xtrace.core.plan.capture import capture
from xtrace.core.plan.traverse import all_expressions
from xtrace.core.quoting import QuotingError

_COMPUTED = (
    "--backend bcc or systemtap read it when it is needed",
    "save what it points to in a map where it is known",
)


def clause_objections(clause: ir.Clause, features: Features) -> tuple[Diagnostic, ...]:
    """Everything about one clause that tracefs cannot serve, attach points and expressions, each once.

    Strings read through a pointer that another clause saved in a map are not judged here: whether they can be read
    where the pointer is saved shows only in the whole program (`program_objections`).
    """
    found: dict[tuple[str, Optional[Span]], Diagnostic] = {}
    for diagnostic in _objections(clause, features):
        found.setdefault((diagnostic.message, diagnostic.span), diagnostic)
    return tuple(found.values())


def program_objections(program: ir.Program, features: Features) -> tuple[Diagnostic, ...]:
    """What is left to object to when strings have been moved to where their pointers are saved."""
    found: list[Diagnostic] = []
    for clause in prepared(program).clauses:
        found += clause_objections(clause, features)
        found += [_unknown_address(read) for read in capture(clause).unliftable if _saved_pointer(read)]
    return tuple(dict.fromkeys(found))


def _objections(clause: ir.Clause, features: Features) -> Iterator[Diagnostic]:
    kernel = [attach for attach in clause.attach if not isinstance(attach, USER_SPACE)]
    for attach in kernel:
        yield from _attach_objections(attach, clause.span, features)
    if not kernel:
        yield from _own_objections(clause)
        return
    made = capture(clause)
    yield from (_unknown_address(read) for read in made.unliftable if not _saved_pointer(read))
    for attach in kernel:
        if not isinstance(attach, PerfEvent):
            yield from _leaf_objections(attach, made.leaves, features, clause.span)


def _own_objections(clause: ir.Clause) -> Iterator[Diagnostic]:
    """`begin`, `end` and timers run in xtrace itself, which sees no memory of the kernel and no event."""
    for expr in all_expressions(clause):
        if isinstance(expr, (ir.Load, ir.ReadString, ir.ReadBytes)):
            message = f"{clause.attach[0].name} runs in xtrace itself with ftrace, where memory cannot be read"
            yield Diagnostic("XT0802", message, expr.span, ("--backend bcc or systemtap run it in the kernel",))
        elif isinstance(expr, ir.Builtin) and expr.name not in OWN_BUILTINS:
            message = f"{clause.attach[0].name} runs in xtrace itself with ftrace, where {expr.name} is not known"
            yield Diagnostic("XT0801", message, expr.span, ("--backend bcc or systemtap run it in the kernel",))


def _unknown_address(read: ir.Expr) -> Diagnostic:
    message = "the address of this read is known only after the event, and ftrace reads memory while it happens"
    return Diagnostic("XT0802", message, read.span, _COMPUTED)


def _saved_pointer(read: ir.Expr) -> bool:
    """`str(@saved[key])`, which may be read where the pointer was saved."""
    if not isinstance(read, ir.ReadString):
        return False
    address = read.address
    while isinstance(address, ir.Convert):
        address = address.operand
    return isinstance(address, ir.MapValue)


def _leaf_objections(
    attach: Attach, leaves: tuple[ir.Expr, ...], features: Features, span: Optional[Span]
) -> Iterator[Diagnostic]:
    own = makes_definition(attach) or needs_event_probe(attach, leaves, features)
    for _, site, _ in places_of(attach):
        columns = Columns(attach, features, site, own)
        for leaf in leaves:
            made = columns.add(leaf)
            if isinstance(made, Refused):
                hints = (made.remedy,) if made.remedy else ()
                yield Diagnostic("XT0801", f"{attach.name}: {made.reason}", leaf.span or span, hints)
        yield from _too_large(attach, columns, span)


def _too_large(attach: Attach, columns: Columns, span: Optional[Span]) -> Iterator[Diagnostic]:
    length = sum(len(name) + len(text) + 2 for name, text in columns.arguments)
    if len(columns.arguments) > tokens.MAX_ARGUMENTS or length > tokens.MAX_LINE - 500:
        message = f"{attach.name} would have to record {len(columns.arguments)} values, more than one definition holds"
        yield Diagnostic("XT0805", message, span, ("use fewer values in this clause",))


# --- attach points -----------------------------------------------------------------------------------------------


def _attach_objections(attach: Attach, span: Optional[Span], features: Features) -> Iterator[Diagnostic]:
    if isinstance(attach, PerfEvent):
        yield Diagnostic("XT0803", f"{attach.name}: tracefs has no counters", span, ("--backend bcc samples them",))
    elif isinstance(attach, Kprobe):
        yield from _kprobe_objections(attach, span, features)
    elif isinstance(attach, (Uprobe, Usdt)):
        yield from _missing(features, "uprobe.usable", "uprobes", attach, span)
    elif isinstance(attach, Profile):
        yield from _missing(features, "perf.open", "sampling timers (perf_event_open)", attach, span)
    if isinstance(attach, Usdt) and not attach.sites:
        yield Diagnostic("XT0803", f"{attach.name}: the program has no place with this probe", span)
    yield from _name_objections(attach, span)


def _kprobe_objections(attach: Kprobe, span: Optional[Span], features: Features) -> Iterator[Diagnostic]:
    if not by_fprobe(attach, features):
        yield from _missing(features, "kprobe.usable", "kprobes", attach, span)
    if attach.returns and (attach.sites or attach.offset):
        message = f"{attach.name}: only a whole function returns, not a place inside one or an inlined copy"
        yield Diagnostic("XT0803", message, span, ("probe the function that calls it",))


def _missing(features: Features, fact: str, what: str, attach: Attach, span: Optional[Span]) -> Iterator[Diagnostic]:
    if features.lacks(fact):
        message = f"{attach.name}: this kernel has no {what} ({features.evidence(fact)})"
        yield Diagnostic("XT0803", message, span, (REMEDIES[fact],))


def _name_objections(attach: Attach, span: Optional[Span]) -> Iterator[Diagnostic]:
    try:
        if isinstance(attach, Tracepoint):
            tokens.system(attach.system)
            tokens.name(attach.event)
        elif isinstance(attach, Kprobe) and not attach.sites:
            tokens.kernel_place(attach.symbol, attach.offset, attach.module)
    except QuotingError as error:
        yield Diagnostic("XT0804", f"{attach.name}: {error}", span)
