"""Typed statements as SystemTap text, one line each, indented."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from xtrace.backends.systemtap import human, maps
from xtrace.backends.systemtap.expressions import Context, UnsupportedError, expression, key_text, truth, values
from xtrace.backends.systemtap.names import variable
from xtrace.backends.systemtap.wire import columns
from xtrace.core import ir
from xtrace.core import types as t


@dataclass
class Writer:
    """Writes the body of one probe."""

    program: ir.Program
    decls: Mapping[str, ir.MapDecl]
    context: Context
    temporaries: Iterator[int]

    @classmethod
    def of(cls, program: ir.Program, context: Context) -> Writer:
        return cls(program, {decl.name: decl for decl in program.maps}, context, count())

    def block(self, body: tuple[ir.Stmt, ...], depth: int = 1) -> list[str]:
        """The lines of a list of statements. Raises UnsupportedError."""
        return [line for statement in body for line in self.statement(statement, depth)]

    def statement(self, s: ir.Stmt, depth: int) -> list[str]:
        pad = "  " * depth
        return [pad + line for line in _HANDLERS[type(s)](self, s)]

    def nested(self, body: tuple[ir.Stmt, ...]) -> list[str]:
        return self.block(body)

    def text(self, e: ir.Expr) -> str:
        return expression(e, self.context)


def _set_var(w: Writer, s: ir.SetVar) -> list[str]:
    return [f"{variable(s.name)} = {w.text(s.value)}"]


def _keys(w: Writer, name: str, keys: tuple[ir.Expr, ...], extra: str = "") -> tuple[list[str], str]:
    """Lines that compute the keys once, and the bracketed list to use after them."""
    texts = key_text(keys, w.context)
    lines: list[str] = []
    used: list[str] = []
    for text in texts + ([extra] if extra else []):
        if text.lstrip("-").isdigit():
            used.append(text)
            continue
        temporary = f"t{next(w.temporaries)}"
        lines.append(f"{temporary} = {text}")
        used.append(temporary)
    return lines, f"[{', '.join(used)}]"


def _guarded(w: Writer, name: str, key: str, update: str) -> list[str]:
    """An update that may insert: refused and counted when the map is full."""
    array = w.context.maps[name]
    if maps.forgets(w.decls[name]):
        return [f"if (!({key} in {array}) && n_{array} < {_capacity(w, name)}) n_{array}++", update]
    return [
        f"if ({key} in {array}) {update}",
        f"else if (n_{array} < {_capacity(w, name)}) {{ n_{array}++; {update} }}",
        f"else full_{array}++",
    ]


def _capacity(w: Writer, name: str) -> int:
    decl = w.decls[name]
    return w.program.room(decl) if decl.keys or maps.is_histogram(decl) else 1


def _set_map(w: Writer, s: ir.SetMap) -> list[str]:
    if isinstance(s.value.type, t.Tuple):
        raise UnsupportedError("SystemTap has no tuple values; use several maps", s.span)
    lines, key = _keys(w, s.map, s.keys)
    value = f"t{next(w.temporaries)}"
    lines.append(f"{value} = {w.text(s.value)}")
    return lines + _guarded(w, s.map, key, f"{w.context.maps[s.map]}{key} = {value}")


def _add_map(w: Writer, s: ir.AddMap) -> list[str]:
    lines, key = _keys(w, s.map, s.keys)
    by = w.text(s.by)
    return lines + _guarded(w, s.map, key, f"{w.context.maps[s.map]}{key} += {by}")


def _aggregate(w: Writer, s: ir.Aggregate) -> list[str]:
    decl = w.decls[s.map]
    value = w.text(s.value) if s.value is not None else "1"
    bucket = maps.bucket(decl, value) if maps.is_histogram(decl) else ""
    lines, key = _keys(w, s.map, s.keys, bucket)
    return lines + _guarded(w, s.map, key, f"{w.context.maps[s.map]}{key} <<< {maps.fed(decl, value)}")


def _delete_key(w: Writer, s: ir.DeleteKey) -> list[str]:
    array = w.context.maps[s.map]
    lines, key = _keys(w, s.map, s.keys)
    if maps.is_histogram(w.decls[s.map]):
        inner = key[1:-1]
        names = [f"t{next(w.temporaries)}" for _ in range(inner.count(",") + 2)]
        lines.append(f"foreach ([{', '.join(names)}] in {array}[{inner}, *]) n_{array}--")
        return [*lines, f"delete {array}[{inner}, *]"]
    return [*lines, f"if ({key} in {array}) {{ n_{array}--; delete {array}{key} }}"]


def _if(w: Writer, s: ir.If) -> list[str]:
    lines = [f"if ({truth(s.condition, w.context)}) {{", *w.nested(s.then), "}"]
    if s.otherwise:
        lines[-1:] = ["} else {", *w.nested(s.otherwise), "}"]
    return lines


def _while(w: Writer, s: ir.While) -> list[str]:
    return [f"while ({truth(s.condition, w.context)}) {{", *w.nested(s.body), "}"]


def _for_each(w: Writer, s: ir.ForEach) -> list[str]:
    decl = w.decls[s.map]
    if maps.is_histogram(decl):
        raise UnsupportedError("SystemTap cannot loop over a map of histograms", s.span)
    number = next(w.temporaries)
    width = sum(len(columns(key)) for key in decl.keys) or 1
    keys = tuple(f"e{number}_{position}" for position in range(width))
    element = f"{w.context.maps[s.map]}[{', '.join(keys)}]"
    value = w.context.readers.get(s.map, "{0}").format(element, "1")
    inner = replace(w.context, entries={**w.context.entries, s.variable: (keys, value)})
    body = replace(w, context=inner).nested(s.body)
    return [f"foreach ([{', '.join(f'{key}+' if key == keys[0] else key for key in keys)}] in "
            f"{w.context.maps[s.map]}) {{", *body, "}"]  # fmt: skip


def _jump(w: Writer, s: ir.Jump) -> list[str]:
    return ["next" if s.kind == "return" else s.kind]


def _output(w: Writer, s: ir.Output) -> list[str]:
    site = w.program.sites[s.site]
    special = _SITES.get(type(site))
    if special:
        return special(w, s, site)
    if isinstance(site, ir.System):
        raise UnsupportedError("a SystemTap script does not run commands here", s.span)
    return _hit(w, s, site)


def _hit(w: Writer, s: ir.Output, site: ir.Site) -> list[str]:
    """The line that performs a site in the controller, or its words when the script runs alone."""
    spread = values(s.args, w.context)
    marks = [column for _, e in spread for column in columns(e.type)]
    names: list[str] = []
    lines: list[str] = []
    for (text, _), mark in zip(spread, marks):
        name = f"o{next(w.temporaries)}"
        lines.append(f"{name} = {f'text_str({text})' if mark == '%s' else text}")
        names.append(name)
    form = "".join("\\t" + mark for mark in marks)
    arguments = "".join(f", {name}" for name in names)
    lines.append("if (xtrace_machine)")
    lines.append(f'  printf("H\\t{s.site}\\t%d\\t%d\\t%d{form}\\n", cpu(), xt_sequence(), ktime_get_ns(){arguments})')
    lines.append("else")
    told = tuple(human.readable(e.type, mark, name) for (_, e), mark, name in zip(spread, marks, names))
    lines.append(f"  {human.line(site, told)}")
    return lines


def _print_map(w: Writer, s: ir.Output, site: ir.PrintMap) -> list[str]:
    return [f"dump_{w.context.maps[site.map]}({s.site})"]


def _clear(w: Writer, s: ir.Output, site: ir.Clear) -> list[str]:
    array = w.context.maps[site.map]
    return [f"delete {array}{maps.every_key(w.decls[site.map])}", f"n_{array} = 0"]


def _zero(w: Writer, s: ir.Output, site: ir.Zero) -> list[str]:
    return [f"zero_{w.context.maps[site.map]}()"]


def _exit(w: Writer, s: ir.Output, site: ir.Exit) -> list[str]:
    return [*_hit(w, s, site), "xt_done = 1", "exit()"]


_SITES: dict[type, Callable[[Writer, ir.Output, Any], list[str]]] = {
    ir.PrintMap: _print_map,
    ir.Clear: _clear,
    ir.Zero: _zero,
    ir.Exit: _exit,
}

_HANDLERS: dict[type, Callable[[Writer, Any], list[str]]] = {
    ir.SetVar: _set_var,
    ir.SetMap: _set_map,
    ir.AddMap: _add_map,
    ir.Aggregate: _aggregate,
    ir.DeleteKey: _delete_key,
    ir.If: _if,
    ir.While: _while,
    ir.ForEach: _for_each,
    ir.Jump: _jump,
    ir.Output: _output,
}
