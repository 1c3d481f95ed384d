"""The example plugin, installed as a user would, and plugins that are broken."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "plugin_example"
PAGE = Path(__file__).parents[3] / "docs" / "plugins.md"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the example in it, made by pip."""
    return pip_install(EXAMPLE, tmp_path_factory.mktemp("plugin"))


@pytest.fixture(scope="module")
def of_the_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the plugin whose files docs/plugins.md shows, made by pip."""
    source = tmp_path_factory.mktemp("source")
    for path, text in re.findall(r"^```\w+\n# (\S+)\n(.*?)^```$", PAGE.read_text(), re.M | re.S):
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text)
    return pip_install(source, tmp_path_factory.mktemp("installed"))


def pip_install(source: Path, place: Path) -> Path:
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(place), str(source)]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode and "No matching distribution" in done.stderr:
        pytest.skip("pip cannot reach a package index for the build backend")
    assert done.returncode == 0, done.stderr
    return place


def xtrace(place: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "xtrace", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(place), **environment},
        timeout=60,
    )


def test_it_is_listed_with_all_that_it_brings(installed: Path) -> None:
    out = xtrace(installed, "plugins").stdout
    assert "  example 1.0" in out
    for line in ("backends: timers", "checks: EXAMPLE-WATCHDOG", "sinks: tabs", "commands: hello"):
        assert f"    {line}" in out
    assert "    capabilities: example.watchdog" in out
    assert "    probe_paths: example" in out


def test_its_command_is_in_the_help_and_runs(installed: Path) -> None:
    assert "hello" in xtrace(installed, "--help").stdout
    assert xtrace(installed, "hello", "you").stdout == "hello, you\n"


def test_its_backend_runs_what_it_can_and_refuses_the_rest(installed: Path) -> None:
    program = 'BEGIN { printf("up\\n"); } interval:ms:10 { printf("tick\\n"); exit(); } END { printf("down\\n"); }'
    assert xtrace(installed, "trace", "--backend", "timers", "-e", program).stdout == "up\ntick\ndown\n"
    refused = xtrace(installed, "plan", "--backend", "timers", "-e", "software:cs { @ = count(); }")
    assert refused.returncode == 4
    assert "nothing else [EX0001]" in refused.stdout
    assert xtrace(installed, "render", "--backend", "timers", "-e", "BEGIN { }").stdout == "begin\n"


def test_its_tool_event_fact_and_check_are_there(installed: Path) -> None:
    assert "sleepers" in xtrace(installed, "list").stdout
    assert "example.sleep" in xtrace(installed, "show", "example.sleep").stdout
    assert xtrace(installed, "facts", "example.watchdog").stdout.startswith("example.watchdog")
    assert "watchdog:" in xtrace(installed, "doctor", "--check", "EXAMPLE-WATCHDOG").stdout


def test_its_output_format_is_known(installed: Path) -> None:
    program = 'BEGIN { emit(pid = 1, name = "a"); exit(); }'
    assert xtrace(installed, "trace", "-f", "tabs", "-e", program).stdout == "pid\tname\n1\ta\n"


def test_the_plugin_of_the_page_is_whole(of_the_page: Path) -> None:
    out = xtrace(of_the_page, "plugins").stdout
    assert "  acme 1.0" in out and "probe_paths: acme" in out and "checks: ACME-PTRACE" in out
    assert "yama:" in xtrace(of_the_page, "doctor", "--check", "ACME-PTRACE").stdout
    assert "--name COMM" in xtrace(of_the_page, "run", "execcount", "--help").stdout
    shown = xtrace(of_the_page, "show", "execcount")
    assert shown.returncode == 0 and "process.exec" in shown.stdout


@pytest.mark.parametrize(
    ("words", "environment"),
    [(("--no-plugins", "hello"), {}), (("hello",), {"XTRACE_PLUGINS": ""}), (("hello",), {"XTRACE_PLUGINS": "other"})],
)
def test_it_can_be_left_out(installed: Path, words: tuple[str, ...], environment: dict[str, str]) -> None:
    assert xtrace(installed, *words, **environment).returncode == 2


# --- broken plugins --------------------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A directory on the path whose modules are installed as plugins by `install`."""
    yield tmp_path


def install(place: Path, name: str, text: str) -> Path:
    source = place / f"{name}.py"
    source.write_text(text)
    about = place / f"{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[xtrace]\n{name} = {name}\n")
    return source


HOOK = """
from xtrace.core.plugins import hookimpl
@hookimpl
def xtrace_register_{kind}(register):
    {body}
"""


def test_a_plugin_that_cannot_be_imported(place: Path) -> None:
    install(place, "broken", "import nosuchmodule")
    out = xtrace(place, "plugins").stdout
    assert "broken 1.0" in out
    assert "ModuleNotFoundError: No module named 'nosuchmodule' [XT1101]" in out
    assert "broken: ModuleNotFoundError" in xtrace(place, "doctor", "--check", "XT-PLUGINS").stdout
    assert xtrace(place, "trace", "-e", 'BEGIN { printf("up\\n"); exit(); }').stdout == "up\n", "all else works"


def test_a_hook_that_fails_and_a_name_that_is_taken(place: Path) -> None:
    install(place, "failing", HOOK.format(kind="backends", body="raise KeyError('for a test')"))
    install(place, "taking", HOOK.format(kind="sinks", body="register('text', lambda: None)"))
    out = xtrace(place, "plugins").stdout
    assert "failing: KeyError: 'for a test' [XT1102]" in out
    assert "sinks 'text' of taking is disabled: builtin already provides it [XT1102]" in out
    assert xtrace(place, "trace", "-e", 'BEGIN { printf("up\\n"); exit(); }').stdout == "up\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is protected from other users' files")
def test_root_refuses_what_others_may_write(place: Path) -> None:
    install(place, "loose", HOOK.format(kind="commands", body="pass")).chmod(0o666)
    assert "refused: " in xtrace(place, "plugins").stdout


def test_a_plugins_fact_that_fails_is_unprobed(place: Path) -> None:
    body = "register('some.fact', lambda: lambda host: 1 // 0)"
    install(place, "facts", HOOK.format(kind="capabilities", body=body))
    assert "unprobed  (its plugin failed: ZeroDivisionError" in xtrace(place, "facts", "some.fact").stdout
