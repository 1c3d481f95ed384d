"""The program's maps as BPF maps: which kind, which key, which value.

Counts, sums and the other aggregations are per CPU, and added up when they are read; a count, sum or average that a
handler reads is shared by the CPUs, because a handler cannot see another CPU's part. A histogram's buckets are keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Optional

from xtrace.backends.bcc import layout
from xtrace.backends.bcc.sites import sent
from xtrace.backends.bcc.writer import UnsupportedError, comment
from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.errors import Diagnostic
from xtrace.core.plan.traverse import expressions, statements, within
from xtrace.core.quoting import Code, c_str

if TYPE_CHECKING:
    from xtrace.backends.bcc.handler import Handler

BUCKETS_PER_KEY = 8
"""Room for histogram buckets: a key's values mostly lie within 8 powers of two, and every entry takes memory on every
CPU from the start."""
_KINDS: dict[type, str] = {
    t.Count: "count",
    t.Sum: "sum",
    t.Min: "min",
    t.Max: "max",
    t.Avg: "avg",
    t.Stats: "stats",
    t.Hist: "hist",
    t.LinearHist: "lhist",
}


@dataclass(frozen=True)
class BpfMap:
    """`name` is the program's, `ident` the C name. `kind` is `value` or the aggregation's word. `index` is also the
    slot of its loss counter, after those of `xtrace.backends.bcc.lower`."""

    name: str
    ident: str
    index: int
    key_types: tuple[t.CType, ...]
    value: t.ValueType
    kind: str
    shared: bool
    max_entries: int
    lru: bool = False

    @property
    def has_buckets(self) -> bool:
        return self.kind in ("hist", "lhist")

    @property
    def bucket_count(self) -> int:
        """How many buckets a key of a histogram may have (x_log2 and x_linear of support.h)."""
        if isinstance(self.value, t.LinearHist):
            return (self.value.high - self.value.low) // max(1, self.value.step) + 2
        return 66 << self.value.bits if isinstance(self.value, t.Hist) else 0

    def number(self, entry: str) -> str:
        """C for the number that a handler reads from the entry `entry`."""
        if self.kind == "avg":
            return f"x_{'s' if self.signed else 'u'}div({entry}->w[1], {entry}->w[0])"
        return f"*{entry}" if self.leaf == "u64" else f"{entry}->w[0]"

    @property
    def key_words(self) -> int:
        words = sum(layout.words(kind) for kind in self.key_types)
        return words + 1 if self.has_buckets else max(1, words)

    @property
    def leaf_words(self) -> int:
        if self.kind == "value":
            return layout.words(self.value)  # type: ignore[arg-type]
        return 2 if self.kind in ("avg", "stats", "min", "max") else 1

    @property
    def key(self) -> Code:
        return _type(self.key_words)

    @property
    def leaf(self) -> Code:
        return _type(self.leaf_words)

    @property
    def per_cpu(self) -> bool:
        return self.kind != "value" and not self.shared

    @property
    def table(self) -> Code:
        """BCC's name of the map type, as a C string."""
        kind = "percpu_hash" if self.per_cpu else "hash"
        return c_str(f"lru_{kind}" if self.lru else kind)

    @property
    def title(self) -> Code:
        """The program's name for it, for a comment."""
        return comment(f"@{self.name}")

    @property
    def signed(self) -> bool:
        return getattr(self.value, "signed", True)

    @property
    def feeding(self) -> tuple[Code, ...]:
        """What an update does to the leaf `*slot`, given `value`: two words hold a count and a total or an extreme.

        Additions are atomic even where the leaf is one CPU's own: an interrupt's handler may come in between.
        """
        if self.leaf_words == 1:
            return (Code("__sync_fetch_and_add(slot, value);"),)
        count = Code("__sync_fetch_and_add(&slot->w[0], 1);")
        if self.kind in ("avg", "stats"):
            return (count, Code("__sync_fetch_and_add(&slot->w[1], value);"))
        cast, sign = "(s64)" if self.signed else "", "<" if self.kind == "min" else ">"
        better = f"!slot->w[0] || {cast}value {sign} {cast}slot->w[1]"
        return (Code(f"if ({better}) slot->w[1] = value;"), count)

    def description(self) -> dict[str, Any]:
        """The map as the worker knows it, ready for JSON."""
        described: dict[str, Any] = {
            "name": self.name,
            "ident": self.ident,
            "keys": [layout.code(kind) for kind in self.key_types],
            "key_words": self.key_words,
            "leaf_words": self.leaf_words,
            "kind": self.kind,
            "signed": int(self.signed),
            "per_cpu": int(self.per_cpu),
            "max_entries": self.max_entries,
        }
        if self.kind == "value":
            described["value"] = layout.code(self.value)  # type: ignore[arg-type]
        if isinstance(self.value, t.Hist):
            described["bits"] = self.value.bits
        if isinstance(self.value, t.LinearHist):
            described.update(low=self.value.low, high=self.value.high, step=self.value.step)
        return described


