"""An inlined function: one definition for each instance, with its arguments where DWARF says."""

from __future__ import annotations

from tests.unit.ftrace.hosts import MODERN, features
from tests.unit.ftrace.test_lower import definitions, emits, lowered, reasons
from xtrace.core import ir
from xtrace.core.attach import Kprobe, UsdtArgument
from xtrace.core.types import Int, Space

GONE = UsdtArgument(8, False, "")


def inlined(*arguments: tuple[UsdtArgument, ...]) -> Kprobe:
    sites = tuple(4096 * (number + 1) for number in range(len(arguments)))
    return Kprobe("inline:f", "f", "", sites=sites, site_arguments=arguments)


def test_each_instance_reads_its_own_places() -> None:
    attach = inlined((UsdtArgument(8, False, "%rdi"),), (UsdtArgument(8, False, "-16(%rbp)"),))
    load = ir.Load(ir.Arg(0), 8, Int(4, False), Space.KERNEL)
    assert definitions(lowered(MODERN, ir.Clause((attach,), None, emits(load)))) == [
        "kprobe_events: p:S/f_0 _stext+4096 a0=%di:u64 a1=+8(%di):u32",
        "kprobe_events: p:S/f_1 _stext+8192 a0=-16(%bp):u64 a1=+8(-16(%bp)):u32",
    ]


def test_a_constant_is_not_recorded() -> None:
    attach = inlined((UsdtArgument(8, True, "$7"),))
    assert definitions(lowered(MODERN, ir.Clause((attach,), None, emits(ir.Arg(0))))) == [
        "kprobe_events: p:S/f_0 _stext+4096"
    ]


def test_an_argument_that_is_gone() -> None:
    (reason,) = reasons(features(MODERN), inlined((GONE,)), ir.Arg(0))
    assert "does not exist any more" in reason
