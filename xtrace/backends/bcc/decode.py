"""The worker's lines as messages. Values travel as the type codes of `xtrace.backends.bcc.layout` say."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

from xtrace.core.messages import (
    Attached,
    Exited,
    HistValue,
    Hit,
    Loss,
    MapDump,
    MapEntryValue,
    Message,
    Notice,
    StackValue,
    StatsValue,
    SymbolValue,
    Value,
)


class WorkerError(Exception):
    """The worker could not go on: `stage` is `compile` or `run`."""

    def __init__(self, stage: str, text: str) -> None:
        super().__init__(text)
        self.stage = stage


@dataclass(frozen=True)
class Finished:
    """The worker has said everything."""


class Decoder:
    """Reads one session's lines; `tables` are those that the artifact holds."""

    def __init__(self, tables: Mapping[str, Any]) -> None:
        self._sites: Sequence[Mapping[str, Any]] = tables["sites"]
        self._maps: Mapping[str, Mapping[str, Any]] = {about["name"]: about for about in tables["maps"]}
        self._readers: Mapping[str, Callable[..., Union[Message, Finished]]] = {
            "attached": lambda probes, missing: Attached(probes, tuple(missing)),
            "hit": self._hit,
            "map": self._dump,
            "loss": Loss,
            "notice": Notice,
            "exited": Exited,
            "finished": Finished,
        }

    def message(self, line: Union[str, bytes]) -> Union[Message, Finished]:
        """One line. Raises WorkerError where the worker gives up."""
        words = json.loads(line)
        if words[0] == "failed":
            raise WorkerError(words[1], words[2])
        return self._readers[words[0]](*words[1:])

    def _hit(self, number: int, sent: list[Any], nsecs: int, cpu: int) -> Hit:
        site = self._sites[number]
        values = [value(code, one) for code, one in zip(site["values"], sent)]
        if site.get("lookup"):
            values.append(entry(self._maps[site["map"]], sent[-1]))  # type: ignore[arg-type]
        return Hit(number, tuple(values), nsecs, cpu)

    def _dump(self, name: str, number: int, sent: list[Any]) -> MapDump:
        about = self._maps[name]
        entries = tuple(
            (tuple(value(code, key) for code, key in zip(about["keys"], keys)), entry(about, state))
            for keys, state in sent
        )
        return MapDump(name, entries, number)


def value(code: Sequence[Any], sent: Any) -> Value:
    """A value of a type as messages carry it."""
    kind = code[0]
    if kind == "string":
        return bytes(sent, "latin-1").decode("utf-8", "surrogateescape")
    if kind in ("array", "buffer", "inet"):
        return bytes.fromhex(sent)
    if kind == "tuple":
        return tuple(value(item, part) for item, part in zip(code[1], sent))
    if kind in ("kstack", "ustack"):
        pid, addresses, frames = sent
        return StackValue(tuple(addresses), pid, tuple(frames))
    if kind in ("ksym", "usym"):
        return SymbolValue(*sent)
    number: int = sent
    return number


def entry(about: Mapping[str, Any], state: Any) -> MapEntryValue:
    """The state of a map at one key."""
    kind = about["kind"]
    if kind == "value":
        return value(about["value"], state)
    if kind in ("hist", "lhist"):
        return HistValue(tuple((bucket, count) for bucket, count in state if count))
    if kind in ("count", "sum"):
        total: int = state[0]
        return total
    count, total = state
    if kind in ("avg", "stats"):
        return StatsValue(count, total if about["signed"] else total & (2**64 - 1))
    return StatsValue(min(count, 1), total, **{"low" if kind == "min" else "high": total})
