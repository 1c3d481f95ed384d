"""Command lines that ask for what there is not: a code, a hint, exit code 2, and JSON where it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.command_lines import Shell

WRONG = [
    (["nosuch"], "XT0001", "xtrace --help"),
    (["lisst"], "XT0001", "did you mean list?"),
    (["run", "opensnop"], "XT0005", "did you mean opensnoop"),
    (["plan", "opensnop"], "XT0005", "did you mean opensnoop"),
    (["doctor", "opensnop"], "XT0005", "did you mean opensnoop"),
    (["run", "opensnoop", "--durration", "1"], "XT0002", "did you mean --duration?"),
    (["run", "opensnoop", "-d", "soon"], "XT0003", "--help"),
    (["run", "opensnoop", "-p", "x"], "XT0003", "--help"),
    (["trace", "--buffer-size", "77", "-e", "BEGIN { }"], "XT0003", "--help"),
    (["trace", "--buffer-size", "2G", "-e", "BEGIN { }"], "XT0003", "--help"),
    (["plan", "--aggregate", "there", "-e", "BEGIN { }"], "XT0003", "--help"),
    (["run", "opensnoop", "-p", "1", "-c", "true"], "XT0003", "one of them"),
    (["run", "opensnoop", "--facts", "x"], "XT0003", "xtrace plan"),
    (["run", "opensnoop", "--backend", "dtrace"], "XT0006", "systemtap"),
    (["run", "opensnoop", "-f", "jsn", "-d", "1"], "XT0008", "json"),
    (["run", "opensnoop", "-o", "/nosuch/x", "-d", "1"], "XT0007", ""),
    (["run", "opensnoop", "--cgroup", "/nosuch/group", "-d", "1"], "XT1008", ""),
    (["run", "execsnoop", "-c", "nosuchcommand"], "XT1002", ""),
    (["run", "execsnoop", "-c", "'"], "XT1002", ""),
    (["trace"], "XT0003", "-e"),
    (["trace", "/nosuch.bt"], "XT0007", ""),
    (["trace", "BEGIN { exit(); }"], "XT0007", "-e 'PROGRAM'"),
    (["run", "opensnoop", "--uid", "nosuchuser"], "XT0003", "--help"),
    (["run", "execsnoop", "-c", "A=1 ls"], "XT1002", "env NAME=value"),
    (["plan"], "XT0003", "TOOL"),
    (["plan", "execsnoop", "--facts", "/nosuch"], "XT0007", ""),
    (["show", "opensnop"], "XT0009", "did you mean opensnoop"),
    (["list", "nosuchprobe"], "XT0009", "xtrace list"),
    (["list", ""], "XT0009", "xtrace list"),
    (["list", "hardware:cycels"], "XT0009", "hardware:*"),
    (["facts", "kprobe.usabel"], "XT0010", "did you mean kprobe.usable"),
    (["facts", "--import", "/nosuch"], "XT0007", ""),
    (["facts", "-o", "/nosuch/host.xfacts"], "XT0007", ""),
    (["doctor", "--check", "XT-CALER"], "XT0011", "XT-CALLER"),
    (["doctor", "--active", "--facts", "x"], "XT0003", "--active"),
]


@pytest.mark.parametrize(("words", "code", "hint"), WRONG, ids=[" ".join(words) for words, _, _ in WRONG])
def test_wrong_usage(xtrace: Shell, words: list[str], code: str, hint: str) -> None:
    done = xtrace(*words)
    assert (done.code, done.out) == (2, "")
    assert f"[{code}]" in done.err
    assert hint in done.err.partition(f"[{code}]")[2]
    assert "Traceback" not in done.err


def test_complaints_as_json(xtrace: Shell) -> None:
    assert xtrace("run", "opensnop", "--json").codes == ["XT0005"]
    assert xtrace("run", "opensnoop", "--json", "-f", "json").codes == ["XT0003"]
    assert xtrace("trace", "--json", "-e", "BEGIN { $a; @b = $c; }").codes == ["XT0202", "XT0202"]


def test_a_command_without_its_arguments_shows_its_help(xtrace: Shell) -> None:
    done = xtrace("run")
    assert done.code == 2
    assert "opensnoop" in done.err


def test_a_binary_program_file(xtrace: Shell, tmp_path: Path) -> None:
    path = tmp_path / "program.bt"
    path.write_bytes(b"\xff\xfe\x00")
    done = xtrace("trace", str(path))
    assert done.code == 2
    assert "not UTF-8" in done.err


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"root:x:0:0", "XT0404"), (b"PK\x03\x04 and no more", "XT0405"), (b"", "XT0404")],
)
def test_a_facts_file_that_is_none(xtrace: Shell, tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "host.xfacts"
    path.write_bytes(content)
    for command in (["plan", "execsnoop"], ["show", "file.open"], ["list", "tracepoint"], ["doctor"], ["facts"]):
        done = xtrace(*command, "--facts", str(path))
        assert done.code == 3, command
        assert f"[{code}]" in done.err


def test_a_damaged_facts_file(xtrace: Shell, bundle: str) -> None:
    data = bytearray(Path(bundle).read_bytes())
    at = data.index(b"events.txt") + len(b"events.txt")
    data[at : at + 4] = b"\xff\xff\xff\xff"
    Path(bundle).write_bytes(data)
    done = xtrace("list", "tracepoint", "--facts", bundle)
    assert done.code == 3
    assert "[XT0405]" in done.err


@pytest.mark.parametrize(
    ("program", "code", "place"),
    [
        ("tracepoint:sched:sched_switch { @[comm = count(); }", "XT0101", "-e:1:49"),
        ('BEGIN { @ = "a" + 1; }', "XT0206", "-e:1:13"),
        ('BEGIN { printf("%d %d", 1); }', "XT0217", "-e:1:16"),
        ('BEGIN { system("id"); }', "XT0222", "-e:1:9"),
        ("bgin { }", "XT0109", "-e:1:1"),
    ],
)
def test_a_wrong_program(xtrace: Shell, program: str, code: str, place: str) -> None:
    for command in (["trace", "--dry-run"], ["plan"], ["render"]):
        done = xtrace(*command, "-e", program)
        assert done.code == 3, (command, done.err)
        assert f"[{code}]" in done.err
        assert place in done.err
        assert program in done.err, "the line is shown"


def test_a_bug_is_shown_as_one(xtrace: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    from xtrace.cli import surroundings

    def broken(facts_file: str | None) -> None:
        raise ZeroDivisionError("for a test")

    monkeypatch.setattr(surroundings, "host", broken)
    done = xtrace("plan", "execsnoop")
    assert done.code == 1
    assert "Traceback" in done.err
    assert "[XT0013]" in done.err
