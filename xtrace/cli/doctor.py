"""`xtrace doctor`: what works on this host, and how to fix the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from xtrace.cli import completion
from xtrace.cli.options import FACTS_OPTION, JSON_OPTION
from xtrace.core.errors import UsageError

if TYPE_CHECKING:
    from xtrace.doctor.model import Check

_LACKING, _BROKEN = 1, 3


@click.command()
@click.option("--active", is_flag=True, help="Run each canary against a process started for it (needs root).")
@click.option("--backend", metavar="NAME", help="Only this backend.", shell_complete=completion.backends)
@click.option("--check", "wanted", multiple=True, metavar="ID", help="Only this check, and no canaries; repeatable.")
@click.option("--list-checks", is_flag=True, help="Name all checks.")
@click.option("--strict", is_flag=True, help="Exit with 1 for any warning too.")
@click.option("-v", "--verbose", is_flag=True, help="Also show what is well.")
@FACTS_OPTION
@JSON_OPTION
@click.argument("tool", required=False, shell_complete=completion.tools)
def command(
    active: bool,
    backend: str | None,
    wanted: tuple[str, ...],
    list_checks: bool,
    strict: bool,
    verbose: bool,
    facts: str | None,
    as_json: bool,
    tool: str | None,
) -> int:
    """Tell what can be traced on this host with which engine, why the rest cannot, and what to type to change that.

    With TOOL only whether that tool can run here. It changes nothing; --active attaches probes to its own processes.

    Exit codes: 0 something can be traced, 1 nothing can (or --strict and something to fix), 2 usage, 3 a check crashed.
    """
    from xtrace.cli.surroundings import backends, host, plugins
    from xtrace.doctor.examine import checks

    known = backends(backend)
    all_checks = checks(plugins(), known)
    if list_checks:
        for one in all_checks:
            print(f"{one.id:<24}{one.title}")
        return 0
    if active and facts:
        raise UsageError.of("XT0003", "a recorded host cannot be tried", hints=("leave out --active or --facts",))
    if tool is not None:
        return _tool(tool, facts, backend, as_json)
    if wanted:
        return _checks(_chosen(all_checks, wanted), facts, as_json, strict)
    from xtrace.doctor.examine import examine
    from xtrace.doctor.report import document, text

    examined = host(facts)
    if active:
        from xtrace.core.session.namespaces import need_host_ids

        need_host_ids("--active, which traces a program of its own,", examined)
    found = examine(examined, all_checks, known, active)
    _print(document(found) if as_json else text(found, verbose))
    if found.crashed:
        return _BROKEN
    return 0 if found.usable and (found.spotless or not strict) else _LACKING


def _tool(name: str, facts_file: str | None, backend: str | None, as_json: bool) -> int:
    from xtrace.cli.main import unknown
    from xtrace.cli.surroundings import backends, host, probe_paths
    from xtrace.core.describe.plans import plan_document, plan_text
    from xtrace.core.describe.tool import ranking
    from xtrace.core.probes.tools import find_tool, tool_names

    paths = probe_paths()
    tool = find_tool(name, paths)
    if tool is None:
        raise unknown("tool", name, tool_names(paths), "XT0005", "xtrace list names the tools")
    ranked = ranking(tool, host(facts_file), backends(backend), paths)
    _print(plan_document(name, ranked) if as_json else plan_text(name, ranked))
    return 0 if ranked.ranked else _LACKING


def _chosen(known: tuple[Check, ...], wanted: tuple[str, ...]) -> list[Check]:
    from xtrace.cli.main import unknown

    by_id = {one.id: one for one in known}
    for name in wanted:
        if name not in by_id:
            raise unknown("check", name, by_id, "XT0011", "xtrace doctor --list-checks names them")
    return [by_id[name] for name in wanted]


def _checks(chosen: list[Check], facts_file: str | None, as_json: bool, strict: bool) -> int:
    from xtrace.cli.surroundings import host
    from xtrace.doctor.examine import run
    from xtrace.doctor.report import results_document, results_text

    facts = host(facts_file)
    results = [run(one, facts) for one in chosen]
    _print(results_document(results) if as_json else results_text(results))
    if any(one.crash for one in results):
        return _BROKEN
    bad = ("fail", "warn") if strict else ("fail",)
    return _LACKING if any(f.state in bad for one in results for f in one.findings) else 0


def _print(report: object) -> None:
    import json

    print(report if isinstance(report, str) else json.dumps(report, indent=2))
