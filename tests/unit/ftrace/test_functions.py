"""Function probes: which of the kernel's kinds serves, and what it can read."""

from __future__ import annotations

import pytest

from tests.unit.ftrace.hosts import MODERN, emitting, features
from xtrace.backends.ftrace.lower import lower
from xtrace.backends.ftrace.model import Action
from xtrace.backends.ftrace.objections import program_objections
from xtrace.core import ir
from xtrace.core.attach import Kprobe
from xtrace.core.types import Int

NO_FPROBES = {"tracefs.fprobe_events": False, "tracefs.fprobe_exit_args": False}
NO_KPROBES = {"kprobe.usable": False}
BOTH = (ir.Arg(2), ir.Retval(Int(8, True)))


def definition(kind: str, lacks: dict[str, bool], *values: ir.Expr, module: str = "") -> str:
    """The definition of a probe on vfs_read, or what is objected to it."""
    returns = kind in ("kretprobe", "fexit")
    point = Kprobe(f"{kind}:vfs_read", "vfs_read", "vfs_read", returns, module=module)
    host = features({**MODERN, **lacks})
    program = emitting(ir.Clause((point,), None, (ir.Output(0, values),)))
    objections = program_objections(program, host)
    if objections:
        return objections[0].message
    (step,) = (one for one in lower(program, host).steps if one.action is Action.DEFINE)
    return "".join(part if isinstance(part, str) else "G" for part in step.data).strip()


@pytest.mark.parametrize(
    ("kind", "lacks", "values", "expected"),
    [
        ("kprobe", {}, (ir.Arg(2),), "p:G/vfs_read_0 vfs_read a0=$arg3:s64"),
        ("fentry", {}, (ir.Arg(2),), "f:G/vfs_read_0 vfs_read a0=$arg3:s64"),
        ("fentry", NO_FPROBES, (ir.Arg(2),), "p:G/vfs_read_0 vfs_read a0=$arg3:s64"),
        ("kprobe", NO_KPROBES, (ir.Arg(2),), "f:G/vfs_read_0 vfs_read a0=$arg3:s64"),
        ("fexit", {}, BOTH, "f:G/vfs_read_0 vfs_read%return a0=$arg3:s64 a1=$retval:s64"),
        ("fexit", NO_FPROBES, BOTH, "r256:G/vfs_read_0 vfs_read a0=$arg3:s64 a1=$retval:s64"),
        ("fexit", {**NO_FPROBES, "tracefs.fetch.arg_at_return": False}, BOTH,
         "fexit:vfs_read: arguments are only known at a function's entry"),
        ("kretprobe", {}, BOTH, "kretprobe:vfs_read: arguments are only known at a function's entry"),
        ("fentry", {}, (ir.Register("ax", Int(8, False)),),
         "fentry:vfs_read: an fprobe event records arguments, not registers"),
    ],
)  # fmt: skip
def test_the_probe_that_serves(kind: str, lacks: dict[str, bool], values: tuple[ir.Expr, ...], expected: str) -> None:
    assert definition(kind, lacks, *values) == expected


def test_an_fprobe_event_names_no_module() -> None:
    assert definition("fentry", {}, module="ext4").startswith("p:G/vfs_read_0 ext4:vfs_read")
