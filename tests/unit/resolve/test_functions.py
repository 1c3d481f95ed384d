"""What the name of a kernel function means on a host."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from xtrace.core.facts.model import State
from xtrace.core.facts.symbols import KernelSymbols
from xtrace.core.resolve.functions import FunctionState, judge
from xtrace.core.resolve.inlining import known_events
from xtrace.testing.hosts import FakeHost, FakeTypes

KALLSYMS = {"kernel.kallsyms": True}


def host(*symbols: str, **more: object) -> FakeHost:
    return FakeHost(symbols=symbols, facts=KALLSYMS, **more)  # type: ignore[arg-type]


def lines(*rows: str) -> FakeHost:
    """A host whose kallsyms has these lines."""
    return FakeHost(symbols=KernelSymbols("\n".join(rows).encode()), facts=KALLSYMS)


def test_a_symbol_is_attachable() -> None:
    verdict = judge("tcp_sendmsg_fastopen_x", host("tcp_sendmsg_fastopen_x"))
    assert (verdict.state, verdict.symbols, verdict.attachable) == (
        FunctionState.EXACT, ("tcp_sendmsg_fastopen_x",), True,
    )  # fmt: skip


def test_without_symbols_nothing_is_said_and_the_name_is_tried() -> None:
    verdict = judge("vfs_read", FakeHost(symbols=()))
    assert (verdict.state, verdict.symbol) == (FunctionState.UNPROBED, "vfs_read")


@pytest.mark.parametrize(
    ("function", "symbols", "state", "attached"),
    [
        ("work", ["work.isra.0"], FunctionState.TRANSFORMED, ["work.isra.0"]),
        ("work", ["work.constprop.0", "work.constprop.1"], FunctionState.TRANSFORMED,
         ["work.constprop.0", "work.constprop.1"]),
        ("work", ["work.part.0"], FunctionState.TRANSFORMED, ["work.part.0"]),
        ("work", ["work.isra.0", "work.isra.0.cold"], FunctionState.TRANSFORMED, ["work.isra.0"]),
        ("work", ["work.llvm.1234"], FunctionState.EXACT, ["work.llvm.1234"]),
        ("work", ["work.cold"], FunctionState.ABSENT, []),
        ("work", ["work.part.0", "work.part.1"], FunctionState.AMBIGUOUS, []),
        ("work", ["work", "work.part.0"], FunctionState.INCOMPLETE, ["work"]),
    ],
)  # fmt: skip
def test_variants(function: str, symbols: Iterable[str], state: FunctionState, attached: list[str]) -> None:
    verdict = judge(function, host(*symbols))
    assert (verdict.state, list(verdict.symbols)) == (state, attached)


def test_a_name_of_several_functions_is_ambiguous() -> None:
    verdict = judge("init", lines("ffff0001 t init", "ffff0002 t init"))
    assert (verdict.state, verdict.symbols) == (FunctionState.AMBIGUOUS, ())


def test_a_symbol_listed_twice_is_one_function() -> None:
    assert judge("init", lines("ffff0001 t init", "ffff0001 t init")).state is FunctionState.EXACT


def test_the_module_tells_functions_of_one_name_apart() -> None:
    two = lines("ffff0001 t get_block\t[ext4]", "ffff0002 t get_block\t[xfs]")
    assert "kprobe:ext4:get_block or kprobe:xfs:get_block" in judge("get_block", two).remedy
    assert judge("get_block", two, module="xfs").state is FunctionState.EXACT


def test_blacklisted() -> None:
    verdict = judge("do_int3", host("do_int3", blacklisted=["do_int3"]))
    assert (verdict.state, verdict.attachable) == (FunctionState.BLACKLISTED, False)


def test_functions_that_ftrace_cannot_filter_are_refused_where_the_kernel_does() -> None:
    checking = host("quiet", "__within_notrace_func", filterable=["vfs_read"])
    assert judge("quiet", checking).state is FunctionState.NOTRACE
    assert judge("quiet", host("quiet", filterable=["vfs_read"])).state is FunctionState.EXACT


@pytest.mark.parametrize("symbol", ["__pfx_vfs_read", "__cfi_vfs_read", "__SCT__vfs_read"])
def test_text_that_is_no_function_is_named(symbol: str) -> None:
    verdict = judge(symbol, host("vfs_read", symbol))
    assert (verdict.attachable, verdict.remedy) == (False, "probe vfs_read")
    assert "never runs" in verdict.evidence or "static call" in verdict.evidence


def test_a_kernel_may_be_configured_to_probe_them_all_the_same() -> None:
    allowing = host(
        "quiet", "__within_notrace_func", filterable=["vfs_read"], config={"CONFIG_KPROBE_EVENTS_ON_NOTRACE": "y"}
    )
    assert judge("quiet", allowing).state is FunctionState.EXACT


def like(kernel: str, *symbols: str) -> FakeHost:
    """A host with the tracepoints of a known kernel."""
    return host(*symbols, events={f"any:{name}": {} for name in known_events()[kernel]})


def test_partly_inlined_on_a_kernel_of_the_same_source() -> None:
    verdict = judge("vfs_read", like("5.4", "vfs_read"))
    assert verdict.state is FunctionState.INCOMPLETE
    assert verdict.attachable
    assert "4.8 to 5.4" in verdict.evidence
    assert judge("vfs_read", like("5.15", "vfs_read")).state is FunctionState.EXACT


def test_without_tracepoints_the_doubt_remains() -> None:
    assert judge("vfs_read", host("vfs_read")).state is FunctionState.INCOMPLETE


def test_renamed() -> None:
    verdict = judge("do_fork", host("kernel_clone"))
    assert (verdict.state, verdict.remedy) == (FunctionState.RENAMED, "probe kernel_clone")
    assert "5.10" in verdict.evidence


@pytest.mark.parametrize(
    ("kernel", "state"),
    [("4.4", FunctionState.ABSENT), ("5.15", FunctionState.INLINED), ("6.8", FunctionState.ABSENT)],
)
def test_inlined_and_removed_are_told_apart_by_kernels_of_the_same_source(kernel: str, state: FunctionState) -> None:
    verdict = judge("tcp_drop", like(kernel, "tcp_rcv_established"))
    assert (verdict.state, verdict.attachable) == (state, False)


def test_the_way_out_is_a_tracepoint_that_the_host_has() -> None:
    assert judge("tcp_drop", host("x", events={"skb:kfree_skb": {}})).remedy == "use tracepoint:skb:kfree_skb"
    assert "a function that calls tcp_drop" in judge("tcp_drop", host("x", events={"skb:other": {}})).remedy


def test_a_missing_function_gets_near_names() -> None:
    verdict = judge("vfs_raed", host("vfs_read", "vfs_write"))
    assert verdict.state is FunctionState.ABSENT
    assert verdict.remedy == "did you mean vfs_read?"


def test_what_btf_has_without_a_symbol_is_inlined() -> None:
    known = FakeTypes(prototypes={"only_in_btf": "int x"})
    assert judge("only_in_btf", host("other", types=known)).state is FunctionState.INLINED


def test_denied_symbols_are_not_absent_ones() -> None:
    hidden = FakeHost(symbols=(), facts={"kernel.kallsyms": State.DENIED})
    assert judge("vfs_read", hidden).state is FunctionState.UNPROBED
