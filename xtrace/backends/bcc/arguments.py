"""Arguments and results of probed functions and USDT probes, read from the registers in the probe's context."""

from __future__ import annotations

import re

from xtrace.backends.bcc import layout
from xtrace.backends.bcc.dispatch import narrowed, scalar
from xtrace.backends.bcc.handler import Handler
from xtrace.backends.bcc.registers import assembler_register, named_register
from xtrace.backends.bcc.writer import number
from xtrace.core import attach as at
from xtrace.core import ir
from xtrace.core.facts.model import near_names

_CONSTANT = re.compile(r"[$#]?(-?(?:0x[0-9a-fA-F]+|\d+))")
_REGISTER = re.compile(r"%?([a-z][a-z0-9]*)")
_X86_MEMORY = re.compile(r"(-?(?:0x[0-9a-fA-F]+|\d+))?\(%(\w+)(?:,%(\w+)(?:,([1248]))?)?\)")
_KEEP = "keep it at the entry probe, @arg[tid] = arg0, and read it here"
_ARM64_MEMORY = re.compile(r"\[(\w+)(?:, ?#?(-?\d+))?\]")


@scalar.register
def _(node: ir.Arg, handler: Handler) -> str:
    if handler.usdt is not None:
        return _placed_argument(node, handler, handler.usdt)
    if not isinstance(handler.attach, (at.Kprobe, at.Uprobe)):
        raise handler.refuse(f"arg{node.index} exists in kprobes, uprobes and USDT probes only", node.span)
    if handler.attach.returns:
        raise handler.refuse("a return probe does not hold the function's arguments", node.span, _KEEP)
    registers = handler.host.registers
    if node.index < len(registers.arguments):
        return narrowed(handler.context(registers.arguments[node.index], f"arg{node.index}"), node.type)
    above = registers.stack_skip + layout.WORD * (node.index - len(registers.arguments))
    space = "kernel" if isinstance(handler.attach, at.Kprobe) else "user"
    stack = handler.context(registers.stack_pointer, "stack pointer")
    return narrowed(f"x_{space}_u64({stack} + {above})", node.type)


@scalar.register
def _(node: ir.Retval, handler: Handler) -> str:
    if not isinstance(handler.attach, (at.Kprobe, at.Uprobe)):
        raise handler.refuse("retval exists in kretprobes and uretprobes only", node.span)
    return narrowed(handler.context(handler.host.registers.result, "retval"), node.type)


@scalar.register
def _(node: ir.Register, handler: Handler) -> str:
    offset = named_register(handler.host.arch, node.name)
    if offset is None or not handler.has_registers:
        known = near_names(node.name, handler.host.registers.by_name)
        hints = (f"did you mean {', '.join(known)}?",) if known else ()
        raise handler.refuse(
            f"there is no register {node.name!r} in this probe on {handler.host.arch}", node.span, *hints
        )
    return handler.context(offset, node.name)


def _placed_argument(node: ir.Arg, handler: Handler, site: at.UsdtSite) -> str:
    """An argument that lies where a USDT note, or DWARF for an inlined function, says."""
    if node.index >= len(site.arguments):
        count = len(site.arguments)
        raise handler.refuse(f"{handler.attach.name} has {count} arguments, so no arg{node.index}", node.span)
    wanted = site.arguments[node.index]
    if not wanted.operand:
        raise handler.refuse(f"arg{node.index} does not exist any more where the function was inlined", node.span)
    text = operand(wanted, handler)
    if text is None:
        raise handler.refuse(f"the operand {wanted.operand!r} of arg{node.index} is not understood", node.span)
    if wanted.size >= layout.WORD:
        return text
    bits = 8 * wanted.size
    return f"((u64)(s64)(s{bits}){text})" if wanted.signed else f"((u64)(u{bits}){text})"


def operand(argument: at.UsdtArgument, handler: Handler) -> str | None:
    """C for a USDT operand as the note spells it (https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation):
    a constant, a register, or memory at registers and an offset; None where it is none of them."""
    if constant := _CONSTANT.fullmatch(argument.operand):
        return number(int(constant.group(1), 0))
    if named := _REGISTER.fullmatch(argument.operand):
        return _register(handler, named.group(1))
    address = _address(handler, argument.operand)
    space = "kernel" if isinstance(handler.attach, at.Kprobe) else "user"
    return f"x_{space}_u{8 * argument.size}({address})" if address else None


def _register(handler: Handler, name: str) -> str | None:
    found = assembler_register(handler.host.arch, name)
    return handler.context(found[0], name) if found else None


def _address(handler: Handler, text: str) -> str | None:
    offset, base, index, scale = "0", "", "", "1"
    if match := _X86_MEMORY.fullmatch(text):
        offset, base, index, scale = match.group(1) or "0", match.group(2), match.group(3) or "", match.group(4) or "1"
    elif match := _ARM64_MEMORY.fullmatch(text):
        base, offset = match.group(1), match.group(2) or "0"
    start = _register(handler, base)
    if start is None:
        return None
    terms = [start]
    if int(offset, 0):
        terms.append(number(int(offset, 0)))
    if index:
        step = _register(handler, index)
        if step is None:
            return None
        terms.append(f"{step} * {scale}")
    return " + ".join(terms)
