"""Strings through saved pointers."""

from __future__ import annotations

import pytest

from tests.unit.evaluate.programs import captured, typed
from xtrace.core.evaluate import Evaluator
from xtrace.core.messages import Hit
from xtrace.core.plan.capture import capture
from xtrace.core.plan.hoist import hoist
from xtrace.core.types import String

OPENSNOOP = """
tracepoint:syscalls:sys_enter_openat { @filename[tid] = args.filename; }
tracepoint:syscalls:sys_exit_openat /@filename[tid]/ {
    printf("%s %d", str(@filename[tid]), args.ret);
    delete(@filename[tid]);
}
END { clear(@filename); }
"""


def test_the_string_is_read_at_the_entry() -> None:
    hoisted = hoist(typed(OPENSNOOP))
    assert hoisted.moved == ("filename",)
    assert hoisted.program.map("filename").value == String(64)
    assert all(not capture(clause).unliftable for clause in hoisted.program.clauses)


def test_the_hoisted_program_shows_what_the_original_would() -> None:
    machine = Evaluator(captured(hoist(typed(OPENSNOOP)).program))
    machine.fire(0, (0xFFFF, 7, "/etc/hostname"))
    machine.fire(0, (0, 8, ""))
    machine.fire(1, (7, 3))
    machine.fire(1, (8, 3))
    machine.fire(1, (7, 3))
    assert [message.values for message in machine.take() if isinstance(message, Hit)] == [("/etc/hostname", 3)]


@pytest.mark.parametrize(
    "use",
    [
        "@other = @filename[tid];",
        "print(@filename);",
        'printf("%s", str(@filename[tid], 16));',
        "@filename[tid] = @other; @other = 1;",
        "@filename[tid]++;",
        "if (has_key(@filename, tid)) { @other = 1; }",
    ],
)
def test_other_uses_of_the_map_forbid_it(use: str) -> None:
    text = OPENSNOOP.replace("delete(@filename[tid]);", use)
    program = typed(text)
    assert hoist(program).moved == ()
    assert hoist(program).program == program


def test_tests_against_zero_become_tests_of_the_key() -> None:
    text = OPENSNOOP.replace("/@filename[tid]/", "/@filename[tid] != 0 && !(@filename[tid] == 0)/")
    assert hoist(typed(text)).moved == ("filename",)
