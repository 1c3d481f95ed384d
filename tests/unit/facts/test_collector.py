"""The collector script runs in small shells, and what it writes becomes a host; damage is a diagnostic."""

from __future__ import annotations

import gzip
import io
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.facts.trees import FILES, RELEASE
from xtrace.core.errors import XtraceError
from xtrace.core.facts.collected import read_collected
from xtrace.core.facts.collector import collector_script, import_collected
from xtrace.core.facts.model import State
from xtrace.core.facts.recording import RecordedHost

SHELLS = {"dash": ["dash"], "busybox": ["busybox", "sh"], "bash": ["bash", "--posix"]}


def archive(*sections: str, end: str = "Z end\n") -> bytes:
    head = f"xtrace-collect 1\nU release {RELEASE}\nU arch x86_64\nU version #1 SMP\nU uid 0\n"
    return (head + "".join(sections) + end).encode()


def planted() -> bytes:
    sections = []
    for name, content in FILES.items():
        if isinstance(content, bytes):
            sections.append(f"H /{name}\n  {content.hex(' ')}\n")
        else:
            sections.append(f"F /{name}\n" + "".join(f" {line}\n" for line in content.splitlines()))
    return archive(*sections, "A /sys/kernel/tracing/set_event_pid\n", "N /sys/kernel/security/lockdown\n")


def read(data: bytes) -> RecordedHost:
    return import_collected(io.BytesIO(data))


def test_an_archive_is_read_by_the_same_code_as_a_host() -> None:
    host = read(planted())
    assert (host.release, host.arch) == (RELEASE, "x86_64")
    assert host.fact("os.id").value == "debian"
    assert host.fact("caller.uid").value == 0
    assert host.fact("tracefs.path").value == "/sys/kernel/tracing"
    assert host.fact("tracefs.set_event_pid").state is State.ABSENT
    assert host.fact("kernel.lockdown").state is State.DENIED
    assert host.event_format("skb", "kfree_skb") is not None
    assert host.config("CONFIG_HZ").value == "250"
    assert host.symbols.lookup("vfs_read")
    assert host.filterable("vfs_read").yes


def test_archives_may_be_gzipped_and_have_foreign_line_ends() -> None:
    assert read(gzip.compress(planted())).fact("os.id").value == "debian"
    assert read(planted().replace(b"\n", b"\r\n")).fact("os.id").value == "debian"


def test_what_nobody_looked_at_is_unprobed() -> None:
    assert read(archive()).fact("kernel.secure_boot").state is State.UNPROBED


def test_programs_answer() -> None:
    bcc = '{"own": true, "version": "0.26.0", "file": "/x", "python_version": "3.9.2"}'
    host = read(
        archive(
            "X /usr/bin/stap\n",
            "R /usr/bin/stap\n Systemtap translator/driver (version 4.4/0.182, Debian)\n",
            f"R bcc /usr/bin/python3\n {bcc}\n",
        )
    )
    assert host.fact("stap.version").value == {"path": "/usr/bin/stap", "version": "4.4"}
    assert host.fact("bcc.python").value == {
        "path": "/usr/bin/python3", "version": "0.26.0", "python_version": "3.9.2",
    }  # fmt: skip
    assert host.fact("perf.version").no


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "first line"),
        (b"#!/bin/sh\n", "first line"),
        (archive(end=""), "cut short"),
        (archive("? what\n"), "not known"),
        (archive("B /x\n !!!\n"), "damaged"),
        (archive("H /x\n zz\n"), "damaged"),
        (gzip.compress(planted())[:-40], "cut short|unpacked"),
        (b"\x1f\x8b\x08nonsense", "unpacked"),
    ],
)
def test_damaged_archives(data: bytes, why: str) -> None:
    with pytest.raises(XtraceError, match=why) as caught:
        read(data)
    assert caught.value.diagnostics[0].code == "XT0408"


@given(st.binary(max_size=200))
def test_any_archive_is_read_or_refused(data: bytes) -> None:
    try:
        read(archive(end="") + data + b"\nZ end\n").facts()
    except XtraceError as error:
        assert error.diagnostics[0].code in ("XT0402", "XT0408")


@pytest.mark.parametrize("shell", SHELLS)
def test_shells_accept_the_script(shell: str, tmp_path: Path) -> None:
    if not shutil.which(SHELLS[shell][0]):
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "collect.sh"
    script.write_text(collector_script())
    assert subprocess.run([*SHELLS[shell], "-n", str(script)], check=False).returncode == 0


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_runs_without_root(shell: str, tmp_path: Path) -> None:
    if not shutil.which(SHELLS[shell][0]):
        pytest.skip(f"{shell} is not installed")
    done = subprocess.run([*SHELLS[shell]], input=collector_script().encode(), capture_output=True, check=True)
    assert done.stderr == b""
    host = read(done.stdout)
    assert host.release == Path("/proc/sys/kernel/osrelease").read_text().strip()
    assert host.fact("kernel.version").yes


def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not installed")
    script = tmp_path / "collect.sh"
    script.write_text(collector_script())
    done = subprocess.run(["shellcheck", "-s", "sh", str(script)], capture_output=True, text=True, check=False)
    assert done.stdout == ""


@pytest.mark.parametrize("broken", [(), ("base64",), ("base64", "od")], ids=["base64", "od", "hexdump"])
def test_bytes_are_written_by_whatever_program_works(broken: tuple[str, ...], tmp_path: Path) -> None:
    """Busybox may have no base64, and links to it that only say so."""
    if not (shutil.which("hexdump") or shutil.which("busybox")):
        pytest.skip("needs hexdump or busybox")
    for name in broken:
        (tmp_path / name).write_text(f"#!/bin/sh\necho '{name}: applet not found'\nexit 127\n")
        (tmp_path / name).chmod(0o755)
    if not shutil.which("hexdump"):
        (tmp_path / "hexdump").symlink_to(str(shutil.which("busybox")))
    data = bytes(range(256)) * 3 + b"end"
    (tmp_path / "data").write_bytes(data)
    script = collector_script().partition("# Names in a directory.")[0].replace("PATH=", f"PATH={tmp_path}:", 1)
    done = subprocess.run(
        ["sh", "-c", f"{script}\necho 'xtrace-collect 1'\nbinary {tmp_path}/data\necho 'Z end'"],
        capture_output=True,
        check=True,
    )
    assert read_collected(io.BytesIO(done.stdout)).files == {f"{tmp_path}/data": data}
