"""What planning gives: a plan or a refusal, per backend, each with reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import IntEnum
from pathlib import Path
from typing import Literal, Optional, Union

from xtrace.core import ir
from xtrace.core.errors import Diagnostic
from xtrace.core.lang import ast
from xtrace.core.lang.source import Span
from xtrace.core.records import dataclass

SHIPPED_PROBES = Path(__file__).parents[2] / "probes"
"""xtrace's own named events and tools; plugins add more directories."""


@dataclass(frozen=True)
class Request:
    """What the user asks for, the same for every backend: a parsed program with its options folded.

    `parameters` are the positional parameters; the scope comes from -p, -c, --uid and --cgroup. `probe_paths` are the
    directories in which named events are looked up. With `elsewhere` the artifact may run on another host, so software
    that is not installed here is a degradation, not a refusal.
    """

    program: ast.Program
    title: str
    scope: ir.Scope = ir.Scope()
    config: ir.Config = ir.Config()
    parameters: tuple[str, ...] = ()
    cpid: int = 0
    unsafe: bool = False
    probe_paths: tuple[Path, ...] = (SHIPPED_PROBES,)
    elsewhere: bool = False


@dataclass(frozen=True)
class Finding:
    """One thing a backend needs and whether it is there, for `doctor` and for the reasons of a refusal.

    `state`: ok, warn, fail, unknown (could not look), skip.
    """

    subject: str
    state: Literal["ok", "warn", "fail", "unknown", "skip"]
    evidence: str
    remedy: str = ""


@dataclass(frozen=True)
class Degradation:
    """Something the user asked for that this backend gives only in part; shown before the run.

    `minor`: a rarity, which decides nothing between backends; a run tells it with -v, or where it concerns the target.
    """

    message: str
    span: Optional[Span] = None
    minor: bool = False


@dataclass(frozen=True)
class Choice:
    """Which source of a named event serves, and why the ones before it were passed over."""

    event: str
    source: str
    passed_over: tuple[tuple[str, str], ...] = ()
    approximate: str = ""


class Start(IntEnum):
    """How long a plan takes until its first event."""

    AT_ONCE = 0
    SECONDS = 1
    MINUTES = 2


@dataclass(frozen=True)
class Plan:
    """How one backend would run the program here. Immutable data, ready to render.

    `aggregates_in_kernel` and `start` are what `choose` weighs; `costs` are words for the user.
    `detail` is the backend's own lowered model.
    """

    backend: str
    program: ir.Program
    degradations: tuple[Degradation, ...] = ()
    choices: tuple[Choice, ...] = ()
    costs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    aggregates_in_kernel: bool = False
    start: Start = Start.AT_ONCE
    detail: object = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Refusal:
    """Why one backend cannot run the program here: every reason, each with its span and what would help."""

    backend: str
    reasons: tuple[Diagnostic, ...]
    choices: tuple[Choice, ...] = ()


Verdict = Union[Plan, Refusal]


@dataclass(frozen=True)
class Artifact:
    """Rendered text that runs without xtrace. `main` names the file to run, `run` the command line that does it.

    `files` are texts by relative name. `plan` is what it was made of; a launcher needs it to decode the output.
    """

    backend: str
    files: Mapping[str, str]
    main: str
    run: tuple[str, ...]
    plan: Plan
