"""Clauses as Python functions: `handler(r, t, c)` for slots, time and CPU of one record, or `handler(r, n, c)` for n
equal records at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from xtrace.core import ir
from xtrace.core.evaluate.expressions import Expressions, converted
from xtrace.core.evaluate.shallow import shallow
from xtrace.core.evaluate.storage import Store
from xtrace.core.evaluate.values import missing
from xtrace.core.plan.traverse import all_expressions, statements
from xtrace.core.types import Avg, Count, CType, Hist, Int, LinearHist, Max, Min, Stats, Sum


class Statements:
    """Writes the source text of one handler."""

    def __init__(self, program: ir.Program, stores: Mapping[str, Store], expressions: Expressions) -> None:
        self._program = program
        self._stores = stores
        self._make = expressions
        self._lines: list[str] = []
        self._names = 0
        self._many = False

    def handler(self, name: str, clause: ir.Clause, many: bool = False) -> str:
        """The source text of the clause's function; `many` for one that does the work of `n` equal records, which only
        orderless clauses can (`xtrace.core.evaluate.orderless`)."""
        clause = shallow(clause)
        self._lines, self._many = [], many
        self._emit(1, "if state.exited: return")
        if clause.predicate is not None:
            self._emit(1, f"if not {self._make.truth(clause.predicate)}: return")
        self._block(1, clause.body)
        body, self._lines = self._lines, [f"def {name}(r, {'n' if many else 't'}, c):"]
        for variable, kind in sorted(_variables(clause).items()):
            self._emit(1, f"{self._make.variable(variable)} = {self._make.constant(missing(kind))}")
        return "\n".join([*self._lines, *body]) + "\n"

    def _emit(self, depth: int, text: str) -> None:
        self._lines.append("    " * depth + text)

    def _name(self, letter: str) -> str:
        self._names += 1
        return f"{letter}{self._names}"

    def _block(self, depth: int, body: tuple[ir.Stmt, ...]) -> None:
        for statement in body:
            _WRITERS[type(statement)](self, depth, statement)
        if not body:
            self._emit(depth, "pass")

    def _set_variable(self, depth: int, one: ir.SetVar) -> None:
        self._emit(depth, f"{self._make.variable(one.name)} = {self._make.value(one.value)}")

    def _set_map(self, depth: int, one: ir.SetMap) -> None:
        store = self._stores[one.map]
        kind = store.decl.value
        assert store.decl.aggregation is None
        value = self._make.fitted(one.value, kind)  # type: ignore[arg-type]
        self._store(depth, store, one.keys, "", value, value)

    def _add_map(self, depth: int, one: ir.AddMap) -> None:
        store = self._stores[one.map]
        self._emit(depth, f"b = {self._times(self._make.value(one.by))}")
        sum_, first = f"wrap({store.code}[k] + b)", "b"
        kind = store.decl.value
        if isinstance(kind, Int) and kind.size < 8:
            sum_, first = (converted(text, kind.size, kind.signed) for text in (sum_, first))
        self._store(depth, store, one.keys, "", sum_, first)

    def _times(self, value: str) -> str:
        """A summand, as often as there are records."""
        return f"wrap(n * {value})" if self._many else value

    def _aggregate(self, depth: int, one: ir.Aggregate) -> None:
        store = self._stores[one.map]
        kind, code = store.decl.value, store.code
        step = "n" if self._many else "1"
        if one.value is not None:
            value = self._make.value(one.value)
            self._emit(depth, f"b = {self._times(value) if isinstance(kind, _SUMMED) else value}")
        if isinstance(kind, Count):
            self._store(depth, store, one.keys, "", f"{code}[k] + {step}", step)
        elif isinstance(kind, Sum):
            self._store(depth, store, one.keys, "", f"wrap({code}[k] + b)", "b")
        elif isinstance(kind, (Min, Max)):
            pick = ("min" if isinstance(kind, Min) else "max") + ("" if kind.signed else "_unsigned")
            self._store(depth, store, one.keys, "", f"{pick}({code}[k], b)", "b")
        elif isinstance(kind, (Avg, Stats)):
            self._store(
                depth, store, one.keys, f"s = {code}[k]; s[0] += {step}; s[1] = wrap(s[1] + b)", "", f"[{step}, b]"
            )
        elif isinstance(kind, (Hist, LinearHist)):
            self._emit(depth, f"b = {_bucket(kind)}")
            self._store(depth, store, one.keys, f"s = {code}[k]; s[b] = s.get(b, 0) + {step}", "", f"{{b: {step}}}")

    def _store(self, depth: int, store: Store, keys: tuple[ir.Expr, ...], update: str, value: str, first: str) -> None:
        """Change the entry at a key, by `update` or to `value`; where the key is new, start at `first` if the map
        has room."""
        code, lru = store.code, store.decl.lru
        self._emit(depth, f"k = {self._make.key(store.decl.name, keys)}")
        renewed = f"{code}[k] = {code}.pop(k); " if lru else ""
        self._emit(depth, f"if k in {code}: {renewed}{update or f'{code}[k] = {value}'}")
        if store.decl.keys:
            self._emit(depth, f"elif len({code}) < {self._program.room(store.decl)}: {code}[k] = {first}")
            if lru:
                self._emit(depth, f"else: {code}.pop(next(iter({code}))); {code}[k] = {first}")
            else:
                self._emit(depth, f"else: stores[{store.number}].refused += {'n' if self._many else 1}")
        else:
            self._emit(depth, f"else: {code}[k] = {first}")

    def _delete(self, depth: int, one: ir.DeleteKey) -> None:
        self._emit(depth, f"{self._stores[one.map].code}.pop({self._make.key(one.map, one.keys)}, None)")

    def _if(self, depth: int, one: ir.If) -> None:
        self._emit(depth, f"if {self._make.truth(one.condition)}:")
        self._block(depth + 1, one.then)
        if one.otherwise:
            self._emit(depth, "else:")
            self._block(depth + 1, one.otherwise)

    def _while(self, depth: int, one: ir.While) -> None:
        rounds = self._name("n")
        where = one.span.location() if one.span else "the program"
        self._emit(depth, f"{rounds} = rounds")
        self._emit(depth, f"while {self._make.truth(one.condition)}:")
        self._emit(depth + 1, f"{rounds} -= 1")
        self._emit(depth + 1, f"if {rounds} < 0: state.runaway({where!r}); break")
        self._block(depth + 1, one.body)

    def _for_each(self, depth: int, one: ir.ForEach) -> None:
        store = self._stores[one.map]
        entry, variable = self._name("e"), self._make.variable(one.variable)
        key = f"{entry}[0][0]" if len(store.decl.keys) == 1 else f"{entry}[0]"
        self._emit(depth, f"for {entry} in stores[{store.number}].in_key_order():")
        self._emit(depth + 1, f"{variable} = ({key}, stores[{store.number}].number_of({entry}[1]))")
        self._block(depth + 1, one.body)

    def _jump(self, depth: int, one: ir.Jump) -> None:
        self._emit(depth, one.kind)

    def _output(self, depth: int, one: ir.Output) -> None:
        site = self._program.sites[one.site]
        writer = _SITES.get(type(site))
        if writer:
            writer(self, depth, one, site)
            return
        values = "".join(f"{self._make.value(arg)}, " for arg in one.args)
        self._emit(depth, f"out(Hit({one.site}, ({values}), t, c))")

    def _print_value(self, depth: int, one: ir.Output, site: ir.PrintValue) -> None:
        """`print(@m[k])` of an aggregation sends its state, not the number that stands for it."""
        values = [self._make.value(arg) for arg in one.args[:-1]]
        last = one.args[-1]
        if isinstance(last, ir.MapValue) and self._stores[last.map].decl.aggregation:
            store = self._stores[last.map]
            values.append(f"stores[{store.number}].at({self._make.key(last.map, last.keys)})")
        else:
            values.append(self._make.value(last))
        self._emit(depth, f"out(Hit({one.site}, ({', '.join(values)},), t, c))")

    def _print_map(self, depth: int, one: ir.Output, site: ir.PrintMap) -> None:
        self._emit(depth, f"out(stores[{self._stores[site.map].number}].dump({one.site}))")

    def _clear(self, depth: int, one: ir.Output, site: ir.Clear) -> None:
        self._emit(depth, f"{self._stores[site.map].code}.clear()")

    def _zero(self, depth: int, one: ir.Output, site: ir.Zero) -> None:
        self._emit(depth, f"stores[{self._stores[site.map].number}].zero()")

    def _exit(self, depth: int, one: ir.Output, site: ir.Exit) -> None:
        self._emit(depth, f"state.exit({self._make.value(one.args[0]) if one.args else 0})")
        self._emit(depth, "return")


_SUMMED = (Sum, Avg, Stats)
_WRITERS: Mapping[type, Callable[[Statements, int, Any], None]] = {
    ir.SetVar: Statements._set_variable,
    ir.SetMap: Statements._set_map,
    ir.AddMap: Statements._add_map,
    ir.Aggregate: Statements._aggregate,
    ir.DeleteKey: Statements._delete,
    ir.If: Statements._if,
    ir.While: Statements._while,
    ir.ForEach: Statements._for_each,
    ir.Jump: Statements._jump,
    ir.Output: Statements._output,
}
_SITES: Mapping[type, Callable[[Statements, int, ir.Output, Any], None]] = {
    ir.PrintValue: Statements._print_value,
    ir.PrintMap: Statements._print_map,
    ir.Clear: Statements._clear,
    ir.Zero: Statements._zero,
    ir.Exit: Statements._exit,
}


def _bucket(kind: Hist | LinearHist) -> str:
    if isinstance(kind, Hist):
        return f"log2_bucket(b, {kind.bits})"
    return f"linear_bucket(b, {kind.low}, {kind.high}, {kind.step})"


def _variables(clause: ir.Clause) -> dict[str, CType]:
    """Every variable of a clause with its type: a branch not taken must not leave one undefined."""
    found = {expr.name: expr.type for expr in all_expressions(clause) if isinstance(expr, ir.Var)}
    for statement in statements(clause.body):
        if isinstance(statement, ir.SetVar):
            found.setdefault(statement.name, statement.value.type)
    return found
