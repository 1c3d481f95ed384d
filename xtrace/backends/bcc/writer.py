"""The C text of one handler as it grows: lines, locals, and memory for what does not fit a register."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Union

from xtrace.backends.bcc.layout import WORD
from xtrace.core.errors import Diagnostic
from xtrace.core.quoting import Code

STACK_BUDGET = 240
"""Bytes of the 512-byte BPF stack (MAX_BPF_STACK, include/linux/filter.h) given to values; the compiler spills
registers and inlined functions keep their keys in the rest."""
LONG = 150
STACK_BUDGET_OF_LONG = 96
"""Lines from which a handler is long: the compiler then spills more registers, and values get less."""


def comment(text: str) -> Code:
    """Text for a C comment: printable, and unable to end it."""
    return Code(re.sub(r"[^ -~]|['\\?]", ".", text).replace("*/", "* /").replace("/*", "/ *"))


class UnsupportedError(Exception):
    """The program asks for something that a BPF program cannot do."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


@dataclass(frozen=True)
class Region:
    """Words in memory; `text` is a C expression of type `u64 *`."""

    text: str
    words: int


@dataclass(frozen=True)
class Literal:
    """Words known now."""

    values: tuple[int, ...]


Place = Union[Region, Literal]


def number(value: int) -> str:
    """A 64-bit constant, unsigned as all of C's arithmetic here."""
    return f"{value}ULL" if 0 <= value < 4096 else f"0x{value & (2**64 - 1):x}ULL"


def word(place: Place, index: int) -> str:
    """C for one word of a place; words beyond its end are zero."""
    if isinstance(place, Literal):
        return number(place.values[index]) if index < len(place.values) else "0"
    return f"{place.text}[{index}]" if index < place.words else "0"


def part(place: Region, start: int, words: int) -> Region:
    """`words` words of a region from word `start`."""
    return place if start == 0 and words == place.words else Region(f"({place.text} + {start})", words)


class Writer:
    """Collects statements. `locals` and `scratch` declare memory: on the stack, and in the handler's scratch memory
    once the stack is used up."""

    def __init__(self, budget: int = STACK_BUDGET) -> None:
        self.lines: list[str] = []
        self._budget = budget
        self.locals: list[str] = []
        self.scratch: list[str] = []
        self.scratch_words = 0
        self._depth = 1
        self._names = 0
        self._stack = 0

    def line(self, text: str) -> None:
        self.lines.append("    " * self._depth + text)

    @contextmanager
    def block(self, head: str = "") -> Iterator[None]:
        """Lines between braces; `head` is `if (…)` or empty."""
        self.line(f"{head} {{" if head else "{")
        self._depth += 1
        yield
        self._depth -= 1
        self.line("}")

    @contextmanager
    def aside(self) -> Iterator[list[str]]:
        """Collect what is written meanwhile in a list of its own."""
        outer, self.lines = self.lines, []
        try:
            yield self.lines
        finally:
            self.lines = outer

    def adopt(self, lines: list[str]) -> None:
        """Lines that were written aside, now inside a block."""
        self.lines += [f"    {line}" for line in lines]

    def name(self, hint: str) -> str:
        self._names += 1
        return f"{hint}{self._names}"

    def variable(self, hint: str = "t") -> str:
        """A new 64-bit local of the block being written, zero from here on: also in every turn of a loop."""
        name = self.name(hint)
        self.line(f"u64 {name} = 0;")
        return name

    def slot(self, words: int, hint: str = "t") -> Region:
        """Memory for a value, uninitialised."""
        name = self.name(hint)
        if self._stack + words * WORD <= self._budget:
            self._stack += words * WORD
            self.locals.append(f"u64 {name}[{words}];")
            return Region(name, words)
        self.scratch.append(f"u64 {name}[{words}];")
        self.scratch_words += words
        return Region(f"s->{name}", words)

    def zero(self, place: Region) -> None:
        size = place.words * WORD
        if place.words <= 2:
            for index in range(place.words):
                self.line(f"{place.text}[{index}] = 0;")
        elif size <= 512:
            self.line(f"__builtin_memset({place.text}, 0, {size});")
        else:
            # A read that faults leaves zeros behind in every kernel that has bpf_probe_read (kernel/trace/bpf_trace.c),
            # and clang cannot inline a memset of this size.
            self.line(f"bpf_probe_read_kernel({place.text}, {size}, (void *)0);")

    def copy(self, target: Region, source: Place) -> None:
        """Fill `target` from `source`, padding with zeros."""
        if isinstance(source, Region) and source.words > 8:
            count = min(target.words, source.words)
            if count < target.words:
                self.zero(target)
            copier = "__builtin_memcpy" if count * WORD <= 512 else "x_copy"
            self.line(f"{copier}({target.text}, {source.text}, {count * WORD});")
            return
        if isinstance(source, Literal) and target.words > 8:
            self.zero(target)
            count = len(source.values)
        else:
            count = target.words
        for index in range(min(count, target.words)):
            self.line(f"{target.text}[{index}] = {word(source, index)};")
