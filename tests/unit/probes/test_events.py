"""Files of named events: what is read of them, and how one event is found among many files."""

from __future__ import annotations

from pathlib import Path

from xtrace.core.lang import ast
from xtrace.core.probes.events import EventFile, all_events, find_event, load_events
from xtrace.core.types import Int

SWITCH = """\
sched.switch:
  summary: A processor changes threads.
  fields:
    prev: {type: int, doc: The thread that is left.}
    state: {type: int, optional: true}
  sources:
    - attach: tracepoint:sched:sched_switch
      fields: {prev: args.prev_pid, state: args.prev_state}
"""
GOOD = "sched.other:\n  summary: S.\n  fields: {a: {type: int}}\n  sources: [{attach: begin, fields: {a: '1'}}]\n"


def events_of(directory: Path, text: str, name: str = "sched.yaml") -> EventFile:
    """What a file of events with this text gives."""
    file = directory / "events" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return load_events(file)


def test_an_event_as_written(tmp_path: Path) -> None:
    loaded = events_of(tmp_path, SWITCH)
    assert loaded.complaints == ()
    event = loaded.events["sched.switch"]
    assert event.summary == "A processor changes threads."
    assert (event.fields["prev"].type, event.fields["prev"].optional) == (Int(8, True), False)
    assert event.fields["state"].optional
    (source,) = event.sources
    assert source.attach[0].parts == ("sched", "sched_switch")
    assert isinstance(source.fields["prev"], ast.Member)


def test_expressions_know_their_place_in_the_file(tmp_path: Path) -> None:
    (source,) = events_of(tmp_path, SWITCH).events["sched.switch"].sources
    assert source.fields["prev"].span.location() == f"{tmp_path}/events/sched.yaml:8:22"


def test_a_pair(tmp_path: Path) -> None:
    text = """\
sched.other:
  summary: S.
  fields: {a: {type: int}}
  sources:
    - enter: [kprobe:f(int x), kprobe:g(int x)]
      exit: [kretprobe:f, kretprobe:g]
      key: pid
      save: {kept: x}
      fields: {a: kept}
"""
    loaded = events_of(tmp_path, text)
    assert loaded.complaints == ()
    (source,) = loaded.events["sched.other"].sources
    assert [point.prototype for point in source.attach] == ["int x", "int x"]
    assert [point.kind for point in source.leave] == ["kretprobe", "kretprobe"]
    assert list(source.save) == ["kept"]


def test_an_event_is_found_by_its_first_word_and_nothing_else_is_read(tmp_path: Path) -> None:
    events_of(tmp_path, SWITCH)
    events_of(tmp_path, "a: [\n", "broken.yaml")
    found = find_event("sched.switch", [tmp_path / "missing", tmp_path])
    assert found is not None
    assert found.path == tmp_path / "events" / "sched.yaml"
    assert find_event("sched.none", [tmp_path]) is None
    assert find_event("../sched.switch", [tmp_path]) is None


def test_all_events_come_with_the_complaints_about_others(tmp_path: Path) -> None:
    events_of(tmp_path, SWITCH)
    events_of(tmp_path, "a: [\n", "broken.yaml")
    events, complaints = all_events([tmp_path])
    assert [event.name for event in events] == ["sched.switch"]
    assert [one.code for one in complaints] == ["XT0301"]


def test_the_first_directory_wins(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    for directory, summary in ((first, "Mine."), (second, "Theirs.")):
        directory.mkdir()
        events_of(directory, GOOD.replace("summary: S.", f"summary: {summary}"))
    found = find_event("sched.other", [first, second])
    assert found is not None
    assert found.summary == "Mine."
    assert [event.summary for event in all_events([first, second])[0]] == ["Mine."]
