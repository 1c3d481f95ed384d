"""From a typed program to the model that the template prints. All decisions are here; nothing touches the host."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Callable, Optional

from xtrace.backends.systemtap import maps
from xtrace.backends.systemtap.expressions import SYSCALL_ABI, Context, UnsupportedError, expression, truth
from xtrace.backends.systemtap.human import CALL
from xtrace.backends.systemtap.names import map_names
from xtrace.backends.systemtap.points import NoPointError, Point, point
from xtrace.backends.systemtap.statements import Writer
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.errors import Diagnostic
from xtrace.core.plan.traverse import all_expressions, statements
from xtrace.core.quoting import Code
from xtrace.core.syscall_abi import NATIVE

BIG_ENDIAN = ("s390x", "ppc64", "s390")


@dataclass(frozen=True)
class Probe:
    """One probe of the script; `lines` is its body."""

    point: Code
    lines: tuple[Code, ...]


@dataclass(frozen=True)
class Model:
    """What the template prints, and what decoding needs: the types of each site's values. `syscall_abi` is the body of
    that function, where a probe asks it."""

    probes: tuple[Probe, ...]
    maps: tuple[maps.ScriptMap, ...]
    site_types: Mapping[int, tuple[t.CType, ...]]
    follow: bool
    syscall_offset: int
    syscall_abi: Optional[Code]
    shows_calls: bool
    print_maps: bool


_SYSCALL_OFFSET = {"x86_64": 120, "aarch64": 280}
"""Where pt_regs keeps the running call's number: `orig_ax` of arch/x86/include/asm/ptrace.h, `syscallno` of
arch/arm64/include/asm/ptrace.h."""


def clause_objections(clause: ir.Clause, arch: str) -> tuple[Diagnostic, ...]:
    """What one clause asks that a script cannot say, judged before the program's maps and sites are known."""
    found: dict[Diagnostic, None] = {}
    for where in clause.attach:
        try:
            context = _context(where, point(where, arch), arch)
        except NoPointError as error:
            found[_no_point(error, clause)] = None
            continue
        context.maps = defaultdict(lambda: "m_")
        for e in all_expressions(clause):
            if not isinstance(e, (ir.TupleValue, ir.TupleItem)):
                _judge(e, context, found)
    return tuple(found)


def _judge(e: ir.Expr, context: Context, found: dict[Diagnostic, None]) -> None:
    try:
        expression(e, context)
    except UnsupportedError as error:
        found[error.diagnostic] = None


def _no_point(error: NoPointError, clause: ir.Clause) -> Diagnostic:
    return Diagnostic("XT0902", str(error), clause.span, (error.remedy,) if error.remedy else ())


def objections(program: ir.Program, arch: str) -> tuple[Diagnostic, ...]:
    """What the whole program asks that a script cannot say, each once."""
    found: dict[Diagnostic, None] = {}
    if program.scope.cgroup is not None:
        message, hint = "SystemTap cannot limit a trace to a cgroup", "ftrace and bcc can; or name the process with -p"
        found[Diagnostic("XT0901", message, hints=(hint,))] = None
    for clause in program.clauses:
        for where in clause.attach:
            try:
                _probe(clause, where, program, arch)
            except UnsupportedError as error:
                found[error.diagnostic] = None
            except NoPointError as error:
                found[_no_point(error, clause)] = None
    return tuple(found)


def lower(program: ir.Program, arch: str, syscall_abi: Callable[[], str] = lambda: str(NATIVE)) -> Model:
    """The model of a program that `objections` has passed; `syscall_abi` gives the body of that function, where the
    program needs it."""
    names = map_names(decl.name for decl in program.maps)
    zeroed = {site.map for site in program.sites if isinstance(site, ir.Zero)}
    probes = tuple(
        _probe(clause, where, program, arch, order)
        for order, clause in enumerate(program.clauses)
        for where in clause.attach
    )
    arrays = tuple(
        maps.script_map(decl, names[decl.name], program.room(decl), decl.name in zeroed)
        for decl in sorted(program.maps, key=lambda decl: decl.name)
    )
    lines = [line for one in probes for line in one.lines]
    return Model(
        probes=probes,
        maps=arrays,
        site_types=site_types(program),
        follow=program.scope.follow,
        syscall_offset=_SYSCALL_OFFSET.get(arch, 0),
        syscall_abi=Code(syscall_abi()) if any(SYSCALL_ABI in line for line in lines) else None,
        shows_calls=any(CALL in text for text in (*lines, *(one.human_shown for one in arrays))),
        print_maps=program.config.print_maps_on_exit,
    )


def site_types(program: ir.Program) -> dict[int, tuple[t.CType, ...]]:
    """The types of each site's values, from the one statement that performs it."""
    return {
        statement.site: tuple(arg.type for arg in statement.args)
        for clause in program.clauses
        for statement in statements(clause.body)
        if isinstance(statement, ir.Output)
    }


def _context(where: at.Attach, place: Point, arch: str) -> Context:
    return Context(
        maps={},
        probe=where.name,
        function=getattr(where, "function", ""),
        user=place.user,
        big_endian=arch in BIG_ENDIAN,
        fields=place.fields,
        arguments=place.arguments,
    )


def _probe(clause: ir.Clause, where: at.Attach, program: ir.Program, arch: str, order: int = 0) -> Probe:
    place = point(where, arch, order)
    context = _context(where, place, arch)
    context.maps = map_names(decl.name for decl in program.maps)
    context.readers = maps.readers({decl.name: decl for decl in program.maps})
    context.histograms = frozenset(decl.name for decl in program.maps if maps.is_histogram(decl))
    lines = ["if (xt_done) next"] if not isinstance(where, at.End) else []
    if place.guard:
        lines.append(f"if (!({place.guard})) next")
    if place.in_kernel:
        lines += _scope(program.scope if clause.scoped else ir.Scope())
    if clause.predicate is not None:
        lines.append(f"if (!{truth(clause.predicate, context)}) next")
    lines += Writer.of(program, context).block(clause.body, depth=0)
    return Probe(Code(place.text), tuple(Code(line) for line in lines))


def _scope(scope: ir.Scope) -> list[str]:
    """Whose events count. The pid is a module parameter, so that one compiled script serves every process."""
    lines = ["if (pid() == stp_pid()) next"]
    if scope.pid is not None:
        lines.append("if (!(pid() in xt_followed)) next" if scope.follow else "if (pid() != xtrace_pid) next")
    if scope.uid is not None:
        lines.append(f"if (uid() != {scope.uid}) next")
    return lines
