"""Inlined instances in the DWARF of a program that is compiled here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from xtrace.core.resolve.inlines import UNKNOWN, InlinedSite, inlined_sites

pytest.importorskip("elftools", reason="pyelftools is not installed")
pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")

PROGRAM = """
volatile long sink;
static inline __attribute__((always_inline)) void noted(long value, long fixed) { sink = value + fixed; }
__attribute__((noinline)) void _stext(void) { sink = 0; }
__attribute__((noinline)) void first(long a, long b) { noted(b, 7); }
__attribute__((noinline)) void second(long *p) { sink = 1; noted(p[3], sink); }
int main(void) { _stext(); first(1, 2); second((long *)&sink); return 0; }
"""


@pytest.fixture(scope="module", params=["-gdwarf-4", "-gdwarf-5"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("inlined")
    (folder / "p.c").write_text(PROGRAM)
    command = ["gcc", "-O2", request.param, "-no-pie", "-fno-pie", "-o", f"{folder}/p", f"{folder}/p.c"]
    subprocess.run(command, check=True)
    return f"{folder}/p"


def sites_of(program: str, function: str) -> tuple[InlinedSite, ...]:
    return inlined_sites(program, function, "x86_64")


def address(program: str, symbol: str) -> int:
    lines = subprocess.run(["nm", program], check=True, capture_output=True, text=True).stdout.splitlines()
    return next(int(line.split()[0], 16) for line in lines if line.split()[-1] == symbol)


def test_every_instance_is_inside_the_function_that_took_it_in(program: str) -> None:
    start = address(program, "_stext")
    places = [site.offset + start for site in sites_of(program, "noted")]
    assert len(places) == 2
    for symbol in ("first", "second"):
        assert any(address(program, symbol) <= place < address(program, symbol) + 64 for place in places)


def test_arguments_are_found_in_registers_and_constants(program: str) -> None:
    inside = address(program, "first") - address(program, "_stext")
    (first,) = [site for site in sites_of(program, "noted") if inside <= site.offset < inside + 16]
    assert first.arguments["value"].operand == "%rsi"
    assert first.arguments["fixed"].operand == "$7"


def test_what_is_not_there_is_said_to_be_unknown(program: str) -> None:
    arguments = [argument for site in sites_of(program, "noted") for argument in site.arguments.values()]
    assert all(argument == UNKNOWN or argument.operand for argument in arguments)


def test_functions_that_are_not_inlined_or_not_there(program: str) -> None:
    assert sites_of(program, "first") == ()
    assert sites_of(program, "gone") == ()


def test_an_architecture_whose_registers_are_not_known(program: str) -> None:
    for site in inlined_sites(program, "noted", "s390x"):
        assert all(one == UNKNOWN or one.operand.startswith("$") for one in site.arguments.values())


def test_a_file_without_dwarf(tmp_path: Path) -> None:
    (tmp_path / "p.c").write_text("int main(void) { return 0; }")
    subprocess.run(["gcc", "-s", "-o", f"{tmp_path}/p", f"{tmp_path}/p.c"], check=True)
    assert inlined_sites(f"{tmp_path}/p", "main", "x86_64") == ()
