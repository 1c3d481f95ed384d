"""From a typed program to the model that the templates print. All decisions are here; nothing touches the host."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Optional

# Importing these registers how each kind of expression is written.
from xtrace.backends.bcc import arguments, builtins, expressions, layout, memory, own, regions  # noqa: F401
from xtrace.backends.bcc.dispatch import condition
from xtrace.backends.bcc.handler import LOSS_SLOTS, Handler, Host
from xtrace.backends.bcc.maps import BpfMap, MapTable
from xtrace.backends.bcc.own import runs_in_worker
from xtrace.backends.bcc.own_statements import function
from xtrace.backends.bcc.points import Point, points, sharing_key
from xtrace.backends.bcc.registers import ARCHITECTURES
from xtrace.backends.bcc.scope import Follow, scope_lines, wants_scope
from xtrace.backends.bcc.sites import description, sent, value_types
from xtrace.backends.bcc.statements import body
from xtrace.backends.bcc.support import needed
from xtrace.backends.bcc.writer import LONG, STACK_BUDGET_OF_LONG, UnsupportedError, Writer, comment
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.errors import Diagnostic
from xtrace.core.plan.traverse import all_expressions, statements
from xtrace.core.quoting import Code

SCRATCH_LIMIT = 30 << 10
"""Bytes of one handler's memory: a value of a per-CPU map (PCPU_MIN_UNIT_SIZE, include/linux/percpu.h, is 32 KB)."""


@dataclass(frozen=True)
class CHandler:
    """One BPF program. `scratch` are the members of its scratch memory, which is kept `per_task` where a handler may be
    preempted by itself, else per CPU; empty where the stack suffices."""

    ident: Code
    points: tuple[Code, ...]
    locals: tuple[Code, ...]
    guards: tuple[Code, ...]
    loads: tuple[Code, ...]
    scratch: tuple[Code, ...]
    per_task: bool
    lines: tuple[Code, ...]


@dataclass(frozen=True)
class Model:
    """What the templates print. `own` are the lines of the clauses that the worker runs itself."""

    title: str
    handlers: tuple[CHandler, ...]
    maps: tuple[BpfMap, ...]
    fed_maps: tuple[BpfMap, ...]
    clock: Code
    word_types: tuple[int, ...]
    loss_slots: tuple[Code, ...]
    scope: tuple[Code, ...]
    support: tuple[Code, ...]
    follow: Optional[Follow]
    has_cgroup: bool
    uses_stacks: bool
    own: tuple[Code, ...]
    tables: dict[str, Any]


def objections(clause: ir.Clause, host: Host) -> tuple[Diagnostic, ...]:
    """What one clause asks that BPF cannot do, judged before the program's maps and sites are known."""
    found: dict[Diagnostic, None] = {}
    program = ir.Program((clause,), (), ())
    maps = MapTable(program, trial=True)
    if runs_in_worker(clause, {}):
        try:
            function("own", clause, own.Clause(program, maps))
        except UnsupportedError as error:
            found[error.diagnostic] = None
        return tuple(found)
    for attach in clause.attach:
        _judge(clause, attach, host, program, maps, found)
    return tuple(found)


def _judge(
    clause: ir.Clause,
    attach: at.Attach,
    host: Host,
    program: ir.Program,
    maps: MapTable,
    found: dict[Diagnostic, None],
) -> None:
    if host.arch not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        found[Diagnostic("XT0704", f"registers of {host.arch} are not known to the BCC backend ({known})")] = None
        return
    try:
        for point in points(attach, clause.span):
            _write(clause, point, host, program, maps)
    except UnsupportedError as error:
        found[error.diagnostic] = None


