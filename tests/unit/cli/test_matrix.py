"""`xtrace matrix`: tools by recorded hosts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.unit.cli.command_lines import Shell


def fleet(tmp_path: Path, bundle: str) -> Path:
    place = tmp_path / "fleet"
    place.mkdir()
    for name in ("one", "two"):
        shutil.copy(bundle, place / f"{name}.xfacts")
    return place


def test_a_directory_of_hosts(xtrace: Shell, tmp_path: Path, bundle: str) -> None:
    done = xtrace("matrix", "execsnoop", "opensnoop", "--facts", str(fleet(tmp_path, bundle)))
    head, *rows = (line.split() for line in done.out.splitlines())
    assert head == ["execsnoop", "opensnoop"]
    assert rows == [["one", "ftrace", "-"], ["two", "ftrace", "-"]]
    assert done.code == 0


def test_more_tools_than_hosts_stand_below_one_another(xtrace: Shell, bundle: str) -> None:
    done = xtrace("matrix", "execsnoop", "opensnoop", "--facts", bundle)
    assert [line.split() for line in done.out.splitlines()] == [["host"], ["execsnoop", "ftrace"], ["opensnoop", "-"]]


def test_a_host_that_cannot_be_read_stops_no_other(xtrace: Shell, tmp_path: Path, bundle: str) -> None:
    place = fleet(tmp_path, bundle)
    (place / "bad.xfacts").write_text("no bundle")
    done = xtrace("matrix", "execsnoop", "--json", "--facts", str(place), "--facts", str(tmp_path / "none.xfacts"))
    assert done.code == 8
    assert "[XT0404]" in done.err
    assert "none.xfacts" in done.err
    hosts = json.loads(done.out)["hosts"]
    assert [host["host"] for host in hosts] == ["one", "two"]
    assert hosts[0]["tools"][0]["chosen"] == "ftrace"


def test_wrong_usage(xtrace: Shell, tmp_path: Path) -> None:
    assert "[XT0005]" in xtrace("matrix", "opensnop").err
    assert "[XT0007]" in xtrace("matrix", "--facts", str(tmp_path)).err
