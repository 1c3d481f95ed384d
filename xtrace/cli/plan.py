"""`xtrace plan TOOL`: every backend's verdict, with reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xtrace.cli.options import Wishes, plan_options
from xtrace.cli.programs import programs_command

if TYPE_CHECKING:
    from xtrace.core.plan.choose import Ranking
    from xtrace.core.plan.model import Plan, Request


def request_of(program: Any, title: str, options: dict[str, Any], **details: Any) -> Request:
    """The request that a run would make. A process is not started for a plan."""
    from xtrace.cli.surroundings import probe_paths
    from xtrace.core import ir
    from xtrace.core.plan.model import Request

    follow = bool(options.get("follow") or options.get("command"))
    pid = options.get("pid") or (1 if options.get("command") else None)
    scope = ir.Scope(pid, follow and pid is not None, options.get("uid"), options.get("cgroup"))
    config = ir.Config(aggregate=options.get("aggregate", "auto"), buffer_kb=options.get("buffer_kb", 0))
    return Request(program, title, scope, config, probe_paths=probe_paths(), **details)


def ranking_of(request: Request, facts_file: str | None, wish: str | None) -> Ranking:
    from xtrace.cli.surroundings import backends, host, tell_if_closed
    from xtrace.core.plan.choose import choose
    from xtrace.core.plan.planning import plan_all

    facts = host(facts_file)
    tell_if_closed(facts)
    return choose(plan_all(request, facts, backends(wish)), wish)


def _plan(program: Any, title: str, options: dict[str, Any]) -> int:
    from xtrace.core.describe.plans import plan_document, plan_text
    from xtrace.core.errors import PlanError

    as_json, facts_file = options.pop("as_json"), options.pop("facts")
    request = request_of(program, title, options)
    ranking = ranking_of(request, facts_file, options["backend"])
    if as_json:
        import json

        print(json.dumps(plan_document(title, ranking), indent=2))
    else:
        print(plan_text(title, ranking))
    return 0 if ranking.ranked else PlanError.exit_code


def plan_quietly(program: Any, title: str, wishes: Wishes, parameters: tuple[str, ...], unsafe: bool) -> int:
    """Parse, type and plan; warn of what is odd, raise what is wrong, PlanError where no backend can serve."""
    _best(program, title, wishes, parameters, unsafe)
    return 0


def list_attached(program: Any, title: str, wishes: Wishes, parameters: tuple[str, ...], unsafe: bool) -> int:
    """Print what the program would attach to, one attach point per line. Raises as `plan_quietly`."""
    plan = _best(program, title, wishes, parameters, unsafe)
    for name in dict.fromkeys(point.name for clause in plan.program.clauses for point in clause.attach):
        print(name)
    return 0


def _best(program: Any, title: str, wishes: Wishes, parameters: tuple[str, ...], unsafe: bool) -> Plan:
    from xtrace.cli.surroundings import host
    from xtrace.cli.tracing import warner
    from xtrace.core.plan.checking import check_request
    from xtrace.core.session.conduct import refusal

    options = {name: getattr(wishes, name) for name in ("pid", "command", "follow", "aggregate", "buffer_kb")}
    request = request_of(program, title, options, parameters=parameters, unsafe=unsafe)
    for warning in check_request(request):
        warner(wishes)(warning)
    ranking = ranking_of(request, None, wishes.backend)
    if not ranking.ranked:
        raise refusal(list(ranking.refused), title, host(None))
    return ranking.ranked[0].plan


command = programs_command(
    "plan", _plan, plan_options, "-e", "Explain how a TOOL, a FILE, or -e PROGRAM would run here. Runs nothing."
)
