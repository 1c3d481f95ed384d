"""Functions and USDT probes of user programs: arguments, memory, strings, returns, paths that tracefs cannot spell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.ftrace_session import (
    I64,
    NAME,
    PID,
    Waiting,
    compiled,
    emits,
    features,
    file_offset,
    needs_compiler,
    needs_tracefs,
    program,
    run,
    values,
)
from xtrace.core import ir
from xtrace.core.attach import Uprobe, Usdt, UsdtArgument, UsdtSite
from xtrace.core.types import Buffer, Int, Pointer, Space, String

pytestmark = [pytest.mark.live, needs_tracefs, needs_compiler]

SOURCE = r"""
struct inner { int number; unsigned bits : 3; unsigned more : 9; const char *text; };
struct outer { long pad; struct inner *in; };
__attribute__((noinline)) long work(long a, const char *text, struct outer *o) {
    __asm__ volatile("" : : "r"(a), "r"(text), "r"(o) : "memory");
    return a * 3;
}
int main(void) {
    struct inner in = {-7, 5, 300, "inner text"};
    struct outer full = {1, &in}, empty = {2, 0};
    work(14, "hello", &full);
    work(-1, 0, &empty);
    work(2, "a string that is longer than the sixty-four bytes which xtrace keeps of it by default", 0);
    return 0;
}
"""
TEXT = ir.ReadString(ir.Arg(1), Space.USER)
OUTER = ir.Arg(2)
INNER = ir.Load(OUTER, 8, Pointer(Int(), Space.USER), Space.USER)


def probe(path: str, returns: bool = False) -> Uprobe:
    return Uprobe(f"uprobe:{path}:work", path, "work", file_offset(path, "work"), returns)


def hits(path: str, *clauses: ir.Clause) -> list[tuple[object, ...]]:
    quoted = path.replace("'", "'\\''")
    with Waiting(f"exec '{quoted}'") as shell:
        return values(run(program(*clauses, scope=ir.Scope(shell.pid)), shell.run))


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> str:
    return compiled(tmp_path_factory.mktemp("uprobe"), SOURCE)


def test_arguments_strings_and_return_values(target: str) -> None:
    entry = ir.Clause((probe(target),), None, emits(ir.Arg(0), TEXT))
    returned = ir.Clause((probe(target, returns=True),), None, emits(ir.Retval(), ir.Text("returned")))
    assert hits(target, entry, returned) == [
        (14, "hello"),
        (42, "returned"),
        (-1, ""),
        (-3, "returned"),
        (2, "a string that is longer than the sixty-four bytes which xtrace "),
        (6, "returned"),
    ]


def test_memory_is_followed_and_faults_read_0(target: str) -> None:
    number = ir.Load(INNER, 0, Int(4, True), Space.USER)
    bits = ir.Load(INNER, 4, Int(4, False), Space.USER, bit_offset=3, bit_size=9)
    text = ir.ReadString(ir.Load(INNER, 8, Pointer(Int(), Space.USER), Space.USER), Space.USER)
    clause = ir.Clause((probe(target),), None, emits(number, bits, text))
    assert hits(target, clause) == [(-7, 300, "inner text"), (0, 0, ""), (0, 0, "")]


def test_bytes_of_any_length(target: str) -> None:
    for length in (3, 8, 15):
        read = ir.ReadBytes(ir.Arg(1), ir.Const(length), Space.USER, Buffer(length))
        first = ir.Binary("==", ir.Arg(0), ir.Const(2), True, I64)
        expected = b"a string that is longer"[:length]
        assert hits(target, ir.Clause((probe(target),), first, emits(read))) == [(expected,)]


def test_predicates_on_strings_and_numbers(target: str) -> None:
    hello = ir.Compare("==", TEXT, ir.Text("hello"))
    start = ir.Compare("==", TEXT, ir.Text("a string"), length=8)
    negative = ir.Binary("<", ir.Arg(0), ir.Const(0), True, I64)
    for test, expected in ((hello, 14), (start, 2), (negative, -1)):
        assert hits(target, ir.Clause((probe(target),), test, emits(ir.Arg(0)))) == [(expected,)]


def test_the_process_and_its_name_are_recorded(target: str) -> None:
    seen = hits(target, ir.Clause((probe(target),), None, emits(PID, NAME)))
    assert len(seen) == 3 and {name for _, name in seen} == {Path(target).name}


def test_two_clauses_on_one_function_run_in_order(target: str) -> None:
    clauses = [ir.Clause((probe(target),), None, emits(ir.Text(str(n)), ir.Arg(0))) for n in range(2)]
    assert hits(target, *clauses) == [("0", 14), ("1", 14), ("0", -1), ("1", -1), ("0", 2), ("1", 2)]


@pytest.mark.parametrize("name", ["with blank", "hash#mark", "new\nline", "quote\"'", "-:x y", "ünï"])
def test_paths_that_tracefs_cannot_spell(tmp_path: Path, target: str, name: str) -> None:
    copy = tmp_path / name
    copy.write_bytes(Path(target).read_bytes())
    copy.chmod(0o755)
    assert hits(str(copy), ir.Clause((probe(str(copy)),), None, emits(ir.Arg(0)))) == [(14,), (-1,), (2,)]


USDT_SOURCE = r"""
unsigned short gate __attribute__((section(".probes")));
volatile int fired;
__attribute__((noinline)) void step(int number, const char *text) {
    register int a __asm__("edi") = number;
    register const char *b __asm__("rsi") = text;
    __asm__ volatile(".globl site\nsite: nop" : : "r"(a), "r"(b) : "memory");
    if (gate) fired++;
}
int main(void) {
    step(-4, "usdt text");
    return fired == 1 ? 0 : 9;
}
"""


def test_usdt_arguments_and_semaphore(tmp_path: Path) -> None:
    binary = compiled(tmp_path, USDT_SOURCE)
    arguments = (UsdtArgument(4, True, "%edi"), UsdtArgument(8, False, "%rsi"), UsdtArgument(4, True, "$17"))
    site = UsdtSite(file_offset(binary, "site"), file_offset(binary, "gate"), arguments)
    probe = Usdt(f"usdt:{binary}:test:step", binary, "test", "step", (site,))
    body = emits(ir.Arg(0), ir.ReadString(ir.Arg(1), Space.USER, String(64)), ir.Arg(2))
    status = tmp_path / "status"
    assert features().ref_ctr, "this kernel counts semaphores"
    with Waiting(f"'{binary}'; echo $? > '{status}'") as shell:
        made = program(ir.Clause((probe,), None, body), scope=ir.Scope(shell.pid, follow=True))
        assert values(run(made, shell.run)) == [(-4, "usdt text", 17)]
    assert status.read_text() == "0\n", "the semaphore was not up while the probe was on"
