"""Functions that mark a number as one which is shown by a name: of a disk, a signal, an error, a cgroup and so on.

The number itself travels and can be compared; the controller looks the name up when it shows the value.
"""

from __future__ import annotations

from xtrace.core import ir
from xtrace.core.lang import ast
from xtrace.core.lang.typing.arguments import numeric
from xtrace.core.lang.typing.context import Context
from xtrace.core.lang.typing.registry import function
from xtrace.core.types import Enumerated


@function("disk_name", 1, 1)
def disk_name(ctx: Context, node: ast.Call) -> ir.Expr:
    """The kernel's `dev_t` of a block device (`args.dev` of the block events), shown as `sda1`."""
    return ir.Address(numeric(ctx, node, 0), Enumerated("disk", 8, True), node.span)


@function("signal_name", 1, 1)
def signal_name(ctx: Context, node: ast.Call) -> ir.Expr:
    """The number of a signal, shown as `SIGTERM`."""
    return ir.Address(numeric(ctx, node, 0), Enumerated("signal", 8, True), node.span)


@function("tcp_state", 1, 1)
def tcp_state(ctx: Context, node: ast.Call) -> ir.Expr:
    """The state of a TCP connection, shown as the kernel names it: `TCP_ESTABLISHED`."""
    return ir.Address(numeric(ctx, node, 0), Enumerated("tcp_state", 8, True), node.span)


@function("capability_name", 1, 1)
def capability_name(ctx: Context, node: ast.Call) -> ir.Expr:
    """The number of a capability, shown as `CAP_SYS_ADMIN`."""
    return ir.Address(numeric(ctx, node, 0), Enumerated("capability", 8, True), node.span)


@function("strerror", 1, 1)
def strerror(ctx: Context, node: ast.Call) -> ir.Expr:
    """An errno value, shown by the C library's words for it."""
    return ir.Address(numeric(ctx, node, 0), Enumerated("errno", 8, True), node.span)


@function("cgroup_path", 1, 1)
def cgroup_path(ctx: Context, node: ast.Call) -> ir.Expr:
    """The number of a control group, shown as its path in the hierarchy of version 2."""
    return ir.Address(numeric(ctx, node, 0), Enumerated("cgroup", 8, False), node.span)
