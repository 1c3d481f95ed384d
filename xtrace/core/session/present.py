"""From messages to what the user sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from xtrace.core import ir
from xtrace.core.events import (
    AttachedOutput,
    Frames,
    LossOutput,
    NoticeOutput,
    Output,
    Printed,
    Row,
    Shown,
    Table,
    TextOutput,
    ValueOutput,
)
from xtrace.core.events import Sequence as Items
from xtrace.core.messages import UNREAD, Attached, Forked, Hit, Loss, MapDump, Mapped, Message, Notice, Stacked, Value
from xtrace.core.session.clocks import WallClock, strftime
from xtrace.core.session.columns import table_of
from xtrace.core.session.commands import file_text, shell_text
from xtrace.core.session.maps import MapShowing
from xtrace.core.session.printf import Formatter
from xtrace.core.session.shown import Showing
from xtrace.core.session.symboliser import Symboliser
from xtrace.core.session.wording import inert, text_of
from xtrace.core.types import Stack, String, Symbol

_Present = Callable[[Hit], "list[Output]"]


class Presenter:
    """Presents the messages of one session.

    `safe` makes the control characters of traced strings visible in formatted text; a presenter for a terminal must
    be safe. What the program itself writes (its formats) is left as it is.
    """

    def __init__(
        self,
        program: ir.Program,
        title: str,
        symbols: Symboliser,
        wall: WallClock | None = None,
        safe: bool = False,
        enum_names: Callable[[str], Mapping[int, str]] = lambda name: {},
    ) -> None:
        self.program = program
        self.symbols = symbols
        self._wall = wall or WallClock()
        self._words = safe_text if safe else text_of
        self._showing = Showing(symbols, self._wall, program.config.max_strlen, enum_names)
        self._maps = {decl.name: MapShowing(decl, self._showing) for decl in program.maps}
        self._tables = tuple(table_of(title, site) if isinstance(site, ir.Emit) else None for site in program.sites)
        self._sites = tuple(self._present_site(number, site) for number, site in enumerate(program.sites))

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables whose rows may come."""
        return tuple(table for table in self._tables if table)

    @property
    def names_processes(self) -> bool:
        """Does the program show addresses of processes? Then they should be remembered before they end."""
        return any(isinstance(kind, (Stack, Symbol)) and kind.user for kind in _kinds(self.program))

    def outputs(self, messages: Iterable[Message]) -> list[Output]:
        """What to show of these messages, in order."""
        result: list[Output] = []
        for message in messages:
            if isinstance(message, Hit):
                result += self._sites[message.site](message)
            else:
                result += self._other(message)
        return result

    def _other(self, message: Message) -> list[Output]:
        if isinstance(message, MapDump):
            return self._map(message)
        if isinstance(message, Attached):
            return [AttachedOutput(message.probes, message.missing)]
        if isinstance(message, Loss):
            return [LossOutput(message.kind, message.count, message.where, message.remedy)]
        if isinstance(message, Notice):
            return [NoticeOutput(message.text)]
        self._learn(message)
        return []

    def _learn(self, message: Message) -> None:
        """What names for addresses will need."""
        if isinstance(message, Mapped):
            self.symbols.mapped(message)
        elif isinstance(message, Forked):
            self.symbols.forked(message.pid, message.parent)
        elif isinstance(message, Stacked):
            self.symbols.remember(message.pid)

    def _map(self, dump: MapDump) -> list[Output]:
        showing = self._maps[dump.map]
        if self.program.map(dump.map).hidden:
            return []
        if dump.site < 0:
            return [showing.output(dump.entries, final=True)]
        site = self.program.sites[dump.site]
        assert isinstance(site, ir.PrintMap)
        return [showing.output(dump.entries, site.top, site.div)]

    def _present_site(self, number: int, site: ir.Site) -> _Present:
        """The function that presents the hits of a site."""
        maker = _SITES.get(type(site))
        return maker(self, number, site) if maker else lambda hit: []

    def _formatter(self, text: str, kinds: Sequence[Any]) -> Callable[[Sequence[Value]], str]:
        write = Formatter(text, self._words)
        showing = self._showing
        shows = tuple(
            (showing.of if letter == "s" else showing.number)(kind) for kind, letter in zip(kinds, write.letters)
        )
        return lambda values: write([show(value) for show, value in zip(shows, values)])

    def _printf(self, number: int, site: ir.Printf) -> _Present:
        write = self._formatter(site.format, site.types)
        return lambda hit: [Printed(write(hit.values), site.to, site.place)]

    def _emit(self, number: int, site: ir.Emit) -> _Present:
        table = self._tables[number]
        assert table is not None
        kinds = [kind for _, kind in site.columns]
        cuttable = tuple((i, name) for i, (name, kind) in enumerate(site.columns) if self._showing.cut(kind))
        shows = tuple(_readable if isinstance(kind, String) else self._showing.of(kind) for kind in kinds)
        epoch, was_cut = self._wall.of, self._showing.was_cut

        def row(hit: Hit) -> list[Output]:
            values = tuple([show(value) for show, value in zip(shows, hit.values)])
            cut = tuple([name for i, name in cuttable if was_cut(str(values[i]))]) if cuttable else ()
            return [Row(table, values, epoch(hit.nsecs), cut)]

        return row

    def _print_value(self, number: int, site: ir.PrintValue) -> _Present:
        if site.map is None:
            show = self._showing.of(site.type)  # type: ignore[arg-type]
            return lambda hit: [ValueOutput(show(hit.values[0]))]
        showing = self._maps[site.map]
        return lambda hit: [ValueOutput(showing.value(hit.values[-1]))]

    def _time(self, number: int, site: ir.Time) -> _Present:
        return lambda hit: [TextOutput("time", strftime(site.format, self._wall.of(hit.nsecs)))]

    def _cat(self, number: int, site: ir.Cat) -> _Present:
        write = self._formatter(site.format, site.types)
        return lambda hit: file_text(write(hit.values))

    def _join(self, number: int, site: ir.Join) -> _Present:
        def joined(hit: Hit) -> list[Output]:
            words = [self._words(str(value)) for value in hit.values]
            while words and not words[-1]:
                words.pop()
            return [TextOutput("join", site.delimiter.join(words) + "\n")]

        return joined

    def _system(self, number: int, site: ir.System) -> _Present:
        write = self._formatter(site.format, site.types)
        return lambda hit: shell_text(write(hit.values))


