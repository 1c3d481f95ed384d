"""Kernel types by name (`TypeSource`), out of BTF; and the source that knows none.

Structs without a name are called `(anonymous FILE:ID)`, which these sources understand. Members of anonymous members
are found through the outer struct, as in C.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Callable, Optional

from xtrace.core.facts import btf
from xtrace.core.facts.btf import Btf, RawMember, Record
from xtrace.core.facts.model import FunctionPrototype
from xtrace.core.facts.sizes import size_of
from xtrace.core.types import Array, Bool, CType, Enumerated, Int, Member, Pointer, Space, String, Struct, Void

_MAX_DEPTH = 32
"""Anonymous members within anonymous members, and pointers to pointers, that are followed."""
_AGGREGATES = (btf.STRUCT, btf.UNION)


class NoTypes:
    """A `TypeSource` that knows nothing: the host has no BTF, or its recording does not."""

    def struct(self, name: str) -> Optional[CType]:
        return None

    def member(self, struct: str, name: str) -> Optional[Member]:
        return None

    def members(self, struct: str) -> tuple[Member, ...]:
        return ()

    def typedef(self, name: str) -> Optional[CType]:
        return None

    def enumerator(self, name: str) -> Optional[int]:
        return None

    def enum_values(self, enum: str) -> Mapping[int, str]:
        return {}

    def prototype(self, function: str) -> Optional[FunctionPrototype]:
        return None


class BtfTypes:
    """A `TypeSource` over a kernel's BTF and, for names that it lacks, that of its modules.

    `modules` gives the split BTF of each module that may hold a name; it is asked only for names the kernel lacks.
    Raises XtraceError XT0403 where the data is damaged.
    """

    def __init__(self, kernel: Btf, modules: Callable[[str], Iterable[Btf]] = lambda name: ()) -> None:
        self.kernel, self.modules = kernel, modules
        self._anonymous: dict[str, tuple[Btf, int]] = {}
        self._find = lru_cache(maxsize=4096)(self._search)

    # --- TypeSource -------------------------------------------------------------------------------------------------

    def struct(self, name: str) -> Optional[CType]:
        """The struct or union with its size; a typedef of one is taken too."""
        found = self._aggregate(name)
        return self._ctype(*found, 0) if found else None

    def member(self, struct: str, name: str) -> Optional[Member]:
        found = self._aggregate(struct)
        return next((m for m in self._flat(*found, 0, 0) if m.name == name), None) if found else None

    def members(self, struct: str) -> tuple[Member, ...]:
        """All members that `.name` reaches, those of anonymous members in their place."""
        found = self._aggregate(struct)
        return tuple(self._flat(*found, 0, 0)) if found else ()

    def typedef(self, name: str) -> Optional[CType]:
        tag, _, rest = name.strip().partition(" ")
        if tag in ("struct", "union"):
            return self.struct(rest)
        found = self._find(rest if tag == "enum" else name, (btf.ENUM, btf.ENUM64) if tag == "enum" else _NAMED)
        return self._ctype(*found, 0) if found else None

    def enumerator(self, name: str) -> Optional[int]:
        for image in self._images(name):
            value = image.enumerator(name)
            if value is not None:
                return value
        return None

    def enum_values(self, enum: str) -> Mapping[int, str]:
        found = self._find(enum.split()[-1] if enum else "", (btf.ENUM, btf.ENUM64, btf.TYPEDEF))
        if not found:
            return {}
        record = found[0].plain(found[1], through_typedefs=True)
        if record.kind not in (btf.ENUM, btf.ENUM64):
            return {}
        values: dict[int, str] = {}
        for name, value in found[0].enumerators(record):
            values.setdefault(value, name)
        return values

    def prototype(self, function: str) -> Optional[FunctionPrototype]:
        found = self._find(function, (btf.FUNC,))
        if not found:
            return None
        image, type_id = found
        prototype = image.record(image.record(type_id).extra)
        if prototype.kind != btf.FUNC_PROTO:
            raise image.damaged(f"function {function} has no prototype")
        parameters = tuple(
            (name or f"arg{index}", self._ctype(image, kind, 0))
            for index, (name, kind) in enumerate(image.parameters(prototype))
        )
        result = self._ctype(image, prototype.extra, 0)
        return FunctionPrototype(function, parameters, result, f"BTF of {image.source}")

    # --- search -----------------------------------------------------------------------------------------------------

    def _images(self, name: str) -> Iterator[Btf]:
        yield self.kernel
        yield from self.modules(name)

    def _search(self, name: str, kinds: tuple[int, ...]) -> Optional[tuple[Btf, int]]:
        for image in self._images(name):
            found = image.find(name, *kinds)
            if found is not None:
                return image, found
        return None

    def _aggregate(self, name: str) -> Optional[tuple[Btf, int]]:
        if name in self._anonymous:
            return self._anonymous[name]
        tag, _, rest = name.strip().partition(" ")
        if tag in ("struct", "union") and rest:
            return self._find(rest, _AGGREGATES)
        found = self._find(name, (*_AGGREGATES, btf.TYPEDEF))
        if not found:
            return None
        record = found[0].plain(found[1], through_typedefs=True)
        return (found[0], record.id) if record.kind in _AGGREGATES else None

    # --- conversion -------------------------------------------------------------------------------------------------

    def _ctype(self, image: Btf, type_id: int, depth: int) -> CType:
        record = image.plain(type_id)
        if depth > _MAX_DEPTH:
            raise image.damaged(f"type {type_id} is nested too deeply")
        if record.kind == btf.TYPEDEF:
            return self._typedef(image, record, depth)
        if record.kind in _AGGREGATES:
            return Struct(record.name or self._anonymous_name(image, record), record.extra, record.kind == btf.UNION)
        if record.kind == btf.FWD:
            return Struct(record.name, 0, record.flag)
        if record.kind in (btf.ENUM, btf.ENUM64):
            return Enumerated(record.name, record.extra, _signed_enum(image, record))
        if record.kind == btf.PTR:
            return self._pointer(image, record, depth)
        if record.kind == btf.ARRAY:
            return self._array(image, record, depth)
        if record.kind == btf.INT:
            return _integer(image, record)
        if record.kind == btf.FLOAT:
            return Array(Int(1, False), record.extra)
        return Void()

    def _typedef(self, image: Btf, record: Record, depth: int) -> CType:
        """A typedef of a nameless enum or struct gives it its name; otherwise it is what it stands for."""
        target = image.plain(record.extra, through_typedefs=True)
        if target.kind in (btf.ENUM, btf.ENUM64) and not target.name:
            return Enumerated(record.name, target.extra, _signed_enum(image, target))
        if target.kind in _AGGREGATES and not target.name:
            return Struct(record.name, target.extra, target.kind == btf.UNION)
        return self._ctype(image, target.id, depth + 1)

    def _pointer(self, image: Btf, record: Record, depth: int) -> CType:
        target = image.record(record.extra)
        user = target.kind == btf.TYPE_TAG and target.name == "user"
        return Pointer(self._ctype(image, record.extra, depth + 1), Space.USER if user else Space.KERNEL)

    def _array(self, image: Btf, record: Record, depth: int) -> CType:
        element_id, count = image.array(record)
        element = image.plain(element_id)
        if element.kind == btf.INT and element.name == "char":
            return String(count)
        return Array(self._ctype(image, element_id, depth + 1), count)

    def _anonymous_name(self, image: Btf, record: Record) -> str:
        name = f"(anonymous {image.source}:{record.id})"
        self._anonymous[name] = (image, record.id)
        return name

    def _flat(self, image: Btf, type_id: int, bits: int, depth: int) -> Iterator[Member]:
        if depth > _MAX_DEPTH:
            raise image.damaged(f"type {type_id} contains itself")
        for raw in image.members(image.record(type_id)):
            inner = image.plain(raw.type)
            if not raw.name and inner.kind in _AGGREGATES:
                yield from self._flat(image, inner.id, bits + raw.bit_offset, depth + 1)
            elif raw.name:
                yield self._member(image, raw, bits + raw.bit_offset)

    def _member(self, image: Btf, raw: RawMember, bits: int) -> Member:
        kind = self._ctype(image, raw.type, 0)
        size = size_of(kind)
        bit_size = raw.bit_size
        target = image.plain(raw.type, through_typedefs=True)
        if target.kind == btf.INT:
            # Before kind_flag (Linux 9d5f9f701b18, v5.0) a bit field was an integer of few bits.
            _, inner, count = image.integer(target)
            if count and count != 8 * target.extra:
                bits, bit_size = bits + inner, count
        if bit_size:
            return bit_field(raw.name, kind, bits, bit_size, image.little)
        return Member(raw.name, kind, bits // 8, size)


_NAMED = (btf.TYPEDEF, btf.ENUM, btf.ENUM64, btf.INT)


def _signed_enum(image: Btf, record: Record) -> bool:
    return record.flag or (not image.tells_enum_sign and any(value < 0 for _, value in image.enumerators(record)))


def _integer(image: Btf, record: Record) -> CType:
    encoding, _, _ = image.integer(record)
    if encoding & btf.INT_BOOL:
        return Bool()
    if record.extra not in (1, 2, 4, 8):
        return Array(Int(1, False), record.extra)
    return Int(record.extra, bool(encoding & btf.INT_SIGNED))


def bit_field(name: str, kind: CType, bits: int, bit_size: int, little: bool) -> Member:
    """A bit field as a `Member`: the aligned integer that holds it, and its bits from the least significant one.

    `bits` counts from the start of the struct, in the direction of the byte order, as BTF and DWARF do.
    """
    size = size_of(kind) or 4
    start = bits // (8 * size) * size
    if bits - 8 * start + bit_size > 8 * size:
        start = bits // 8
        size = next((s for s in (1, 2, 4, 8) if bits - 8 * start + bit_size <= 8 * s), 8)
    within = bits - 8 * start
    if isinstance(kind, Enumerated):
        kind = Enumerated(kind.name, size, kind.signed)
    else:
        kind = Int(size, isinstance(kind, Int) and kind.signed)
    return Member(name, kind, start, size, within if little else 8 * size - within - bit_size, bit_size)
