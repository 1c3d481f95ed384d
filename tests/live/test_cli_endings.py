"""Every normal ending: the command's end, time, signals, a reader that goes away. Each with its summary, none leaves
anything in tracefs."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.live.cli_runs import XTRACE, clean, everything, interrupt, live, rows, run, start

pytestmark = live

PROGRAM = (
    'tracepoint:sched:sched_switch /pid == 0x7fffffff/ { @n = count(); } END { printf("the end\\n"); @at[1] = 1; }'
)


def complete(out: str) -> bool:
    """Did `END` run, and was the map that it fills printed after it?"""
    return out.startswith("the end\n") and out.endswith("@at[1]: 1\n")


def test_the_commands_end() -> None:
    with clean():
        done = run("run", "execsnoop", "--json", "-c", "sh -c '/bin/true; /bin/false'")
    assert done.returncode == 0
    paths = [row["path"] for row in rows(done.stdout) if row.get("event") == "execsnoop"]
    assert paths[-2:] == ["/bin/true", "/bin/false"]


def test_time() -> None:
    with clean():
        done = run("trace", "-d", "0.5", "-e", PROGRAM)
    assert done.returncode == 0
    assert complete(done.stdout)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals(number: signal.Signals) -> None:
    with clean():
        process = start("trace", "-v", "-e", PROGRAM)
        out, err = interrupt(process, number)
    assert process.returncode == 0
    assert complete(out)
    assert "Traceback" not in err


def test_a_signal_ends_the_command_too() -> None:
    with clean():
        process = start("run", "execsnoop", "-v", "-c", "sleep 60")
        interrupt(process)
    assert process.returncode == 0
    assert subprocess.run(["pgrep", "-f", "^sleep 60$", "-P", str(process.pid)]).returncode == 1


def test_a_signal_before_the_probes_are_attached() -> None:
    for delay in (0.02, 0.1, 0.2, 0.3):
        with clean():
            process = start("run", "execsnoop", "-d", "5", wait=False)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(delay)
            _, err = interrupt(process)
        in_python_itself = "KeyboardInterrupt" in err and "xtrace/cli/main.py" not in err
        assert process.returncode in (0, 130, -signal.SIGINT) or in_python_itself, err


def test_what_nobody_could_undo_is_found_by_clean() -> None:
    """Killed together with its watchdog. A session that runs is not touched."""
    with clean():
        killed, other = (start("trace", "--backend", "ftrace", "-v", "-e", PROGRAM) for _ in range(2))
        before = everything()
        watchdogs = Path(f"/proc/{killed.pid}/task/{killed.pid}/children").read_text().split()
        for pid in (*map(int, watchdogs), killed.pid):
            os.kill(pid, signal.SIGKILL)
        killed.communicate()
        left = {name for name in everything() if name.startswith(f"xtrace_{killed.pid}_")}
        assert left and len(watchdogs) == 1, "nothing to clean"
        told = run("clean")
        assert told.returncode == 0 and all(name in told.stdout for name in left), told
        assert everything() == before - left and len(before - left) >= 1
        out, _ = interrupt(other)
    assert complete(out)


@pytest.mark.parametrize(
    "words",
    [
        ["trace", "-e", 'interval:ms:5 { printf("x\\n"); }'],
        ["trace", "-e", 'tracepoint:raw_syscalls:sys_enter { printf("%d\\n", args.id); }'],
        ["list", "tracepoint"],
        ["facts", "tracefs"],
    ],
)
def test_a_closed_pipe(words: list[str]) -> None:
    with clean():
        process = subprocess.Popen([*XTRACE, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        process.wait(30)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert "BrokenPipe" not in err


def test_a_full_disk() -> None:
    with clean(), open("/dev/full", "w") as full:  # noqa: PTH123
        program = 'interval:ms:10 { printf("x\\n"); }'
        done = subprocess.run(
            [*XTRACE, "trace", "-e", program], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert done.returncode == 2
    assert "[XT0012]" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_closed_streams_that_hold_no_results(closed: str) -> None:
    with clean():
        done = shell(f"trace --json -e 'BEGIN {{ print(7); exit(); }}' {closed}")
    assert (done.returncode, "7" in done.stdout, done.stderr) == (0, True, "")


def test_a_closed_output() -> None:
    program = "trace -q -e 'BEGIN { print(7); exit(); }'"
    with clean():
        done = shell(f"{program} >&-")
        to_file = shell(f"{program} -o /dev/stderr >&- <&-")
    assert done.returncode == 2
    assert "standard output is closed [XT0012]" in done.stderr
    assert (to_file.returncode, to_file.stderr) == (0, "7\n")


def shell(words: str) -> subprocess.CompletedProcess[str]:
    """xtrace with redirections that only a shell can make."""
    return subprocess.run(
        ["sh", "-c", f"{' '.join(XTRACE)} {words}"], capture_output=True, text=True, timeout=60, env=os.environ
    )


def test_the_programs_own_exit_code() -> None:
    with clean():
        assert run("trace", "-e", "BEGIN { exit(42); }").returncode == 42


@pytest.mark.parametrize(
    ("locale", "shown"),
    [({"PYTHONIOENCODING": "utf-8"}, b"\xff\n"), ({"PYTHONIOENCODING": "ascii"}, b"\\xff\n")],
    ids=["utf-8", "ascii"],
)
def test_bytes_that_are_no_text_in_this_locale(locale: dict[str, str], shown: bytes) -> None:
    words = ["trace", "-e", 'BEGIN { printf("\\xff\\n"); exit(); }']
    done = subprocess.run([*XTRACE, *words], capture_output=True, timeout=60, env={**os.environ, **locale})
    assert done.returncode == 0, done.stderr
    assert done.stdout == shown


def test_names_that_the_locale_cannot_spell() -> None:
    words = ["trace", "-q", "-e", 'BEGIN { emit(name = "\u00fc"); exit(); }']
    done = subprocess.run(
        [*XTRACE, *words], capture_output=True, timeout=60, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    assert (done.returncode, done.stdout.split()) == (0, [b"NAME", b"\\xfc"]), done.stderr
