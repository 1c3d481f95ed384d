"""Every case on every kernel, as a test of its own. Each kernel is booted once."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.lab.boot import abandon
from tests.lab.case import Case, discover
from tests.lab.releases import RELEASES, find
from tests.lab.run import GUESTS_AT_ONCE, Result, run

pytestmark = pytest.mark.lab

PROGRAMS = ("qemu-system-x86_64", "mmdebstrap", "mkfs.ext4", "unshare")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    long = bool(metafunc.config.getoption("--lab-long", default=False))
    pairs = [(release, case) for release in RELEASES for case in discover().values()]
    chosen = [(release.kernel, case.id) for release, case in pairs if case.fits(release.kernel, long)]
    metafunc.parametrize(("kernel", "case_id"), chosen, ids=["-".join(pair) for pair in chosen])


@pytest.fixture(scope="session")
def guests(request: pytest.FixtureRequest) -> Iterator[Guests]:
    """All kernels that the collected tests name; they run beside each other from the first test on."""
    missing = _missing()
    if missing and not os.environ.get("CI"):
        pytest.skip(missing)
    assert not missing, missing
    wanted: dict[str, list[Case]] = {}
    for item in request.session.items:
        if isinstance(item, pytest.Function) and item.originalname == "test_case":
            kernel, case_id = (str(item.callspec.params[name]) for name in ("kernel", "case_id"))
            wanted.setdefault(kernel, []).append(discover()[case_id])
    with ThreadPoolExecutor(GUESTS_AT_ONCE) as pool:
        results = Guests(pool, wanted)
        yield results
        # After the last test nothing runs any more, unless pytest was interrupted or stopped at a failure.
        results.abandon()


class Guests:
    """The results of all kernels, some of them still to come."""

    def __init__(self, pool: ThreadPoolExecutor, wanted: dict[str, list[Case]]) -> None:
        self._ended = threading.Condition()
        self._results: dict[tuple[str, str], Result] = {}
        self._runs: dict[str, Future[list[Result]]] = {}
        for kernel, cases in wanted.items():
            self._runs[kernel] = pool.submit(run, find(kernel), cases, self._keep)
            self._runs[kernel].add_done_callback(lambda _: self._wake())

    def result(self, kernel: str, case_id: str) -> Result:
        """Wait for the result of one case."""
        ending = self._runs[kernel]
        with self._ended:
            self._ended.wait_for(lambda: (kernel, case_id) in self._results or ending.done())
        if (kernel, case_id) not in self._results:
            ending.result()
        return self._results[kernel, case_id]

    def abandon(self) -> None:
        """End what still runs."""
        if not all(ending.done() or ending.cancel() for ending in self._runs.values()):
            abandon()

    def _keep(self, result: Result) -> None:
        with self._ended:
            self._results[result.kernel, result.case] = result
            self._ended.notify_all()

    def _wake(self) -> None:
        with self._ended:
            self._ended.notify_all()


def _missing() -> str:
    if os.geteuid() != 0:
        return "the lab needs root, to make images and to compile in them"
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    absent = [program for program in PROGRAMS if shutil.which(program, path=path) is None]
    return f"the lab needs {', '.join(absent)}: sh tests/lab/setup.sh" if absent else ""


def test_case(guests: Guests, kernel: str, case_id: str) -> None:
    result = guests.result(kernel, case_id)
    if result.status == "skip":
        pytest.skip(result.reason)
    if result.status != "pass":
        pytest.fail(f"{result.reason}\n{result.output}", pytrace=False)
