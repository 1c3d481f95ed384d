"""Uprobes by BCC on this kernel: arguments, strings, results, with small and with large scratch memory."""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path

import pytest

from tests.live.bcc_session import I64, hits, needs_bcc, traced
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core import types as t

pytestmark = [pytest.mark.live, needs_bcc]

SOURCE = """
int greet(const char *who, long count) { return count + who[0]; }
"""


@pytest.fixture
def greeter(tmp_path: Path) -> Path:
    source, target = tmp_path / "greet.c", tmp_path / "libgreet.so"
    source.write_text(SOURCE)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(target), str(source)], check=True)
    return target


def offset_of(library: Path, name: str) -> int:
    """Offset in the file; a small shared object's text is mapped as it lies."""
    listing = subprocess.run(["nm", "-D", str(library)], check=True, capture_output=True, text=True).stdout
    return int(next(line.split()[0] for line in listing.splitlines() if line.endswith(f" {name}")), 16)


def program_for(library: Path, size: int) -> ir.Program:
    offset = offset_of(library, "greet")
    scope = ir.Scope(pid=os.getpid())
    enter = at.Uprobe("uprobe:greet", str(library), "greet", offset)
    leave = at.Uprobe("uretprobe:greet", str(library), "greet", offset, returns=True)
    text = ir.ReadString(ir.Arg(0), t.Space.USER, t.String(size))
    name = ir.Builtin("func", t.String(16))
    return ir.Program(
        (
            ir.Clause((enter,), None, (ir.Output(0, (text, ir.Arg(1), name)),)),
            ir.Clause((leave,), None, (ir.Output(1, (ir.Retval(t.Int(4, True)),)),)),
        ),
        (),
        (ir.Printf("%s %d %s", (t.String(size), I64, t.String(16))), ir.Printf("%d", (t.Int(4, True),))),
        scope,
    )


@pytest.mark.parametrize("size", [32, 64, 200, 1024])
def test_arguments_and_result(greeter: Path, size: int) -> None:
    library = ctypes.CDLL(str(greeter))
    long_name = "x" * (size + 10)

    def work() -> None:
        library.greet(b"Ada", ctypes.c_long(-5))
        library.greet(long_name.encode(), ctypes.c_long(1 << 40))

    messages = traced(program_for(greeter, size), work)
    assert hits(messages, 0) == [("Ada", -5, "greet"), ("x" * (size - 1), 1 << 40, "greet")]
    assert hits(messages, 1) == [(ord("A") - 5,), (ord("x"),)]


USDT_SOURCE = """
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>
__extension__ unsigned short shop_sale_semaphore __attribute__((unused)) __attribute__((section(".probes")));
int sell(int price, const char *what) {
    if (!shop_sale_semaphore) return 0;
    STAP_PROBE2(shop, sale, price, what);
    return 1;
}
"""


def test_usdt_raises_the_semaphore_and_reads_arguments(tmp_path: Path) -> None:
    from xtrace.backends.bcc.backend import BccBackend
    from xtrace.core.facts.live import LiveHost
    from xtrace.core.lang.parser import parse
    from xtrace.core.lang.source import Source
    from xtrace.core.plan.model import Plan, Request

    source, target = tmp_path / "shop.c", tmp_path / "libshop.so"
    source.write_text(USDT_SOURCE)
    built = subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(target), str(source)], capture_output=True)
    if built.returncode:
        pytest.skip("no C compiler with sys/sdt.h (systemtap-sdt-dev)")
    shop = ctypes.CDLL(str(target))
    assert shop.sell(7, b"tea") == 0
    text = f'usdt:{target}:shop:sale {{ printf("%d %s\\n", arg0, str(arg1)); }}'
    backend, host = BccBackend(), LiveHost()
    plan = backend.plan(Request(parse(Source("usdt", text)), "usdt", scope=ir.Scope(pid=os.getpid())), host)
    assert isinstance(plan, Plan), plan
    session = backend.launch(backend.render(plan), host)
    try:
        assert shop.sell(-7, b"tea") == 1
        messages = [*session.poll(1), *session.finish()]
    finally:
        session.close()
    assert hits(messages, 0) == [(-7, "tea")]
    assert shop.sell(7, b"tea") == 0
