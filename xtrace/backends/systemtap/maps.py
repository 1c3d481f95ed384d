"""Maps as SystemTap arrays: their declaration, update, reading and dump.

Statistics (`<<<`) are used wherever a map aggregates, because they are kept per CPU and need no write lock; a plain
array would skip probes under contention (MAXTRYLOCK). Histograms count by their own bucket key: `@hist_log` has other
buckets than bpftrace's and cannot be read back as data. A full array is a run-time error in SystemTap, so each
insertion is guarded and the refused ones are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xtrace.backends.systemtap.human import readable
from xtrace.backends.systemtap.wire import Column, columns
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.quoting import Code, stp_str

_FLIP = "(({0}) ^ xt_least())"
"""Maps unsigned order onto signed order, for `@min` and `@max`."""


@dataclass(frozen=True)
class ScriptMap:
    """One map as the template declares and dumps it, every part ready to print.

    `loop` lists the loop variables of a dump, `every` stands for all keys; `shown` is what a dump prints for an entry,
    `zeros` what it prints for a key that `zero()` has emptied; the formats are string literals for the controller, and
    for a person, who is given `human_shown` and `human_zeros`.
    """

    name: Code
    title: Code
    size: int
    wraps: bool
    statistics: bool
    zeroed: bool
    loop: Code
    every: Code
    shown: Code
    zeros: Code
    machine_format: Code
    human_shown: Code
    human_zeros: Code
    human_format: Code


def is_histogram(decl: ir.MapDecl) -> bool:
    return isinstance(decl.value, (t.Hist, t.LinearHist))


def forgets(decl: ir.MapDecl) -> bool:
    """Does a full map make room for a new key? A histogram's keys hold its buckets, of which none may be missing."""
    return decl.lru and bool(decl.keys) and not is_histogram(decl)


def key_columns(decl: ir.MapDecl) -> tuple[Column, ...]:
    """The columns of an entry's key; a histogram has its bucket as last one."""
    keys = tuple(column for key in decl.keys for column in columns(key)) or ("%d",)
    return (*keys, "%d") if is_histogram(decl) else keys


def every_key(decl: ir.MapDecl) -> str:
    """Wildcards for all keys: `delete array` alone makes the optimiser of SystemTap 5.6 fail an assertion now and then
    (delete_statement_typeresolution_info::visit_symbol, elaborate.cxx)."""
    return f"[{', '.join('*' for _ in key_columns(decl))}]"


def value_columns(decl: ir.MapDecl) -> tuple[Column, ...]:
    if isinstance(decl.value, t.AGGREGATIONS):
        return ("%d",) * len(_dumped(decl))
    return columns(decl.value)


def script_map(decl: ir.MapDecl, name: str, capacity: int, zeroed: bool) -> ScriptMap:
    """How one map is declared and dumped."""
    keys, values = key_columns(decl), value_columns(decl)
    loop = tuple(f"k{position}" for position in range(len(keys)))
    element = f"{name}[{', '.join(loop)}]"
    shown_keys = [_shown(key, mark) for key, mark in zip(loop, keys)]
    shown_values = [_shown(text.format(element), mark) for text, mark in zip(_dumped(decl), values)]
    kinds = [kind for key in decl.keys for kind in _leaves(key)]
    told = [readable(kind, mark, text) for kind, mark, text in zip(kinds, keys, shown_keys)]
    told_keys = [text for _, text in told] + shown_keys[len(told) :]
    marks = [mark for mark, _ in told] + list(keys[len(told) :])
    forms = [*keys, *values]
    label = f"@{decl.name}[{', '.join(marks)}]" if decl.keys or is_histogram(decl) else f"@{decl.name} /* %d */"
    return ScriptMap(
        name=Code(name),
        title=stp_str(decl.name),
        size=capacity if forgets(decl) else (capacity if decl.keys or is_histogram(decl) else 1) + 1,
        wraps=forgets(decl),
        statistics=decl.aggregation is not None,
        zeroed=zeroed,
        loop=Code(", ".join(loop)),
        every=Code(every_key(decl)),
        shown=Code(", ".join(shown_keys + shown_values)),
        zeros=Code(", ".join(shown_keys + ["0"] * len(values))),
        machine_format=stp_str("E" + "".join("\t" + form for form in forms) + "\n"),
        human_shown=Code(", ".join(told_keys + shown_values)),
        human_zeros=Code(", ".join(told_keys + ["0"] * len(values))),
        human_format=stp_str(f"{label}: {' '.join(values)}\n"),
    )


def _leaves(kind: t.CType) -> tuple[t.CType, ...]:
    """A type, or those of a tuple's items."""
    return tuple(leaf for item in kind.items for leaf in _leaves(item)) if isinstance(kind, t.Tuple) else (kind,)


def _shown(text: str, column: Column) -> str:
    return f"text_str({text})" if column == "%s" else text


def _dumped(decl: ir.MapDecl) -> tuple[str, ...]:
    value = decl.value
    if isinstance(value, t.Count) or is_histogram(decl):
        return ("@count({0})",)
    if isinstance(value, t.Sum):
        return ("@sum({0})",)
    if isinstance(value, (t.Avg, t.Stats)):
        return ("@count({0})", "@sum({0})")
    if isinstance(value, (t.Min, t.Max)):
        return (_extreme(value),)
    return ("{0}",)


def _extreme(value: t.Min | t.Max) -> str:
    text = "@min({0})" if isinstance(value, t.Min) else "@max({0})"
    return text if value.signed else _FLIP.format(text)


def readers(maps: Mapping[str, ir.MapDecl]) -> dict[str, str]:
    """How the number of an aggregation's element is read in an expression; {1} asks whether it exists."""
    return {name: _reader(decl) for name, decl in maps.items() if decl.aggregation and not is_histogram(decl)}


def _reader(decl: ir.MapDecl) -> str:
    value = decl.value
    if isinstance(value, (t.Avg, t.Stats)):
        return "(({1}) ? @avg({0}) : 0)"
    return f"(({{1}}) ? {_dumped(decl)[0]} : 0)"


def fed(decl: ir.MapDecl, value: str) -> str:
    """What is fed to a statistic for one update with `value`."""
    if isinstance(decl.value, t.Count) or is_histogram(decl):
        return "1"
    if isinstance(decl.value, (t.Min, t.Max)) and not decl.value.signed:
        return _FLIP.format(value)
    return value


def bucket(decl: ir.MapDecl, value: str) -> str:
    """The bucket key of a histogram for one value, as `xtrace.core.histogram` numbers buckets."""
    if isinstance(decl.value, t.LinearHist):
        low, high, step = decl.value.low, decl.value.high, decl.value.step
        return f"xt_linear({value}, {low}, {high}, {step})"
    assert isinstance(decl.value, t.Hist)
    return f"xt_log2({value}, {decl.value.bits})"
