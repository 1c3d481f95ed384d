"""Tools over named events, on this kernel: they show what a workload did, all of it and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COUNT = 7
pytestmark = [pytest.mark.live, pytest.mark.skipif(os.geteuid() != 0, reason="tracing needs root")]
both = pytest.mark.parametrize("backend", ["ftrace", "bcc"])


class Run:
    """A tool that traced a workload: its rows, its maps, and what the workload says that it did."""

    def __init__(self, tool: str, backend: str, kind: str, folder: Path, *words: str) -> None:
        report = folder / "done.json"
        work = f"{sys.executable} -m tests.live.traffic {kind} {COUNT} {report}"
        command = [sys.executable, "-m", "xtrace", "run", tool, "--backend", backend, "--json", *words, "-c", work]
        self.done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
        if self.done.returncode == 4:
            pytest.skip(f"{backend} cannot serve {tool} here: {self.done.stderr.splitlines()[0]}")
        assert self.done.returncode == 0, self.done.stderr
        self.did: list[dict[str, Any]] = json.loads(report.read_text())
        self.lines: list[dict[str, Any]] = [json.loads(line) for line in self.done.stdout.splitlines() if line]

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["schema"] == "xtrace.event/1"]


@both
def test_tcpconnect(backend: str, tmp_path: Path) -> None:
    run = Run("tcpconnect", backend, "connections", tmp_path)
    shown = Counter((row["saddr"], row["daddr"], row["dport"]) for row in run.rows)
    assert shown == Counter((one["address"], one["address"], one["port"]) for one in run.did)


@both
def test_tcpaccept(backend: str, tmp_path: Path) -> None:
    run = Run("tcpaccept", backend, "connections", tmp_path)
    shown = {(row["raddr"], row["rport"], row["laddr"], row["lport"]) for row in run.rows}
    assert shown == {(one["address"], one["from"], one["address"], one["port"]) for one in run.did}
    assert len(run.rows) == len(run.did)


@both
def test_tcpstates(backend: str, tmp_path: Path) -> None:
    run = Run("tcpstates", backend, "connections", tmp_path)
    opened = [row for row in run.rows if row["newstate"] == "TCP_SYN_SENT"]
    assert len(opened) == 2 * COUNT
    assert {row["oldstate"] for row in opened} == {"TCP_CLOSE"}
    established = {row["lport"] for row in run.rows if row["oldstate"] == "TCP_SYN_SENT"}
    assert established == {one["from"] for one in run.did}


@both
def test_tcplife(backend: str, tmp_path: Path) -> None:
    run = Run("tcplife", backend, "connections", tmp_path)
    ours = {(one["from"], one["port"]) for one in run.did}
    clients = [row for row in run.rows if (row["lport"], row["rport"]) in ours]
    servers = [row for row in run.rows if (row["rport"], row["lport"]) in ours]
    assert (len(clients), len(servers)) == (2 * COUNT, 2 * COUNT)
    if backend == "bcc":
        # The kernel counts a FIN as a byte, and of what was acknowledged the SYN as well.
        assert {row["rx"] in (50, 51) and row["tx"] == 7 for row in clients} == {True}


def test_tcpdrop_names_the_reason(tmp_path: Path) -> None:
    run = Run("tcpdrop", "bcc", "refusals", tmp_path, "-4", "--port", "1")
    shown = Counter((row["daddr"], row["dport"], row["reason"]) for row in run.rows)
    assert shown == {("127.0.0.1", 1, "NO_SOCKET"): COUNT}


@both
def test_killsnoop(backend: str, tmp_path: Path) -> None:
    run = Run("killsnoop", backend, "signals", tmp_path)
    assert {row["sig"] for row in run.rows} == {"SIGTERM"}
    assert [(row["target"], row["result"]) for row in run.rows] == [(one["target"], one["ret"]) for one in run.did]


@both
def test_killsnoop_of_failures_only(backend: str, tmp_path: Path) -> None:
    run = Run("killsnoop", backend, "signals", tmp_path, "-x")
    assert [row["target"] for row in run.rows] == [one["target"] for one in run.did if one["ret"]]


@both
def test_pidpersec_counts_every_thread(backend: str, tmp_path: Path) -> None:
    run = Run("pidpersec", backend, "threads", tmp_path)
    assert sum(row["new"] for row in run.rows) == COUNT


@both
def test_biosnoop_shows_whose_requests_they_are(backend: str, tmp_path: Path) -> None:
    run = Run("biosnoop", backend, "writes", tmp_path)
    written = [row for row in run.rows if row["kind"].startswith("W") and row["bytes"] == run.did[0]["bytes"]]
    assert len(written) == COUNT
    assert all(row["us"] > 0 for row in written)
    assert len({row["pid"] for row in written}) == 1
    assert {row["disk"] for row in written} <= {path.name for path in Path("/sys/class/block").iterdir()}
