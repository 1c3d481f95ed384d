"""The lab's own machinery, as far as it needs no guest."""

from __future__ import annotations

import lzma
import os
import re
import signal
import tempfile
import time
from pathlib import Path
from typing import Callable

import pytest

from tests.lab import cache, capability, guest, initramfs, run
from tests.lab.boot import Ended, Job
from tests.lab.case import BACKENDS, Case, discover, skip
from tests.lab.errors import LabError
from tests.lab.images import Image
from tests.lab.releases import RELEASES, find
from tests.lab.run import Result


def a_case(name: str, function: Callable[[], None] = lambda: None, timeout: float = 5) -> Case:
    return Case(name, function, (), timeout, (), (), long=False)


def test_an_initramfs_loads_a_driver_after_what_it_needs(tmp_path: Path) -> None:
    modules = tmp_path / "lib/modules/6.1"
    modules.mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/busybox").write_bytes(b"BUSYBOX")
    (modules / "ring.ko").write_bytes(b"RING")
    (modules / "core.ko").write_bytes(b"CORE")
    (modules / "virtio_blk.ko.xz").write_bytes(lzma.compress(b"DISK"))
    (modules / "modules.dep").write_text("core.ko:\nring.ko: core.ko\nvirtio_blk.ko.xz: ring.ko core.ko\n")

    archive = initramfs.build(tmp_path, "6.1")

    assert re.findall(rb"modules/(\d+)\.ko\0+(\w{4})", archive) == [
        (b"00", b"CORE"),
        (b"01", b"RING"),
        (b"02", b"DISK"),
    ]
    assert archive.endswith(b"TRAILER!!!\0\0\0\0") and len(archive) % 4 == 0


def test_a_cached_folder_is_made_once_whole_and_replaces_older_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XTRACE_LAB_CACHE", str(tmp_path))
    made = []

    def make(work: Path) -> None:
        made.append(work)
        (work / "file").touch()

    def fail(work: Path) -> None:
        (work / "half").touch()
        raise LabError("no")

    old = cache.kept("kind", "family", "old", make)
    assert cache.kept("kind", "family", "old", make) == old and len(made) == 1
    with pytest.raises(LabError):
        cache.kept("kind", "family", "new", fail)
    assert [path.name for path in (tmp_path / "kind").iterdir()] == ["family-old"]
    assert (cache.kept("kind", "family", "new", make) / "file").exists()
    assert [path.name for path in (tmp_path / "kind").iterdir()] == ["family-new"]


def fails() -> None:
    raise AssertionError("seen 22")


def breaks() -> None:
    raise OSError("no such thing")


def skips() -> None:
    skip("no BTF")


def is_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hangs() -> None:
    time.sleep(60)


@pytest.mark.parametrize(
    ("function", "status", "reason"),
    [
        (lambda: print("fine"), "pass", ""),
        (fails, "fail", "seen 22"),
        (breaks, "error", "OSError: no such thing"),
        (skips, "skip", "no BTF"),
        (is_killed, "error", f"killed by signal {signal.SIGKILL:d}"),
        (hangs, "fail", "did not end within 1 s"),
    ],
)
def test_a_case_runs_in_a_child_of_its_own(function: Callable[[], None], status: str, reason: str) -> None:
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as verdict:
        assert guest._in_child(a_case("a", function, timeout=1), output, verdict) == (status, reason)


def test_a_guest_that_dies_costs_one_case_only(monkeypatch: pytest.MonkeyPatch) -> None:
    boots = []

    def boot(_image: Image, job: Job, _out: Path, on_output: Callable[[bytes], None]) -> Ended:
        names = job.script.split()[4:]
        boots.append(names)
        for name in names:
            on_output(b'noise\n@lab {"case": "%s"}\n@l' % name.encode())
            if name == "b":
                raise LabError("panic")
            on_output(
                b'ab {"case": "%s", "status": "pass", "reason": "", "output": "", "seconds": 1}\n' % name.encode()
            )
        return Ended(0, 1.0)

    monkeypatch.setattr(run, "boot", boot)
    image = Image(find("6.1"), Path("/nowhere"))
    left = {name: a_case(name) for name in "abc"}
    results: list[Result] = []

    assert run._boot(image, {}, left, results.append) == 1
    assert run._boot(image, {}, left, results.append) == 0

    assert boots == [["a", "b", "c"], ["c"]]
    assert [(result.case, result.status) for result in results] == [("a", "pass"), ("b", "error"), ("c", "pass")]
    assert results[1].reason == "the guest died: panic"


def test_cases_ask_only_for_kernels_and_capabilities_that_exist(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(capability, "facts", lambda: {"systemtap": [], "systemtap_broken": "broken"})
    kernels = {release.kernel for release in RELEASES}
    for case in discover().values():
        assert set(case.kernels) <= kernels, case.id
        for need in case.needs:
            capability.missing(need)
        probes = [need.partition(":")[2] for need in case.needs if need.startswith("systemtap:")]
        assert set(probes) <= find("7.2").systemtap, case.id
    with pytest.raises(ValueError, match="does not know"):
        capability.missing("telepathy")


def test_every_backend_has_cases_on_every_kernel_it_serves() -> None:
    for backend in BACKENDS:
        of_backend = [case for case in discover().values() if case.id.endswith(f"[{backend}]")]
        for release in RELEASES:
            served = backend != "systemtap" or release.systemtap
            assert not served or any(case.fits(release.kernel, long=False) for case in of_backend), (backend, release)
