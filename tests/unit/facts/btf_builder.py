"""BTF made by hand for tests: records are appended, ids counted from 1 (or on from a base)."""

from __future__ import annotations

import struct


class BtfBuilder:
    def __init__(self, order: str = "<", first_string: int = 0) -> None:
        self.order, self.first_string = order, first_string
        self.strings = b"" if first_string else b"\0"
        self.types = b""
        self.count = 0

    def name(self, text: str) -> int:
        if not text:
            return 0
        at = self.first_string + len(self.strings)
        self.strings += text.encode() + b"\0"
        return at

    def add(self, kind: int, name: str, extra: int, *words: int, count: int = 0, flag: bool = False) -> int:
        info = kind << 24 | count | flag << 31
        self.types += struct.pack(f"{self.order}III", self.name(name), info, extra)
        self.types += struct.pack(f"{self.order}{len(words)}I", *(word & 0xFFFFFFFF for word in words))
        self.count += 1
        return self.count

    def integer(self, name: str, size: int, encoding: int = 0, bits: int = 0) -> int:
        return self.add(1, name, size, encoding << 24 | (bits or 8 * size))

    def composite(self, kind: int, name: str, size: int, *members: tuple[str, int, int], flag: bool = False) -> int:
        words = [word for member, type_id, place in members for word in (self.name(member), type_id, place)]
        return self.add(kind, name, size, *words, count=len(members), flag=flag)

    def enum(self, name: str, values: dict[str, int], signed: bool = False) -> int:
        words = [word for key, value in values.items() for word in (self.name(key), value)]
        return self.add(6, name, 4, *words, count=len(values), flag=signed)

    def enum64(self, name: str, values: dict[str, int], signed: bool = False) -> int:
        words = [w for key, value in values.items() for w in (self.name(key), value & 0xFFFFFFFF, value >> 32)]
        return self.add(19, name, 8, *words, count=len(values), flag=signed)

    def function(self, name: str, result: int, *parameters: tuple[str, int]) -> int:
        words = [word for parameter, type_id in parameters for word in (self.name(parameter), type_id)]
        prototype = self.add(13, "", result, *words, count=len(parameters))
        return self.add(12, name, prototype)

    def data(self) -> bytes:
        size = len(self.types)
        header = struct.pack(f"{self.order}HBBIIIII", 0xEB9F, 1, 0, 24, 0, size, size, len(self.strings))
        return header + self.types + self.strings


def sample(order: str = "<") -> BtfBuilder:
    """A few types as a kernel has them: bit fields, anonymous members, a typedef of a nameless struct, enums."""
    made = BtfBuilder(order)
    integer = made.integer("int", 4, encoding=1)  # 1
    made.integer("unsigned char", 1)  # 2
    char = made.integer("char", 1, encoding=1)  # 3
    made.integer("_Bool", 1, encoding=4)  # 4
    text = made.add(3, "", 0, char, integer, 16)  # 5
    halves = made.composite(4, "", 4, ("low", 2, 0), ("high", 2, 8))  # 6
    inner = made.composite(5, "", 4, ("whole", integer, 0), ("", halves, 0))  # 7
    pointer = made.add(2, "", 9)  # 8
    made.composite(
        4, "thing", 40, ("name", text, 0), ("", inner, 128), ("next", pointer, 192), ("flag", 2, 3 << 24 | 260),
        ("ok", 4, 264), flag=True,
    )  # fmt: skip # 9
    counter = made.composite(4, "", 4, ("counter", integer, 0))  # 10
    made.add(8, "atomic_t", counter)  # 11
    made.enum("color", {"RED": 0, "BLUE": -1}, signed=True)  # 12
    made.enum64("wide", {"HUGE": 1 << 40})  # 13
    tag = made.add(18, "user", char)  # 14
    user = made.add(2, "", tag)  # 15
    made.function("paint", integer, ("what", pointer), ("with", user), ("", 0))  # 16, 17
    made.add(8, "loop", 19)  # 18
    made.add(10, "", 18)  # 19
    return made
