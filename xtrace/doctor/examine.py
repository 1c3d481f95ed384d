"""Runs checks and canaries. Each check stands alone: one that breaks is a result, never the end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from xtrace.core.backend import Backend
from xtrace.core.facts.model import HostFacts
from xtrace.core.plan.model import Finding
from xtrace.core.plugins import Plugins
from xtrace.doctor.grid import planned
from xtrace.doctor.model import GOOD, Cell, Check, Examination, Result, Standing

PLUGINS = "XT-PLUGINS"


def checks(plugins: Plugins, backends: Mapping[str, Backend]) -> tuple[Check, ...]:
    """All checks: the registered ones, what each backend needs, and the plugins themselves."""
    registry = plugins.registry("checks")
    found = [Check(name, _title(registry.make(name)), registry.make(name)) for name in registry.names()]
    found += [Check(engine_id(name), f"What {name} needs.", one.check) for name, one in backends.items()]
    return (*found, Check(PLUGINS, "Plugins that do not load.", lambda facts: _plugins(plugins)))


def engine_id(backend: str) -> str:
    """The id of the check of what a backend needs."""
    return f"XT-ENGINE-{backend.upper()}"


def _title(run: object) -> str:
    return (getattr(run, "__doc__", None) or "").strip().partition("\n")[0] or "A check without a title."


def _plugins(plugins: Plugins) -> tuple[Finding, ...]:
    from xtrace.core.describe.plugged import problems

    found = problems(plugins)
    if not found:
        return (Finding("plugins", "ok", f"{len(plugins.loaded)} installed"),)
    return tuple(Finding(name, "warn", words, "upgrade or uninstall the plugin") for name, words in found)


def run(check: Check, facts: HostFacts) -> Result:
    """One check's findings, with how long it took."""
    started = time.monotonic()
    try:
        findings = tuple(check.run(facts))
    except Exception as error:  # a broken check is a result; it may be a plugin's
        return Result(check.id, check.title, crash=f"{type(error).__name__}: {error}")
    return Result(check.id, check.title, findings, seconds=time.monotonic() - started)


def examine(
    facts: HostFacts, chosen: Sequence[Check], backends: Mapping[str, Backend], active: bool = False
) -> Examination:
    """Run the checks, then plan every canary on every backend, and with `active` run those that can be."""
    results = tuple(run(check, facts) for check in chosen)
    fatal = _fatal(results, backends)
    cells = tuple(_barred(cell, fatal.get(cell.backend)) for cell in planned(facts, backends))
    if active:
        from xtrace.doctor.trials import tried

        cells = tuple(tried(cells, facts, backends))
    standings = {name: _standing([c for c in cells if c.backend == name], fatal.get(name)) for name in backends}
    return Examination(_host(facts), results, cells, standings, active)


def _fatal(results: Iterable[Result], backends: Mapping[str, Backend]) -> Mapping[str, Finding]:
    """The first thing that a backend needs and does not have, by backend."""
    engines = {engine_id(name): name for name in backends}
    return {
        engines[result.id]: finding
        for result in results
        if result.id in engines
        for finding in reversed(result.findings)
        if finding.state == "fail"
    }


def _barred(cell: Cell, fatal: Finding | None) -> Cell:
    """A plan is worth nothing where the engine lacks what it needs. Timers need no engine."""
    if fatal is None or cell.canary == "interval" or cell.answer not in GOOD:
        return cell
    return Cell(cell.canary, cell.backend, "no", f"{fatal.subject}: {fatal.evidence}", fatal.remedy)


def _host(facts: HostFacts) -> Mapping[str, object]:
    return {
        "name": facts.fact("os.name").value or facts.fact("os.id").value or "unknown distribution",
        "release": facts.release,
        "arch": facts.arch,
        "uid": facts.fact("caller.uid").value,
        "recorded": facts.recorded,
    }


def _standing(cells: Sequence[Cell], fatal: Finding | None) -> tuple[Standing, str]:
    """A backend is what it can do."""
    if fatal is not None:
        return "unusable", f"{fatal.subject}: {fatal.evidence}"
    lacking = [cell for cell in cells if cell.answer not in ("yes", "works") and cell.canary != "interval"]
    if not lacking:
        return "usable", ""
    if any(cell.answer in GOOD for cell in cells if cell.canary != "interval"):
        return "usable with limits", f"not or not fully: {', '.join(cell.canary for cell in lacking)}"
    if all(cell.answer == "unknown" for cell in lacking):
        return "unknown", lacking[0].why
    return "unusable", lacking[0].why
