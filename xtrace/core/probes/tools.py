"""Tools: programs over events with options and help, one YAML file each (`tools/NAME.yaml`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Union

from xtrace.core.errors import Diagnostic, ProgramError
from xtrace.core.lang.source import Source
from xtrace.core.probes.schema import Reader
from xtrace.core.probes.yaml_nodes import Items, Value, read
from xtrace.core.probes.yaml_nodes import Mapping as MappingNode
from xtrace.core.records import dataclass

OPTION_TYPES = ("flag", "int", "string")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Option:
    """One option of a tool; its value replaces `$NAME` in the program.

    `type` is flag, int or string; a flag is true or false, the others default to 0 and "".
    """

    name: str
    flags: tuple[str, ...]
    type: str = "flag"
    metavar: str = ""
    help: str = ""
    default: Union[bool, int, str] = False


@dataclass(frozen=True)
class Tool:
    """`columns` documents what the tool shows, by column name; `source` is the program's text with its place."""

    name: str
    summary: str
    description: str
    options: Mapping[str, Option]
    columns: Mapping[str, str]
    examples: tuple[str, ...]
    source: Source
    path: Path

    @property
    def help(self) -> str:
        """The tool's manual as `--help` shows it."""
        parts = [self.summary, self.description.strip()]
        if self.columns:
            parts.append("\b\nColumns:\n" + "\n".join(f"  {name:<12} {doc}" for name, doc in self.columns.items()))
        if self.examples:
            parts.append("\b\nExamples:\n" + "\n".join(f"  {line}" for line in self.examples))
        return "\n\n".join(part for part in parts if part)


def tool_names(paths: Sequence[Path]) -> tuple[str, ...]:
    """The names of all tools, by file name alone: nothing is read."""
    return tuple(dict.fromkeys(file.stem for file in _files(paths)))


def find_tool(name: str, paths: Sequence[Path]) -> Tool | None:
    """The tool of this name, or None. Raises ProgramError for a file that is wrong."""
    if not re.fullmatch(r"[\w.-]+", name):
        return None
    for file in (path / "tools" / f"{name}.yaml" for path in paths):
        if file.is_file():
            return load_tool(file)
    return None


def all_tools(paths: Sequence[Path]) -> tuple[tuple[Tool, ...], tuple[Diagnostic, ...]]:
    """Every tool that loads, and the complaints about those that do not."""
    tools: list[Tool] = []
    complaints: list[Diagnostic] = []
    for file in _files(paths):
        try:
            tools.append(load_tool(file))
        except ProgramError as error:
            complaints += error.diagnostics
    return tuple(tools), tuple(complaints)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted((path / "tools").glob("*.yaml"))


def load_tool(file: Path) -> Tool:
    """Read one tool. Raises ProgramError with everything that is wrong with the file."""
    source = Source(str(file), file.read_text(encoding="utf-8", errors="replace"))
    root, complaints = read(source)
    if not isinstance(root, MappingNode):
        wrong = () if root is None else (Diagnostic("XT0305", "a tool must be a mapping", root.span),)
        raise ProgramError(*complaints, *wrong)
    reader = Reader(root, list(complaints))
    tool = _tool(reader, file)
    if reader.complaints:
        raise ProgramError(*reader.complaints)
    return tool


def _tool(reader: Reader, file: Path) -> Tool:
    reader.only(("name", "summary", "description", "options", "columns", "examples", "program"))
    name = reader.text("name", required=True)
    if name and name != file.stem:
        reader.complain("XT0307", f"the file is {file.name} but the tool is {name}", reader.span_of("name"))
    options = reader.mapping("options")
    columns = reader.mapping("columns")
    return Tool(
        name=name,
        summary=reader.text("summary", required=True),
        description=reader.text("description"),
        options={key: _option(options.mapping(key), key) for key in options.node.entries},
        columns={key: columns.text(key) for key in columns.node.entries},
        examples=tuple(item.text for item in reader.items("examples") if isinstance(item, Value)),
        source=program_source(reader, file),
        path=file,
    )


def _option(reader: Reader, name: str) -> Option:
    reader.only(("flags", "type", "metavar", "help", "default"))
    if not _NAME.fullmatch(name):
        reader.complain("XT0308", f"{name!r} cannot be an option's name", reader.span, "use a-z, 0-9 and _")
    kind = reader.text("type", "flag")
    if kind not in OPTION_TYPES:
        hint = f"one of {', '.join(OPTION_TYPES)}"
        reader.complain("XT0305", f"an option cannot be of type {kind!r}", reader.span_of("type"), hint)
        kind = "flag"
    return Option(name, _flags(reader), kind, reader.text("metavar"), reader.text("help"), _default(reader, kind))


def _flags(reader: Reader) -> tuple[str, ...]:
    flags: list[str] = []
    for item in reader.items("flags", required=True):
        if isinstance(item, Value) and re.fullmatch(r"-[A-Za-z0-9]|--[a-z][a-z0-9-]*", item.text):
            flags.append(item.text)
        else:
            reader.complain("XT0308", "a flag is written -x or --long-name", item.span)
    return tuple(flags)


def _default(reader: Reader, kind: str) -> Union[bool, int, str]:
    standard: dict[str, Union[bool, int, str]] = {"flag": False, "int": 0, "string": ""}
    value = reader.scalar("default")
    if value is None:
        return standard[kind]
    wanted = type(standard[kind])
    if type(value.value) is not wanted:
        reader.complain("XT0305", f"the default of a {kind} option cannot be {value.text!r}", value.span)
        return standard[kind]
    assert isinstance(value.value, (bool, int, str))
    return value.value


def program_source(reader: Reader, file: Path) -> Source:
    """The program's text, padded so that its lines and columns are those of the YAML file."""
    value = reader.scalar("program")
    if value is None:
        if not isinstance(reader.node.entries.get("program"), (Items, MappingNode)):
            reader.complain("XT0306", "the key 'program' is missing", reader.span)
        return Source(str(file), "")
    text = value.span.source.text
    line = text.count("\n", 0, value.span.start)
    head, _, block = value.span.text.partition("\n")
    if head.strip() not in ("|", "|-", "|+"):
        return Source(str(file), "\n" * line + value.text)
    return Source(str(file), "\n" * (line + 1) + block)
