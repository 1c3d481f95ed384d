"""The named events and tools that xtrace ships."""

from __future__ import annotations

import pytest

from xtrace.core.describe.tool import defaults, program
from xtrace.core.lang.typing.checking import check
from xtrace.core.lang.typing.host import Settings
from xtrace.core.plan.model import SHIPPED_PROBES
from xtrace.core.probes.events import Event, all_events, find_event
from xtrace.core.probes.tools import Tool, all_tools
from xtrace.core.types import CType

EVENTS, EVENT_COMPLAINTS = all_events([SHIPPED_PROBES])
TOOLS, TOOL_COMPLAINTS = all_tools([SHIPPED_PROBES])
PROMISED = frozenset(
    {
        "file.open", "file.close", "process.exec", "process.exit", "process.fork", "syscall.enter", "syscall.exit",
        "tcp.connect", "tcp.accept", "tcp.close", "tcp.state", "tcp.drop", "tcp.retransmit", "block.io.start",
        "block.io.done", "sched.switch", "sched.wakeup", "irq.hard", "irq.soft", "vfs.read", "vfs.write", "signal.send",
        "oom.kill", "page_fault",
    }
)  # fmt: skip


def fields_of(name: str) -> dict[str, CType] | None:
    event = find_event(name, [SHIPPED_PROBES])
    return {field.name: field.type for field in event.fields.values()} if event else None


def test_all_load() -> None:
    assert [one.text() for one in (*EVENT_COMPLAINTS, *TOOL_COMPLAINTS)] == []


def test_the_promised_events_are_there() -> None:
    assert {event.name for event in EVENTS} >= PROMISED


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_an_event_documents_its_fields_and_is_found_by_its_name(event: Event) -> None:
    assert all(field.doc for field in event.fields.values())
    assert find_event(event.name, [SHIPPED_PROBES]) == event


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_sources_with_equal_points_are_told_apart(event: Event) -> None:
    titles = [source.title for source in event.sources]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_every_optional_field_is_given_by_some_source(event: Event) -> None:
    given = {name for source in event.sources for name in source.fields}
    assert given == set(event.fields)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_a_tool_is_right_on_any_host(tool: Tool) -> None:
    settings = Settings(event_fields=fields_of)
    complaints = check(program(tool, defaults(tool)), settings)
    assert [one.text() for one in complaints] == []


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_a_tool_with_every_flag_set_is_right_too(tool: Tool) -> None:
    values = {name: True if option.type == "flag" else option.default for name, option in tool.options.items()}
    complaints = check(program(tool, values), Settings(event_fields=fields_of))
    assert [one.text() for one in complaints] == []


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_a_tool_is_short_and_helps(tool: Tool) -> None:
    lines = [line for line in tool.source.text.splitlines() if line.strip()]
    assert len(lines) <= 16
    assert tool.examples and all(line.startswith("xtrace run ") for line in tool.examples)
    assert all(option.help for option in tool.options.values())
