"""Types of values, as the language, the kernel and user programs know them. Sizes are in bytes.

Arithmetic is always done on 64 bits; `Int.size` tells how a value is read from memory, stored in a key and printed.
"""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import Union

from xtrace.core.records import dataclass


class Space(Enum):
    """Which memory an address belongs to. AUTO: tell by the address itself when the read happens."""

    KERNEL = "kernel"
    USER = "user"
    AUTO = "auto"


@dataclass(frozen=True)
class Int:
    size: int = 8
    signed: bool = True


@dataclass(frozen=True)
class Bool:
    pass


@dataclass(frozen=True)
class String:
    """Bytes up to the first NUL; `size` counts the NUL, as bpftrace's `max_strlen` does."""

    size: int = 64


@dataclass(frozen=True)
class Pointer:
    to: CType
    space: Space = Space.KERNEL


@dataclass(frozen=True)
class Array:
    of: CType
    count: int


@dataclass(frozen=True)
class Struct:
    """A struct or union by name; its members are asked of `HostTypes`. `union` only words messages."""

    name: str
    size: int = 0
    union: bool = False


@dataclass(frozen=True)
class Enumerated:
    """An integer whose values have names in the host's BTF or format file."""

    name: str
    size: int = 4
    signed: bool = False


@dataclass(frozen=True)
class Void:
    pass


@dataclass(frozen=True)
class Unknown:
    """Not known without a host; agrees with everything. Never reaches a backend."""


@dataclass(frozen=True)
class Inet:
    """An IPv4 or IPv6 address in network byte order (`ntop`); a value is 4 or 16 bytes."""


@dataclass(frozen=True)
class Buffer:
    """Raw bytes of at most `size`; `mac`: six of them, shown as a hardware address."""

    size: int = 64
    mac: bool = False


@dataclass(frozen=True)
class Stack:
    """A list of return addresses; `user` stacks come with the process they belong to."""

    user: bool
    depth: int = 127
    mode: str = "bpftrace"


@dataclass(frozen=True)
class Symbol:
    """An address to be shown as a name (`ksym`, `usym`, `kaddr`'s inverse)."""

    user: bool


@dataclass(frozen=True)
class Timestamp:
    """Nanoseconds of the boot clock shown by a strftime format."""

    format: str


@dataclass(frozen=True)
class Tuple:
    items: tuple[CType, ...]


CType = Union[
    Int, Bool, String, Pointer, Array, Struct, Enumerated, Void, Unknown, Inet, Buffer, Stack, Symbol, Timestamp, Tuple
]


@dataclass(frozen=True)
class Count:
    """`count()`"""


@dataclass(frozen=True)
class Sum:
    signed: bool = True


@dataclass(frozen=True)
class Min:
    signed: bool = True


@dataclass(frozen=True)
class Max:
    signed: bool = True


@dataclass(frozen=True)
class Avg:
    signed: bool = True


@dataclass(frozen=True)
class Stats:
    signed: bool = True


@dataclass(frozen=True)
class Hist:
    """Log2 histogram; `bits` sub-buckets per power of two as 2**bits, bpftrace's second argument (0 to 5)."""

    bits: int = 0


@dataclass(frozen=True)
class LinearHist:
    """`lhist(v, low, high, step)`"""

    low: int
    high: int
    step: int


Aggregation = Union[Count, Sum, Min, Max, Avg, Stats, Hist, LinearHist]
AGGREGATIONS = (Count, Sum, Min, Max, Avg, Stats, Hist, LinearHist)
ValueType = Union[CType, Aggregation]


@dataclass(frozen=True)
class Member:
    """A member of a struct, or a field of an event: where it lies and how it is read.

    `bit_size` is 0 for an ordinary member; a bit field's `bit_offset` counts from the least significant bit of the
    `Int` at `offset`. `location` tells how event records hold it: `inline`, or `data_loc`/`rel_loc` for the kernel's
    dynamic arrays (Documentation/trace/events.rst), whose descriptor lies at `offset`. `declaration` is the host's own
    C text, `const char * filename` say, where it has one; it only words what users read.
    """

    name: str
    type: CType
    offset: int
    size: int
    bit_offset: int = 0
    bit_size: int = 0
    location: str = "inline"
    declaration: str = field(default="", compare=False, repr=False)
