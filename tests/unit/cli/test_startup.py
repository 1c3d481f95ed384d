"""What starting costs: the help must load nothing that it does not need."""

from __future__ import annotations

import subprocess
import sys

HEAVY = (
    "rich",
    "jinja2",
    "yaml",
    "pluggy",
    "xtrace.backends",
    "xtrace.core.ir",
    "xtrace.core.lang.parser",
    "importlib.metadata",
)


def loaded(*words: str) -> set[str]:
    """The modules that a command line has loaded at its end."""
    program = (
        "import sys; from xtrace.cli.main import run\n"
        f"code = run({list(words)!r}); print(*sys.modules, sep='\\n', file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_help_loads_no_engine_and_no_library() -> None:
    modules = loaded("--help")
    assert not [name for name in HEAVY if name in modules]


def test_the_help_of_a_command_loads_no_engine() -> None:
    modules = loaded("doctor", "--help")
    assert not [name for name in HEAVY if name in modules]


def test_a_program_of_timers_loads_neither_templates_nor_other_engines() -> None:
    modules = loaded("trace", "-e", "BEGIN { exit(); }")
    assert "xtrace.backends.ftrace.backend" in modules
    unwanted = ("jinja2", "yaml", "rich", "xtrace.backends.bcc", "xtrace.backends.systemtap")
    assert not [name for name in unwanted if name in modules]
