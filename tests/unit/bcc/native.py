"""Compiles generated C expressions for this machine, so that their meaning can be compared with the language's."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Sequence
from pathlib import Path

from xtrace.backends.bcc import lower  # noqa: F401  (registers how expressions are written)
from xtrace.backends.bcc.dispatch import scalar
from xtrace.backends.bcc.handler import Handler, Host
from xtrace.backends.bcc.layout import words_for
from xtrace.backends.bcc.maps import MapTable
from xtrace.backends.bcc.support import needed
from xtrace.backends.bcc.writer import Region
from xtrace.core import attach as at
from xtrace.core import ir

PREAMBLE = """
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; typedef unsigned long long u64;
typedef signed char s8; typedef short s16; typedef int s32; typedef long long s64;
#define __always_inline inline
"""


def function(name: str, expr: ir.Expr, numbers: Sequence[str], texts: Sequence[tuple[str, int]] = ()) -> str:
    """A C function of the expression's variables: numbers first, then texts by address with their size in bytes."""
    program = ir.Program((), (), ())
    made = Handler(Host("x86_64"), program, MapTable(program), at.Begin())
    made.vars = {**dict(zip(numbers, numbers)), **{text: Region(text, words_for(size)) for text, size in texts}}
    value = scalar(expr, made)
    parameters = [f"u64 {number}" for number in numbers] + [f"u64 *{text}" for text, _ in texts]
    body = "\n".join([*made.out.locals, *made.out.lines])
    return f"u64 {name}({', '.join(parameters)}) {{\n{body}\nreturn {value};\n}}\n"


def library(place: Path, functions: Sequence[str]) -> ctypes.CDLL:
    """The functions as a loaded library."""
    source, target = place / "functions.c", place / "functions.so"
    source.write_text(PREAMBLE + "\n".join([*needed(functions), *functions]))
    subprocess.run(["cc", "-O1", "-w", "-shared", "-fPIC", "-o", str(target), str(source)], check=True)
    return ctypes.CDLL(str(target))


def text_argument(value: str, size: int) -> ctypes.Array[ctypes.c_char]:
    """A string as a handler holds it: zero up to its last word."""
    raw = value.encode("utf-8", "surrogateescape")[: size - 1]
    return ctypes.create_string_buffer(raw, 8 * words_for(size))
