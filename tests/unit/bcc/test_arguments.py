"""Arguments by calling convention, and USDT operands as notes spell them."""

from __future__ import annotations

import pytest

from xtrace.backends.bcc import lower  # noqa: F401  (registers how expressions are written)
from xtrace.backends.bcc.arguments import operand
from xtrace.backends.bcc.dispatch import scalar
from xtrace.backends.bcc.handler import Handler, Host
from xtrace.backends.bcc.maps import MapTable
from xtrace.backends.bcc.writer import UnsupportedError
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core import types as t

PROGRAM = ir.Program((), (), ())
KPROBE = at.Kprobe("kprobe:f", "f", "f")
UPROBE = at.Uprobe("uprobe:/x:f", "/x", "f", 16)


def handler(arch: str, attach: at.Attach = KPROBE, usdt: at.UsdtSite | None = None) -> Handler:
    return Handler(Host(arch), PROGRAM, MapTable(PROGRAM), attach, usdt)


@pytest.mark.parametrize(
    ("arch", "index", "expected"),
    [
        ("x86_64", 0, "c112"),
        ("x86_64", 4, "c72"),
        ("x86_64", 5, "c64"),
        ("x86_64", 6, "x_kernel_u64(c152 + 8)"),
        ("x86_64", 7, "x_kernel_u64(c152 + 16)"),
        ("aarch64", 0, "c0"),
        ("aarch64", 7, "c56"),
        ("aarch64", 8, "x_kernel_u64(c248 + 0)"),
        ("s390x", 0, "c40"),
    ],
)
def test_arguments(arch: str, index: int, expected: str) -> None:
    assert scalar(ir.Arg(index), handler(arch)) == expected


def test_an_argument_on_a_user_stack_is_read_from_user_memory() -> None:
    assert scalar(ir.Arg(6), handler("x86_64", UPROBE)) == "x_user_u64(c152 + 8)"


def test_an_argument_is_cut_to_its_type() -> None:
    assert scalar(ir.Arg(0, t.Int(4, True)), handler("x86_64")) == "((u64)(s64)(s32)c112)"


@pytest.mark.parametrize(
    ("arch", "text", "expected"),
    [
        ("x86_64", "%edi", "c112"),
        ("x86_64", "%r12w", "c24"),
        ("x86_64", "$-5", "0xfffffffffffffffbULL"),
        ("x86_64", "$0x10", "16ULL"),
        ("x86_64", "-16(%rbp)", "x_user_u32(c32 + 0xfffffffffffffff0ULL)"),
        ("x86_64", "(%rsp)", "x_user_u32(c152)"),
        ("x86_64", "8(%rax,%rbx,4)", "x_user_u32(c80 + 8ULL + c40 * 4)"),
        ("aarch64", "w3", "c24"),
        ("aarch64", "[sp, 12]", "x_user_u32(c248 + 12ULL)"),
        ("aarch64", "42", "42ULL"),
        ("x86_64", "symbol+4(%rip)", None),
        ("x86_64", "%xmm0", None),
    ],
)
def test_operands(arch: str, text: str, expected: str | None) -> None:
    assert operand(at.UsdtArgument(4, False, text), handler(arch, UPROBE)) == expected


def test_usdt_arguments_are_cut_and_counted() -> None:
    site = at.UsdtSite(16, 0, (at.UsdtArgument(4, True, "%esi"),))
    made = handler("x86_64", at.Usdt("usdt:/x:p:q", "/x", "p", "q", (site,)), site)
    assert scalar(ir.Arg(0), made) == "((u64)(s64)(s32)c104)"
    with pytest.raises(UnsupportedError, match="has 1 arguments"):
        scalar(ir.Arg(1), made)
