"""System call numbers by ABI, for engines that only see the number.

Numbers never change once given out. The tables of 64-bit ABIs and of s390 are those of Linux 6.12's `asm/unistd_*.h`,
those of i386, x32 and arm (EABI, with the calls of arch/arm/include/uapi/asm/unistd.h) Linux 7.2's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from xtrace.core.syscall_abi import COMPAT, COMPAT_NAMES, NATIVE, UNKNOWN, X32_BIT, split

_TABLES = Path(__file__).parent / "syscall_tables"
_OF_MACHINES = {"i486": "i386", "i586": "i386", "i686": "i386", "armv6l": "arm", "armv7l": "arm"}
"""32-bit kernels' own ABI by what `uname -m` says there."""


@lru_cache(maxsize=8)
def syscall_names(abi: str) -> Mapping[int, str]:
    """Names by number of one ABI, which is called as the architecture whose own it is; empty without a table."""
    try:
        lines = (_TABLES / f"{_OF_MACHINES.get(abi, abi)}.txt").read_text().splitlines()
    except FileNotFoundError:
        return {}
    return {int(number): name for number, name in (line.split() for line in lines)}


class CallNames(Mapping[int, str]):
    """Names by number and ABI (`xtrace.core.syscall_abi`) of the calls that an architecture's kernel serves.

    Of calls that are not the kernel's own ABI's, each has a name that says so: `i386:open`, `i386:9999` without a
    table's entry; of a call that may be either's, both.
    """

    def __init__(self, arch: str) -> None:
        self._own = syscall_names(arch)
        self._abi = COMPAT_NAMES.get(arch, "")
        self._x32 = arch == "x86_64"

    def __getitem__(self, value: int) -> str:
        number, abi = split(value)
        if abi == COMPAT:
            return self._other(self._abi, number)
        if abi == UNKNOWN:
            return f"{self._own.get(number, number)}|{self._other(self._abi, number)}"
        if abi == NATIVE and self._x32 and number & X32_BIT and number > 0:
            return self._other("x32", number & ~X32_BIT)
        return self._own[value]

    @staticmethod
    def _other(abi: str, number: int) -> str:
        return f"{abi}:{syscall_names(abi).get(number, number)}"

    def __iter__(self) -> Iterator[int]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)


def syscall_number(arch: str, name: str) -> int | None:
    """The number of a system call, or None where the table does not have it.

    Tracepoints name some calls after the kernel's function (`sys_enter_newfstat` for `fstat`).
    """
    wanted = _TRACEPOINT_NAMES.get(name, name)
    return next((number for number, known in syscall_names(arch).items() if known == wanted), None)


_TRACEPOINT_NAMES = {
    "newstat": "stat",
    "newfstat": "fstat",
    "newlstat": "lstat",
    "sendfile64": "sendfile",
    "umount": "umount2",
    "newuname": "uname",
}
