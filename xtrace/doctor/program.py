"""A tiny program to be probed: an ELF file made here, so that no compiler is needed and every event is foreseen.

It calls `xtrace_canary("canary")` five times, which passes the USDT probe `xtrace:canary` and returns 7, then keeps a
processor busy for some hundredths of a second, and ends with status 0.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

CALLS = 5
RESULT = 7
TEXT = "canary"
FUNCTION = "xtrace_canary"
PROVIDER, PROBE = "xtrace", "canary"
_BASE = 0x400000
_HEADERS = 64 + 56
_SPIN = 100 << 20


class _Code(NamedTuple):
    """Machine code with the offsets of the function and of its USDT site; `argument` is the note's operand."""

    machine: int
    code: bytes
    function: int
    site: int
    argument: str


def program(arch: str) -> bytes | None:
    """The program's ELF file for an architecture as `uname -m` says it; None for those without machine code here."""
    code = {"x86_64": _x86_64, "aarch64": _aarch64}.get(arch)
    return None if code is None else _elf(code())


def _x86_64() -> _Code:
    """Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2."""
    tail = b"\xb9" + struct.pack("<I", _SPIN)  # mov ecx, SPIN
    tail += b"\xff\xc9\x75\xfc"  # spin: dec ecx; jnz spin
    tail += b"\x31\xff\xb8\xe7\x00\x00\x00\x0f\x05"  # xor edi, edi; mov eax, exit_group; syscall
    function = b"\x90\x90\xb8" + struct.pack("<I", RESULT) + b"\xc3"  # nop; nop (the site); mov eax, RESULT; ret
    head = b"\xbb" + struct.pack("<I", CALLS)  # mov ebx, CALLS
    loop = 7 + 5 + 2 + 2
    entry = len(head) + loop + len(tail)
    text = entry + len(function)
    body = b"\x48\x8d\x3d" + struct.pack("<i", text - (len(head) + 7))  # lea rdi, [rip + text]
    body += b"\xe8" + struct.pack("<i", entry - (len(head) + 12))  # call function
    body += b"\xff\xcb\x75" + struct.pack("<b", -loop)  # dec ebx; jnz
    return _Code(62, head + body + tail + function + TEXT.encode() + b"\0", entry, entry + 1, "8@%rdi")


def _aarch64() -> _Code:
    """Arm Architecture Reference Manual for A-profile, C6."""
    function, text = 11, 15
    words = [
        0x52800000 | CALLS << 5 | 19,  # movz w19, #CALLS
        0x10000000 | (text - 1) << 5,  # adr x0, text
        0x94000000 | (function - 2),  # bl function
        0x71000673,  # subs w19, w19, #1
        0x54000001 | (-3 & 0x7FFFF) << 5,  # b.ne adr
        0x52A00000 | (_SPIN >> 16) << 5 | 20,  # movz w20, #SPIN >> 16, lsl #16
        0x71000694,  # subs w20, w20, #1
        0x54000001 | (-1 & 0x7FFFF) << 5,  # b.ne subs
        0xD2800000,  # movz x0, #0
        0xD2800000 | 94 << 5 | 8,  # movz x8, #exit_group
        0xD4000001,  # svc #0
        0xD503201F,  # function: nop
        0xD503201F,  # the site: nop
        0xD2800000 | RESULT << 5,  # movz x0, #RESULT
        0xD65F03C0,  # ret
    ]
    code = struct.pack(f"<{len(words)}I", *words) + TEXT.encode() + b"\0"
    return _Code(183, code, 4 * function, 4 * (function + 1), "8@x0")


def _elf(code: _Code) -> bytes:
    """One loadable segment, a symbol for the function, and a stapsdt note (elf(5))."""
    text = _HEADERS
    names = b"\0" + FUNCTION.encode() + b"\0"
    symbols = bytes(24) + struct.pack("<IBBHQQ", 1, 0x12, 0, 1, _BASE + text + code.function, 8)
    note = _note(_BASE + text + code.site, _BASE + text, code.argument)
    parts = [code.code, note, symbols, names]
    offsets, at = [], text
    for part in parts:
        at = -(-at // 8) * 8
        offsets.append(at)
        at += len(part)
    titles = b"\0.text\0.stapsdt.base\0.note.stapsdt\0.symtab\0.strtab\0.shstrtab\0"
    titles_at, table = at, -(-(at + len(titles)) // 8) * 8

    def section(title: bytes, kind: int, flags: int, address: int, offset: int, size: int, *rest: int) -> bytes:
        link, info, align, entry = rest or (0, 0, 1, 0)
        name = titles.index(b"\0" + title + b"\0") + 1
        return struct.pack("<IIQQQQIIQQ", name, kind, flags, address, offset, size, link, info, align, entry)

    sections = [
        bytes(64),
        section(b".text", 1, 6, _BASE + text, text, len(code.code)),
        section(b".stapsdt.base", 1, 2, _BASE + text, text, 1),
        section(b".note.stapsdt", 7, 0, 0, offsets[1], len(note), 0, 0, 4, 0),
        section(b".symtab", 2, 0, 0, offsets[2], len(symbols), 5, 1, 8, 24),
        section(b".strtab", 3, 0, 0, offsets[3], len(names)),
        section(b".shstrtab", 3, 0, 0, titles_at, len(titles)),
    ]
    size = text + len(code.code)
    image = b"\x7fELF\x02\x01\x01" + bytes(9)
    image += struct.pack("<HHIQQQIHHHHHH", 2, code.machine, 1, _BASE + text, 64, table, 0, 64, 56, 1, 64, 7, 6)
    image += struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1000)
    for offset, part in zip(offsets, parts):
        image = image.ljust(offset, b"\0") + part
    image = image.ljust(titles_at, b"\0") + titles
    return image.ljust(table, b"\0") + b"".join(sections)


def _note(site: int, base: int, argument: str) -> bytes:
    """https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation"""
    words = b"".join(word.encode() + b"\0" for word in (PROVIDER, PROBE, argument))
    body = struct.pack("<QQQ", site, base, 0) + words
    note = struct.pack("<III", 8, len(body), 3) + b"stapsdt\0" + body
    return note.ljust(-(-len(note) // 4) * 4, b"\0")
