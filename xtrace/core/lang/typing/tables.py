"""What the clauses of a program share: its maps and its output sites, and how to take back what a trial wrote."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from xtrace.core import ir
from xtrace.core.lang.source import Span
from xtrace.core.records import dataclass
from xtrace.core.types import CType, Unknown, ValueType


@dataclass(frozen=True)
class MapEntry:
    """What is known of a map so far. `keys` is None and `value` Unknown until something tells."""

    keys: Optional[tuple[CType, ...]] = None
    keys_span: Optional[Span] = None
    value: ValueType = Unknown()
    value_span: Optional[Span] = None
    used_span: Optional[Span] = None
    read: bool = False


@dataclass(frozen=True)
class Snapshot:
    maps: dict[str, MapEntry]
    sites: int
    unsettled: bool


class Tables:
    """The map table and the site table. Entries are immutable, so a snapshot is a shallow copy.

    `unsettled` tells that a map's type changed after something had read it: the readers must be typed again.
    """

    def __init__(self) -> None:
        self.maps: dict[str, MapEntry] = {}
        self.sites: list[ir.Site] = []
        self.unsettled = False
        self._site_numbers: dict[ir.Site, int] = {}

    def snapshot(self) -> Snapshot:
        return Snapshot(dict(self.maps), len(self.sites), self.unsettled)

    def restore(self, snapshot: Snapshot) -> None:
        self.maps = dict(snapshot.maps)
        self.unsettled = snapshot.unsettled
        for site in self.sites[snapshot.sites :]:
            del self._site_numbers[site]
        del self.sites[snapshot.sites :]

    def clear_sites(self) -> None:
        self.sites.clear()
        self._site_numbers.clear()

    def site(self, site: ir.Site) -> int:
        """The number of a site; equal sites share one."""
        number = self._site_numbers.setdefault(site, len(self.sites))
        if number == len(self.sites):
            self.sites.append(site)
        return number

    def entry(self, name: str, span: Optional[Span]) -> MapEntry:
        """What is known of a map; a new name is entered."""
        found = self.maps.get(name)
        if found is None:
            found = self.maps[name] = MapEntry(used_span=span)
        return found

    def mark_read(self, name: str, span: Optional[Span]) -> MapEntry:
        entry = self.entry(name, span)
        if not entry.read:
            entry = self.maps[name] = replace(entry, read=True)
        return entry

    def set_keys(self, name: str, keys: tuple[CType, ...], span: Optional[Span]) -> None:
        entry = self.entry(name, span)
        if entry.keys != keys:
            self._change(name, replace(entry, keys=keys, keys_span=entry.keys_span or span), entry.read)

    def set_value(self, name: str, value: ValueType, span: Optional[Span]) -> None:
        entry = self.entry(name, span)
        if entry.value != value or entry.value_span is None:
            changed = replace(entry, value=value, value_span=entry.value_span or span)
            self._change(name, changed, entry.read and entry.value != value)

    def _change(self, name: str, entry: MapEntry, was_read: bool) -> None:
        self.maps[name] = entry
        self.unsettled = self.unsettled or was_read