_SITES: dict[type, Callable[[Presenter, int, Any], _Present]] = {
    ir.Printf: Presenter._printf,
    ir.Emit: Presenter._emit,
    ir.PrintValue: Presenter._print_value,
    ir.Time: Presenter._time,
    ir.Cat: Presenter._cat,
    ir.Join: Presenter._join,
    ir.System: Presenter._system,
}


def _readable(text: Value) -> str | None:
    return None if text is UNREAD else str(text)


def safe_text(shown: Shown) -> str:
    """As `text_of`, with nothing in it that could steer a terminal."""
    return text_of(_safe(shown))


def _safe(shown: Shown) -> Shown:
    if isinstance(shown, str):
        return inert(shown)
    if isinstance(shown, tuple):
        return tuple(_safe(item) for item in shown)
    if isinstance(shown, Items):
        return Items(tuple(_safe(item) for item in shown.items))
    return replace(shown, names=tuple(map(inert, shown.names))) if isinstance(shown, Frames) else shown


def _kinds(program: ir.Program) -> list[Any]:
    """Every type that the program may show."""
    kinds: list[Any] = []
    for site in program.sites:
        kinds += getattr(site, "types", ())
        kinds += [kind for _, kind in getattr(site, "columns", ())]
        kinds.append(getattr(site, "type", None))
    for decl in program.maps:
        kinds += [*decl.keys, decl.value]
    return kinds
