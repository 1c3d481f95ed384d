"""Shown values as text, in bpftrace's spelling."""

from __future__ import annotations

from xtrace.core.events import Blob, Frames, Hexadecimal, Sequence, Shown

_INDENT = " " * 8


def text_of(shown: Shown) -> str:
    """The value as `print` and `%s` show it. Stacks begin with a newline, each frame on a line of its own."""
    if isinstance(shown, str):
        return shown
    if isinstance(shown, int):
        return ("false", "true")[shown] if isinstance(shown, bool) else str(shown)
    if shown is None:
        return "-"
    if isinstance(shown, tuple):
        return "(" + ", ".join(text_of(item) for item in shown) + ")"
    return _text_of_special(shown)


def _text_of_special(shown: Hexadecimal | Blob | Frames | Sequence) -> str:
    if isinstance(shown, Hexadecimal):
        return f"0x{shown.value:x}"
    if isinstance(shown, Blob):
        return printable(shown.data)
    if isinstance(shown, Sequence):
        return "[" + ",".join(text_of(item) for item in shown.items) + "]"
    lead = "" if shown.raw else "\t" if shown.perf else _INDENT
    return "\n" + "".join(f"{lead}{name}\n" for name in shown.names)


def printable(data: bytes) -> str:
    """Bytes as `%r` shows them: printable ASCII as it is, others as \\xNN."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in data)


_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\x1b": "\\e"}


def inert(text: str, keep: str = "") -> str:
    """The text with what could steer a terminal made visible: control characters (C0, DEL, C1), characters that turn
    the direction of writing, and bytes that are no text. Characters of `keep` stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char in keep or char.isprintable() else _visible(char) for char in text)


def _visible(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