def lower(program: ir.Program, host: Host, follow: Optional[Follow] = None, title: str = "a trace") -> Model:
    """The whole program. Raises UnsupportedError for what only the whole program shows to be impossible."""
    decls = {decl.name: decl for decl in program.maps}
    ours = [clause for clause in program.clauses if runs_in_worker(clause, decls)]
    theirs = replace(program, clauses=tuple(clause for clause in program.clauses if clause not in ours))
    maps = MapTable(theirs)
    handlers: list[CHandler] = []
    attached: list[dict[str, Any]] = []
    lines: list[str] = []
    for number, clause in enumerate(program.clauses):
        if clause in ours:
            name = f"own{number}"
            lines += ["", "", *function(name, clause, own.Clause(program, maps, _written(theirs)))]
            attached += [own.point(attach, name) for attach in clause.attach]
            continue
        shared: dict[tuple[object, ...], int] = {}
        for attach in clause.attach:
            for point in points(attach, clause.span):
                key = sharing_key(clause, point)
                if key not in shared:
                    shared[key] = len(handlers)
                    handlers.append(_handler(len(handlers), clause, point, host, program, maps))
                attached.append({**point.how, "handler": f"h{shared[key]}", "program": point.program,
                                 "name": attach.name})  # fmt: skip
    return Model(
        title=title,
        handlers=_with_points(handlers, attached),
        maps=tuple(maps),
        fed_maps=_fed(theirs, maps),
        clock=Code("bpf_ktime_get_boot_ns()" if host.boot_clock else "bpf_ktime_get_ns() + XTRACE_BOOT_OFFSET"),
        word_types=_word_types(handlers, maps),
        loss_slots=tuple(Code(name) for name in LOSS_SLOTS),
        scope=scope_lines(program.scope),
        support=_support(handlers, follow),
        follow=follow,
        has_cgroup=program.scope.cgroup is not None,
        uses_stacks=_uses_stacks(program),
        own=tuple(Code(line) for line in lines),
        tables=_tables(program, maps, attached, follow),
    )


def _write(clause: ir.Clause, point: Point, host: Host, program: ir.Program, maps: MapTable) -> Handler:
    """One handler's body."""
    made = _body(clause, Handler(host, program, maps, point.attach, point.usdt))
    if len(made.out.lines) < LONG:
        return made
    return _body(clause, Handler(host, program, maps, point.attach, point.usdt, Writer(STACK_BUDGET_OF_LONG)))


def _body(clause: ir.Clause, handler: Handler) -> Handler:
    """Write its variables, the predicate, the statements."""
    for name, kind in _variables(clause).items():
        handler.declare(name, kind)
    if clause.predicate is not None:
        handler.out.line(f"if (!{condition(clause.predicate, handler)}) goto done;")
    body(clause.body, handler)
    if handler.out.scratch_words * layout.WORD > SCRATCH_LIMIT:
        message = f"this probe keeps more than {SCRATCH_LIMIT} bytes of text at a time, which BPF has no memory for"
        raise handler.refuse(message, clause.span, "lower max_strlen, or split the probe")
    return handler


def _variables(clause: ir.Clause) -> dict[str, t.CType]:
    """Every variable of a clause with a type that holds all its values."""
    found: dict[str, t.CType] = {}
    uses = [(node.name, node.type) for node in all_expressions(clause) if isinstance(node, ir.Var)]
    uses += [(node.name, node.value.type) for node in statements(clause.body) if isinstance(node, ir.SetVar)]
    for name, kind in uses:
        if name not in found or layout.words(kind) > layout.words(found[name]):
            found[name] = kind
    return found


def _handler(index: int, clause: ir.Clause, point: Point, host: Host, program: ir.Program, maps: MapTable) -> CHandler:
    written = _write(clause, point, host, program, maps)
    return CHandler(
        ident=Code(f"h{index}"),
        points=(),
        locals=tuple(Code(text) for text in written.out.locals),
        guards=_guards(index, point, clause, program),
        loads=tuple(Code(text) for text in written.loads.values()),
        scratch=tuple(Code(text) for text in written.out.scratch),
        per_task=isinstance(point.attach, (at.Uprobe, at.Usdt)),
        lines=tuple(Code(text) for text in written.out.lines),
    )


