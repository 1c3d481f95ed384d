"""Tools as YAML: options, programs that keep their place, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from xtrace.core.errors import ProgramError
from xtrace.core.lang.parser import parse
from xtrace.core.probes.tools import Tool, all_tools, find_tool, load_tool, tool_names

TOOL = """\
name: watch
summary: Watches.
options:
  failed: {flags: [-x, --failed], help: Only failures.}
  least: {flags: [--least], type: int, default: 3, metavar: MS}
  name: {flags: [-n, --name], type: string}
columns: {PID: The process.}
examples: [xtrace run watch]
program: |
  begin { emit(pid); }
  end { exit(); }
"""


def written(directory: Path, text: str, name: str = "watch") -> Path:
    file = directory / "tools" / f"{name}.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return file


def test_a_tool_as_written(tmp_path: Path) -> None:
    tool = load_tool(written(tmp_path, TOOL))
    assert (tool.name, tool.summary, dict(tool.columns)) == ("watch", "Watches.", {"PID": "The process."})
    assert {name: (one.type, one.default, one.flags) for name, one in tool.options.items()} == {
        "failed": ("flag", False, ("-x", "--failed")),
        "least": ("int", 3, ("--least",)),
        "name": ("string", "", ("-n", "--name")),
    }


@pytest.mark.parametrize("mark", ["|", "|-"])
def test_the_program_keeps_its_place_in_the_file(tmp_path: Path, mark: str) -> None:
    file = written(tmp_path, TOOL.replace("program: |", f"program: {mark}"))
    program = parse(load_tool(file).source)
    assert [clause.span.location() for clause in program.clauses] == [f"{file}:10:3", f"{file}:11:3"]


def test_a_program_on_one_line(tmp_path: Path) -> None:
    text = TOOL[: TOOL.index("program:")] + "program: begin { exit(); }\n"
    (clause,) = parse(load_tool(written(tmp_path, text)).source).clauses
    assert clause.span.source.position(clause.span.start)[0] == 9


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("name: watch", "name: other", "XT0307"),
        ("name: watch\n", "", "XT0306"),
        ("summary: Watches.", "summary: 3", "XT0305"),
        ("summary: Watches.", "summery: Watches.", "XT0304"),
        ("flags: [-x, --failed]", "flags: [-xyz]", "XT0308"),
        ("flags: [-x, --failed]", "flags: -x", "XT0305"),
        ("flags: [-x, --failed], ", "", "XT0306"),
        ("type: int", "type: float", "XT0305"),
        ("default: 3", "default: many", "XT0305"),
        ("default: 3", "default: true", "XT0305"),
        ("  failed:", "  9failed:", "XT0308"),
        ("program: |\n  begin { emit(pid); }\n  end { exit(); }\n", "", "XT0306"),
        ("options:", "summary: Again.\noptions:", "XT0303"),
        ("examples: [xtrace run watch]", "examples: [", "XT0301"),
    ],
)
def test_what_is_wrong_with_a_tool(tmp_path: Path, before: str, after: str, code: str) -> None:
    assert before in TOOL
    with pytest.raises(ProgramError) as caught:
        load_tool(written(tmp_path, TOOL.replace(before, after)))
    assert code in {one.code for one in caught.value.diagnostics}
    assert all(one.span is not None for one in caught.value.diagnostics)


def test_only_the_tool_that_is_asked_for_is_read(tmp_path: Path) -> None:
    written(tmp_path, TOOL)
    written(tmp_path, "[", "broken")
    assert tool_names([tmp_path]) == ("broken", "watch")
    found = find_tool("watch", [tmp_path])
    assert isinstance(found, Tool)
    assert find_tool("none", [tmp_path]) is None
    assert find_tool("../tools/watch", [tmp_path]) is None


def test_broken_tools_do_not_take_the_others_along(tmp_path: Path) -> None:
    written(tmp_path, TOOL)
    written(tmp_path, "[", "broken")
    tools, complaints = all_tools([tmp_path])
    assert [tool.name for tool in tools] == ["watch"]
    assert [one.code for one in complaints] == ["XT0301"]


def test_a_file_that_is_not_text_is_a_complaint(tmp_path: Path) -> None:
    file = written(tmp_path, "")
    file.write_bytes(b"\xff\xfe\0name: watch")
    with pytest.raises(ProgramError):
        load_tool(file)
