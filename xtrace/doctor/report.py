"""An examination as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xtrace import __version__
from xtrace.core.plan.model import Finding
from xtrace.doctor.model import Examination, Result

_WIDTH = 12


def text(found: Examination, verbose: bool = False) -> str:
    """The report: verdict per engine, the grid, why not, and what to fix; with `verbose` also what is well."""
    lines = [_title(found), "", "Engines:"]
    width = 2 + max(len(name) for name in found.standings)
    for name, (standing, why) in found.standings.items():
        lines.append(f"  {name:<{width}}{standing}{f' ({why})' if why else ''}")
    lines += ["", "What can be traced" + (", tried for real:" if found.active else " (--active tries it for real):")]
    lines += _grid(found)
    reasons = list(_reasons(found))
    lines += ["", "Why not:", *reasons] if reasons else []
    findings = [line for result in found.results for line in _result(result, verbose)]
    findings += [] if verbose else _unknown(found.results)
    lines += ["", "Findings:", *findings] if findings else ["", "Nothing else to report."]
    return "\n".join(lines)


def _title(found: Examination) -> str:
    host = found.host
    who = "recorded" if host["recorded"] else "as root" if host["uid"] == 0 else f"as user {host['uid']}"
    return f"xtrace {__version__} on {host['name']}, Linux {host['release']} {host['arch']}, {who}"


def _grid(found: Examination) -> list[str]:
    backends = list(found.standings)
    answers = {(cell.canary, cell.backend): cell.answer for cell in found.cells}
    kinds = list(dict.fromkeys(cell.canary for cell in found.cells))
    width = 4 + max(map(len, kinds), default=0)
    head = " " * width + "".join(f"{name:<{_WIDTH}}" for name in backends)
    rows = [
        f"  {kind:<{width - 2}}" + "".join(f"{answers[kind, name]:<{_WIDTH}}" for name in backends) for kind in kinds
    ]
    return [line.rstrip() for line in (head, *rows)]


def _reasons(found: Examination) -> Iterator[str]:
    """Each reason once, with the kinds and the backend that it holds for."""
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for cell in found.cells:
        if cell.why:
            grouped.setdefault((cell.backend, cell.why, cell.remedy), []).append(cell.canary)
    total = len({cell.canary for cell in found.cells})
    for (backend, why, remedy), kinds in grouped.items():
        what = "nearly everything" if len(kinds) >= total - 1 else ", ".join(kinds)
        yield f"  {backend}, {what}: {why}"
        if remedy:
            yield f"      fix: {remedy}"


_SHOWN = ("warn", "fail")


def _unknown(results: Sequence[Result]) -> Iterator[str]:
    """What could not be looked at: each reason once, with all that it keeps from being known."""
    grouped: dict[str, list[str]] = {}
    for result in results:
        for one in result.findings:
            if one.state == "unknown":
                grouped.setdefault(one.evidence, []).append(f"{one.subject} [{result.id}]")
    for evidence, subjects in grouped.items():
        yield f"  unknown  {', '.join(subjects)}: {evidence}"


def _result(result: Result, verbose: bool) -> Iterator[str]:
    if result.crash:
        yield f"  crash    {result.id}: {result.crash}"
    for one in result.findings:
        if verbose or one.state in _SHOWN:
            yield f"  {one.state:<9}{one.subject}: {one.evidence} [{result.id}]"
            if one.remedy and one.state != "ok":
                yield f"           fix: {one.remedy}"


def document(found: Examination) -> dict[str, object]:
    """The examination as a JSON object of schema `xtrace.doctor/1`."""
    return {
        "schema": "xtrace.doctor/1",
        "version": __version__,
        "host": dict(found.host),
        "active": found.active,
        "engines": [
            {"name": name, "standing": standing, "why": why or None}
            for name, (standing, why) in found.standings.items()
        ],
        "canaries": [vars(cell) for cell in found.cells],
        "checks": [_result_document(one) for one in found.results],
    }


def results_text(results: Sequence[Result]) -> str:
    """All findings of some checks."""
    return "\n".join(line for one in results for line in _result(one, verbose=True))


def results_document(results: Sequence[Result]) -> dict[str, object]:
    """Some checks as a JSON object of schema `xtrace.checks/1`."""
    return {"schema": "xtrace.checks/1", "checks": [_result_document(one) for one in results]}


def _result_document(one: Result) -> dict[str, object]:
    return {
        "id": one.id,
        "title": one.title,
        "crash": one.crash or None,
        "seconds": round(one.seconds, 3),
        "findings": [_finding(finding) for finding in one.findings],
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {**vars(finding), "remedy": finding.remedy or None}
