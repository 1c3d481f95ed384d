"""The `format` file of an event, from text to `EventFormat` (Documentation/trace/events.rst).

A field's size and sign are the file's own, whatever its C type says: syscall arguments are stored as `unsigned long`.
`char x[16]` and `__data_loc char[]` are text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Optional

from xtrace.core.errors import XtraceError
from xtrace.core.facts.ctypes_text import Typedef, parse_declaration
from xtrace.core.facts.model import EventFormat
from xtrace.core.types import Array, Bool, CType, Enumerated, Int, Member, Pointer, Space, String, Struct

_FIELD = re.compile(r"\tfield(?: special)?:([^;]*);\s*offset:(\d+);\s*size:(\d+);(?:\s*signed:(\d+);)?")
_DYNAMIC = re.compile(r"(__data_loc|__rel_loc)\s+(.*?)\s*(\[\s*\])?\s+(\w+)\s*$")
_NAMED = re.compile(r"__print_(?:symbolic|flags)(?:64|_u64)?\(")
_PAIR = re.compile(r"\{\s*([^{}\"]*?)\s*,\s*\"((?:[^\"\\]|\\.)*)\"\s*\}")
_RECORD_FIELD = re.compile(r"REC->(\w+)")


def parse_event_format(text: str, system: str, typedef: Optional[Typedef] = None) -> EventFormat:
    """The event that a `format` file describes. Raises XtraceError XT0402."""
    name = re.search(r"^name: (.+)$", text, re.M)
    number = re.search(r"^ID: (\d+)$", text, re.M)
    if not name or not number:
        raise XtraceError.of("XT0402", f"the format of an event of {system} lacks its `name:` or `ID:` line")
    space = Space.USER if system == "syscalls" else Space.KERNEL
    members = [_member(match, space, typedef) for match in _FIELD.finditer(text)]
    print_format = text.partition("\nprint fmt: ")[2].strip()
    return EventFormat(
        system,
        name[1].strip(),
        int(number[1]),
        tuple(m for m in members if m.name.startswith("common_")),
        tuple(m for m in members if not m.name.startswith("common_")),
        print_format,
        named_values(print_format),
    )


def _member(match: re.Match[str], space: Space, typedef: Optional[Typedef]) -> Member:
    text, offset, size = match[1], int(match[2]), int(match[3])
    signed = match[4] != "0"
    dynamic = _DYNAMIC.match(text)
    if dynamic:
        return _dynamic(dynamic, offset, size, typedef)
    try:
        name, kind = parse_declaration(text, typedef, space)
    except XtraceError:
        # Modules may print any C type here (`bool (*)(void *) fn`, macros); the last word is the name all the same.
        name, kind = re.split(r"[\s*]+", text.strip())[-1].partition("[")[0], Int(size, signed)
    return Member(name, _fitted(kind, size, signed), offset, size, declaration=text)


def _dynamic(match: re.Match[str], offset: int, size: int, typedef: Optional[Typedef]) -> Member:
    location = "data_loc" if match[1] == "__data_loc" else "rel_loc"
    if re.fullmatch(r"(const )?char", match[2]) and match[3]:
        return Member(match[4], String(), offset, size, location=location, declaration=match.string)
    try:
        of = parse_declaration(match[2], typedef)[1]
    except XtraceError:
        of = Int(1, False)
    known = of if isinstance(of, (Int, Bool, Enumerated, Pointer)) else Int(8 if "mask" in match[2] else 1, False)
    return Member(match[4], Array(known, 0), offset, size, location=location, declaration=match.string)


def _fitted(kind: CType, size: int, signed: bool) -> CType:
    """The declared type with the size and sign of what the record holds."""
    if isinstance(kind, Pointer):
        return kind if size == 8 else Int(size, False)
    if isinstance(kind, Bool) and size == 1:
        return kind
    if isinstance(kind, Enumerated):
        return Enumerated(kind.name, size, signed)
    if isinstance(kind, String):
        return String(size)
    if isinstance(kind, Struct):
        return Struct(kind.name, size, kind.union)
    if isinstance(kind, Array):
        return _fitted_array(kind, size)
    if size in (1, 2, 4, 8):
        return Int(size, signed)
    return Array(Int(1, False), size)


def _fitted_array(kind: Array, size: int) -> CType:
    if isinstance(kind.of, (Int, Bool, Enumerated, Pointer, Array, Struct)) and kind.count:
        return kind
    if kind.count and size % kind.count == 0 and size // kind.count in (1, 2, 4, 8):
        return Array(Int(size // kind.count, False), kind.count)
    return Array(kind.of if isinstance(kind.of, Int) else Int(1, False), 0 if isinstance(kind.of, Int) else size)


def named_values(print_format: str) -> Mapping[str, Mapping[int, str]]:
    """Value names by field that the print format spells out in `__print_symbolic` and `__print_flags`.

    Entries whose value is not a number in the file (an enumerator that the kernel did not export) are left out.
    """
    found: dict[str, dict[int, str]] = {}
    for match in _NAMED.finditer(print_format):
        inside = _inside(print_format, match.end())
        head, brace, _ = inside.partition("{")
        field = _RECORD_FIELD.search(head)
        if not field or not brace:
            continue
        values = found.setdefault(field[1], {})
        for number, name in _PAIR.findall(inside):
            value = constant(number)
            if value is not None:
                values.setdefault(value, name)
    return {field: values for field, values in found.items() if values}


def _inside(text: str, start: int) -> str:
    """The arguments of a call, up to its closing parenthesis; strings may hold parentheses."""
    depth, quoted, at = 1, False, start
    while at < len(text) and depth:
        char = text[at]
        if quoted and char == "\\":
            at += 1
        elif char == '"':
            quoted = not quoted
        elif not quoted:
            depth += (char == "(") - (char == ")")
        at += 1
    return text[start : at - 1]


_CAST = re.compile(
    r"\(\s*(?:unsigned\s+|signed\s+)?(?:long long|long|int|short|char|unsigned|[a-z_]\w*_t|u\d+|__u\d+)\s*\)"
)
_SUFFIX = re.compile(r"\b(0[xX][0-9a-fA-F]+|\d+)[uUlL]+\b")


def constant(text: str) -> Optional[int]:
    """The value of a C constant expression of integers, as print formats hold it; None for anything else."""
    if re.fullmatch(r"0|[1-9][0-9]{0,19}", text):
        return int(text)
    plain = _SUFFIX.sub(r"\1", _CAST.sub("", text)).strip()
    if not plain or len(plain) > 512 or not re.fullmatch(r"[0-9a-fA-FxX()|&~<>+\-*\s]+", plain):
        return None
    plain = re.sub(r"\b0+(?=\d)", "0o", plain)
    try:
        return _value(ast.parse(plain, mode="eval").body, 0)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _value(node: ast.expr, depth: int) -> int:
    if depth > 64:
        raise ValueError("too deep")
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Invert)):
        inner = _value(node.operand, depth + 1)
        return -inner if isinstance(node.op, ast.USub) else ~inner
    if isinstance(node, ast.BinOp):
        return _binary(node.op, _value(node.left, depth + 1), _value(node.right, depth + 1))
    raise ValueError("not a constant")


def _binary(op: ast.operator, left: int, right: int) -> int:
    if isinstance(op, (ast.LShift, ast.RShift)):
        if not 0 <= right < 64:
            raise ValueError("shift out of range")
        return left << right if isinstance(op, ast.LShift) else left >> right
    simple = {
        ast.BitOr: left | right,
        ast.BitAnd: left & right,
        ast.Add: left + right,
        ast.Sub: left - right,
        ast.Mult: left * right,
    }
    if type(op) not in simple:
        raise ValueError("not a constant")
    return simple[type(op)]
