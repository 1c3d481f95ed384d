"""Quoting: the only makers of `Code`, the text that templates may print.

Every rendered artifact is a program in some language, and every string in it may come from an attacker: a path, a
process name, a probe's text. A filter here either writes its value so that the target language reads exactly that value
back, or raises `QuotingError`; a template that forgets the filter raises too (`finalize`).
"""

from __future__ import annotations

import re
import shlex

MAX_FILTER_STRING = 255
"""Bytes in one string of an event filter: MAX_FILTER_STR_VAL of kernel/trace/trace.h counts the NUL."""

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_TOKEN = re.compile(r"[!-~]+", re.ASCII)
_C_KEYWORD = re.compile(
    "asm|auto|bool|break|case|char|const|continue|default|do|double|else|enum|extern|false|float|for|goto|if|inline"
    "|int|long|register|restrict|return|short|signed|sizeof|static|struct|switch|true|typedef|typeof|union|unsigned"
    "|void|volatile|while"
)
_ESCAPES = {0x22: '\\"', 0x5C: "\\\\", 0x0A: "\\n", 0x09: "\\t", 0x0D: "\\r"}


class QuotingError(ValueError):
    """A value that the target language has no way to write. Lowering checks values first, so this is a bug there."""


class Code(str):
    """Text of the target language, safe to print as it is."""

    __slots__ = ()


def finalize(value: object) -> object:
    """What a template may print: integers and `Code`. Raises QuotingError for everything else."""
    if isinstance(value, Code) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise QuotingError(f"a template prints {value!r} without a quoting filter")


def c_str(value: str) -> Code:
    """A C string literal. Bytes beyond printable ASCII, and `?` (trigraphs), become three-digit octal escapes."""
    return Code('"' + "".join(_c_byte(byte) for byte in _bytes(value)) + '"')


def c_ident(value: str) -> Code:
    """A C identifier. Raises QuotingError for anything else, keywords included."""
    if not _IDENTIFIER.fullmatch(value) or _C_KEYWORD.fullmatch(value):
        raise QuotingError(f"{value!r} is not a C identifier")
    return Code(value)


def stp_str(value: str) -> Code:
    """A SystemTap string literal, which knows C's escapes (stap(1), "String literals"). NUL is refused: a SystemTap
    string ends there."""
    if "\0" in value:
        raise QuotingError("a SystemTap string cannot hold NUL")
    return c_str(value)


def sh_quote(value: str) -> Code:
    """One word of a POSIX shell. NUL is refused: no shell word can hold it."""
    if "\0" in value:
        raise QuotingError("a shell word cannot hold NUL")
    return Code(shlex.quote(value))


def tracefs_token(value: str) -> Code:
    """One word of a tracefs command. Blanks split words, `#` starts a comment and a newline starts another command
    (kernel/trace/trace.c, trace_parse_run_command), so none of them can be written."""
    if not _TOKEN.fullmatch(value) or "#" in value:
        raise QuotingError(f"{value!r} cannot be a word of a tracefs command")
    return Code(value)


def tracefs_filter(value: str) -> Code:
    """A string operand of an event filter. There are no escapes: the other kind of quote is used, and a value with
    both kinds, with control characters, or too long is refused."""
    raw = _bytes(value)
    if len(raw) >= MAX_FILTER_STRING:
        raise QuotingError(f"a filter string holds {MAX_FILTER_STRING - 1} bytes, not {len(raw)}")
    if any(byte < 0x20 or byte == 0x7F for byte in raw):
        raise QuotingError(f"{value!r} has control characters, which a filter string cannot hold")
    quote = '"' if '"' not in value else "'"
    if quote in value:
        raise QuotingError(f"{value!r} has both kinds of quotes, which a filter string cannot hold")
    return Code(f"{quote}{value}{quote}")


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")


def _c_byte(byte: int) -> str:
    if byte in _ESCAPES:
        return _ESCAPES[byte]
    if 0x20 <= byte < 0x7F and byte != 0x3F:
        return chr(byte)
    return f"\\{byte:03o}"
