"""Programs that make i386 system calls, as ELF files made here: no 32-bit compiler or library is needed.

Their machine code means the same in both modes of the processor, so the same work can be that of a 32-bit program or of
a 64-bit one that goes through i386's door. Standard library only.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

GETPID, GETPPID, OPEN = 20, 64, 5
"""i386's numbers; x86_64 has writev(2), semget(2) and fstat(2) under them."""
_EXIT = 1
_BASE = 0x400000
_HEADERS = {32: 52 + 32, 64: 64 + 56}


def build(path: str, bits: int, calls: Iterable[tuple[int, int]], text: str = "") -> str:
    """Make the program *path*: it does each call of *calls* (number, how often) with *text* and two zeros as its
    arguments, all by `int 0x80`, and ends with status 0. Return the path."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_elf(bits, list(calls), text))
    file.chmod(0o755)
    return path


def _elf(bits: int, calls: list[tuple[int, int]], text: str) -> bytes:
    """One loadable segment (elf(5))."""
    entry = _BASE + _HEADERS[bits]
    size = len(_code(calls, 0))
    body = _code(calls, entry + size) + text.encode() + b"\0"
    whole = _HEADERS[bits] + len(body)
    if bits == 32:
        head = b"\x7fELF\x01\x01\x01" + bytes(9)
        head += struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, entry, 52, 0, 0, 52, 32, 1, 0, 0, 0)
        head += struct.pack("<IIIIIIII", 1, 0, _BASE, _BASE, whole, whole, 5, 0x1000)
    else:
        head = b"\x7fELF\x02\x01\x01" + bytes(9)
        head += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, entry, 64, 0, 0, 64, 56, 1, 0, 0, 0)
        head += struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, whole, whole, 0x1000)
    return head + body


def _code(calls: list[tuple[int, int]], text: int) -> bytes:
    """Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2."""
    code = b""
    for number, count in calls:
        code += b"\xbd" + struct.pack("<I", count)  # mov ebp, count
        loop = b"\xb8" + struct.pack("<I", number)  # mov eax, number
        loop += b"\xbb" + struct.pack("<I", text)  # mov ebx, text
        loop += b"\x31\xc9\x31\xd2"  # xor ecx, ecx; xor edx, edx
        loop += b"\xcd\x80\xff\xcd"  # int 0x80; dec ebp
        code += loop + b"\x75" + struct.pack("<b", -(len(loop) + 2))  # jnz
    return code + b"\x31\xdb\xb8" + struct.pack("<I", _EXIT) + b"\xcd\x80"  # xor ebx, ebx; mov eax, exit; int 0x80
