"""`uaddr()` finds a program's variables wherever it was loaded; lengths, characters and hardware addresses as well."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(os.geteuid() != 0, reason="tracing needs root"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler"),
]
ROOT = Path(__file__).parents[2]
SOURCE = r"""
char greeting[32] = "hello"; int counter = 41; long large = -5; short *unused;
static unsigned char mac[6] = {0xde, 0xad, 0xbe, 0xef, 1, 2};
__attribute__((noinline)) int work(const char *text, int length, unsigned char *bytes) {
    counter += *text != 0; /* BPF reads only what is in memory already */
    return length;
}
int main(void) { int sum = 0; for (int i = 0; i < 3; i++) sum += work("abcdefghij", i * 2, mac); return sum > 100; }
"""
PROGRAM = (
    'uprobe:{path}:work {{ $s = str(arg0, arg1); printf("%s %d %ld|%s|%d %d %s\\n", str(uaddr("greeting")), '
    '*uaddr("counter"), *uaddr("large"), $s, strlen($s), $s[1], macaddr(arg2)); }}'
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("symbols")
    source, target = place / "symbols.c", place / "symbols"
    source.write_text(SOURCE)
    subprocess.run(["cc", "-O1", "-fPIE", "-pie", "-o", str(target), str(source)], check=True)
    return target


def trace(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xtrace", "trace", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("backend", ["ftrace", "bcc"])
def test_variables_of_a_position_independent_program(program: Path, backend: str) -> None:
    done = trace("--backend", backend, "-e", PROGRAM.format(path=program), "-c", str(program))
    if done.returncode == 4 and "XT0901" in done.stderr:
        pytest.skip("BCC is not installed")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "hello 41 -5||0 0 DE:AD:BE:EF:01:02",
        "hello 42 -5|ab|2 98 DE:AD:BE:EF:01:02",
        "hello 43 -5|abcd|4 98 DE:AD:BE:EF:01:02",
    ]


def test_a_symbol_that_is_not_there(program: Path) -> None:
    done = trace("-e", f'uprobe:{program}:work {{ print(uaddr("nothing")); }}')
    assert done.returncode == 3
    assert f"the address of nothing in {program} is not known" in done.stderr
