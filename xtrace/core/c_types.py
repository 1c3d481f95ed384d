"""C's own types and the kernel's typedefs as 64-bit Linux has them (LP64: `long` and pointers take 8 bytes)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from xtrace.core.types import Bool, CType, Int, Void

SIZE_WORDS = frozenset(("char", "short", "int", "long", "signed", "unsigned"))
"""Words of which several, in any order, name one integer type."""

QUALIFIERS = frozenset((
    "const", "volatile", "restrict", "__restrict", "register", "static", "inline", "extern", "__user", "__rcu",
    "__percpu", "__iomem", "__force", "__kernel", "__seg_gs", "__seg_fs", "__bitwise", "__private", "__nocast",
    "__noreturn",
))  # fmt: skip
"""What may stand around a type without changing its size: C's words, sparse's (include/linux/compiler_types.h)."""


def integer(words: Iterable[str]) -> Int:
    """The type that SIZE_WORDS name together: `long unsigned int`. `char` is signed, as on x86."""
    given = frozenset(words)
    size = 1 if "char" in given else 2 if "short" in given else 8 if "long" in given else 4
    return Int(size, "unsigned" not in given)


_FIXED = {f"{'s' if signed else 'u'}{8 * size}": Int(size, signed) for signed in (True, False) for size in (1, 2, 4, 8)}

TYPEDEFS: Mapping[str, CType] = {
    **_FIXED,
    **{f"__{name}": kind for name, kind in _FIXED.items()},
    **{f"{'' if kind.signed else 'u'}int{8 * kind.size}_t": kind for kind in _FIXED.values()},
    **{f"__{order}{8 * size}": Int(size, False) for order in ("be", "le") for size in (2, 4, 8)},
    "void": Void(),
    "bool": Bool(),
    "_Bool": Bool(),
    "uint": Int(4, False),
    "ulong": Int(8, False),
    "ushort": Int(2, False),
    "size_t": Int(8, False),
    "ssize_t": Int(8, True),
    "uintptr_t": Int(8, False),
    "intptr_t": Int(8, True),
    "pid_t": Int(4, True),
    "uid_t": Int(4, False),
    "gid_t": Int(4, False),
    "mode_t": Int(4, False),
    "umode_t": Int(2, False),
    "fmode_t": Int(4, False),
    "gfp_t": Int(4, False),
    "dev_t": Int(4, False),
    "ino_t": Int(8, False),
    "off_t": Int(8, True),
    "loff_t": Int(8, True),
    "sector_t": Int(8, False),
    "clockid_t": Int(4, True),
    "key_serial_t": Int(4, True),
    "dma_addr_t": Int(8, False),
    "phys_addr_t": Int(8, False),
}
"""Names whose meaning is the same on every 64-bit kernel (include/linux/types.h)."""

LATER_TYPEDEFS: Mapping[str, CType] = {"ktime_t": Int(8, True)}
"""Names that a host should be asked first: an old kernel has a union (Linux 2456e8553544, v4.10)."""
