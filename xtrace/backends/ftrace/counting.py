"""Maps that the kernel keeps, brought into the evaluator's maps whenever user space looks at them.

The kernel's tables only grow. What a program cleared or zeroed is remembered as a base that is taken off, because
clearing the table itself would lose what came between reading and clearing.
"""

from __future__ import annotations

from pathlib import Path

from xtrace.backends.ftrace import hist
from xtrace.backends.ftrace.instance import Instance
from xtrace.backends.ftrace.model import FtraceModel
from xtrace.core.errors import BackendError
from xtrace.core.evaluate.evaluator import Evaluator
from xtrace.core.messages import Loss

Key = tuple["int | str", ...]


class KernelMaps:
    """`refresh` before user space's clauses run, `settle` after."""

    def __init__(self, model: FtraceModel, instance: Instance, evaluator: Evaluator) -> None:
        self._model = model
        self._instance = instance
        self._names = tuple(dict.fromkeys(one.map for one in model.hists))
        self._stores = {name: evaluator.store(name) for name in self._names}
        self._base: dict[str, dict[Key, int]] = {name: {} for name in self._names}
        self._shown: dict[str, dict[Key, int]] = {name: {} for name in self._names}
        self._dropped: dict[str, int] = {}

    def refresh(self) -> None:
        """Bring the maps up to date. Raises BackendError where the kernel's tables cannot be read."""
        if not self._names:
            return
        try:
            totals = self._read()
        except (OSError, ValueError) as error:
            raise BackendError.of("XT0813", f"the kernel's counts cannot be read: {error}") from error
        for name in self._names:
            base, entries = self._base[name], self._stores[name].entries
            for key, total in totals[name].items():
                value = total - base.get(key, 0)
                if value or key in entries or key not in base:
                    entries[key] = value
            self._shown[name] = dict(entries)

    def settle(self) -> None:
        """Remember what clauses have taken away since `refresh`."""
        for name in self._names:
            base, entries = self._base[name], self._stores[name].entries
            for key, value in self._shown[name].items():
                base[key] = base.get(key, 0) + value - entries.get(key, 0)
            self._shown[name] = dict(entries)

    def _read(self) -> dict[str, dict[Key, int]]:
        totals: dict[str, dict[Key, int]] = {name: {} for name in self._names}
        for event in dict.fromkeys(one.event for one in self._model.hists):
            text = self._table(event)
            for one in self._model.hists:
                if one.event != event:
                    continue
                section = hist.section_of(text, one)
                for key, value in hist.entries(section, one).items():
                    totals[one.map][key] = totals[one.map].get(key, 0) + value
                self._dropped[f"@{one.map}"] = max(self._dropped.get(f"@{one.map}", 0), hist.dropped(section))
        return totals

    def _table(self, number: int) -> bytes:
        event = self._model.events[number]
        system = self._instance.name if event.own else event.system
        path = Path(self._instance.tracefs.root, self._instance.path, "events", system, event.name, "hist")
        return path.read_bytes()

    def losses(self) -> list[Loss]:
        """Updates that found a table full."""
        remedy = f"raise max_map_keys (now {self._model.program.config.max_map_keys}) in the program's config"
        return [Loss("map-full", count, name, remedy) for name, count in self._dropped.items() if count]