def _type(words: int) -> Code:
    return Code("u64" if words == 1 else f"struct words{words}")


def idents(names: Iterable[str]) -> list[str]:
    """A distinct C name per map, alike to the program's own; kernels show 15 characters of it."""
    plain = (re.sub(r"[^A-Za-z0-9_]", "_", name) for name in names)
    return [f"m{index}_{name}" if name else f"m{index}" for index, name in enumerate(plain)]


class MapTable:
    """The maps of one program. With `trial`, a map that is not declared is made up from how it is used: a clause is
    judged before the program's maps are known."""

    def __init__(self, program: ir.Program, trial: bool = False) -> None:
        read = {node.map for clause in program.clauses for node in _read(clause, program)}
        names = idents(decl.name for decl in program.maps)
        self._trial = trial
        self._maps = {
            decl.name: _made(decl, ident, index, decl.name in read, program.room(decl))
            for index, (decl, ident) in enumerate(zip(program.maps, names))
        }

    def __iter__(self) -> Any:
        return iter(self._maps.values())

    def get(self, name: str, keys: tuple[ir.Expr, ...] = (), value: Optional[t.ValueType] = None) -> BpfMap:
        """A declared map; in a trial, one with these keys and this value."""
        if name not in self._maps and self._trial:
            decl = ir.MapDecl(name, tuple(key.type for key in keys), value or t.Int())
            return _made(decl, "m", 0, False, 1)
        return self._maps[name]

    def readable(self, node: ir.MapValue, handler: Handler) -> BpfMap:
        """The map of a read. Raises UnsupportedError where a handler cannot see the value."""
        found = self.get(node.map, node.keys, node.type)
        if found.kind in ("value", "count", "sum", "avg"):
            return found
        message = f"a BPF handler cannot read @{node.map}: each CPU keeps its own part of {found.kind}()"
        hint = "interval and end probes can; or keep a value of your own in another map to decide by it"
        raise UnsupportedError(Diagnostic("XT0702", message, node.span, (hint,)))


def _read(clause: ir.Clause, program: ir.Program) -> Iterator[ir.MapValue]:
    """The map reads that a handler does itself; the value that `print(@m[k])` names is looked up in user space."""
    roots = [clause.predicate] if clause.predicate is not None else []
    for statement in statements(clause.body):
        parts = tuple(expressions(statement))
        if isinstance(statement, ir.Output) and statement.site < len(program.sites):
            parts = sent(program.sites[statement.site], parts)
        roots += parts
    return (node for root in roots for node in within(root) if isinstance(node, ir.MapValue))


def _made(decl: ir.MapDecl, ident: str, index: int, read: bool, max_keys: int) -> BpfMap:
    kind = _KINDS.get(type(decl.value), "value")
    buckets = BUCKETS_PER_KEY if kind in ("hist", "lhist") else 1
    entries = max_keys * buckets if decl.keys else 1
    # A histogram's keys hold its buckets, and one that forgot some of them would be wrong.
    lru = decl.lru and kind not in ("hist", "lhist") and bool(decl.keys)
    made = BpfMap(decl.name, ident, index, decl.keys, decl.value, kind, read, max(1, entries), lru)
    return replace(made, max_entries=made.bucket_count) if made.has_buckets and not decl.keys else made