def _guards(index: int, point: Point, clause: ir.Clause, program: ir.Program) -> tuple[Code, ...]:
    """Conditions under which a handler does nothing at all. The one that disarms a `begin` or `end` comes first."""
    guards = [Code(f"!x_armed({index + 1})")] if point.how["by"] in ("begin", "end") else []
    if any(isinstance(site, ir.Exit) for site in program.sites):
        guards.append(Code("x_exited()"))
    if clause.scoped and wants_scope(program.scope) and not isinstance(point.attach, at.USER_SPACE):
        guards.append(Code("!x_in_scope()"))
    return tuple(guards)


def _with_points(handlers: Iterable[CHandler], attached: list[dict[str, Any]]) -> tuple[CHandler, ...]:
    names: dict[str, list[str]] = {}
    for one in attached:
        if "handler" in one:
            names.setdefault(one["handler"], []).append(one["name"])
    return tuple(replace(one, points=tuple(comment(name) for name in names[one.ident])) for one in handlers)


def _written(program: ir.Program) -> frozenset[str]:
    """The maps that the program's handlers change at any time."""
    at_any_time = (one for one in program.clauses if not all(isinstance(p, (at.Begin, at.End)) for p in one.attach))
    nodes = (node for clause in at_any_time for node in statements(clause.body))
    return frozenset(node.map for node in nodes if isinstance(node, (ir.SetMap, ir.AddMap, ir.Aggregate)))


def _fed(program: ir.Program, maps: MapTable) -> tuple[BpfMap, ...]:
    """The maps that something is added to."""
    nodes = (node for clause in program.clauses for node in statements(clause.body))
    names = {node.map for node in nodes if isinstance(node, (ir.AddMap, ir.Aggregate))}
    return tuple(one for one in maps if one.name in names)


def _support(handlers: Iterable[CHandler], follow: Optional[Follow]) -> tuple[Code, ...]:
    """The functions that the handlers, and the two that follow children, call."""
    texts = [line for one in handlers for line in (*one.guards, *one.loads, *one.lines)]
    return needed([*texts, "x_ctx_u32" if follow else ""])


_WORDS = re.compile(r"struct words(\d+)")


def _word_types(handlers: Iterable[CHandler], maps: Iterable[BpfMap]) -> tuple[int, ...]:
    """The sizes of `struct wordsN` that the program uses."""
    texts = [line for one in handlers for line in one.lines]
    texts += [text for one in maps for text in (one.key, one.leaf)]
    return tuple(sorted({int(size) for text in texts for size in _WORDS.findall(text)}))


def _uses_stacks(program: ir.Program) -> bool:
    found = (node for clause in program.clauses for node in all_expressions(clause))
    return any(isinstance(node, ir.Builtin) and node.name in ("kstack", "ustack") for node in found)


def _tables(
    program: ir.Program, maps: MapTable, attached: list[dict[str, Any]], follow: Optional[Follow]
) -> dict[str, Any]:
    """What the worker has to know, ready for JSON."""
    nodes = (node for clause in program.clauses for node in statements(clause.body))
    args = {node.site: sent(program.sites[node.site], node.args) for node in nodes if isinstance(node, ir.Output)}
    sites = [description(site, value_types(site, args.get(index, ()))) for index, site in enumerate(program.sites)]
    return {
        "attach": attached,
        "buffer_kb": program.config.buffer_kb,
        "cgroup": program.scope.cgroup,
        "follow": program.scope.pid if follow else None,
        "loss_slots": list(LOSS_SLOTS),
        "maps": [one.description() for one in maps],
        "missing_probes": program.config.missing_probes if program.config.may_miss else "error",
        "print_maps": int(program.config.print_maps_on_exit),
        "sites": sites,
    }
