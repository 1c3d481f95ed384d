"""Kernel types by name out of DWARF (a vmlinux of debuginfo, or an object compiled for its types), with pyelftools.

A vmlinux has 400 MB of DWARF, so nothing is walked: a name is found among the strings, and the entries that refer to it
are decoded where they lie (DWARF 5, sections 2.1, 5.7, 7.5).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Optional

from xtrace.core.facts.dwarf_entries import Entries
from xtrace.core.facts.dwarf_strings import occurrences, places_of
from xtrace.core.facts.model import FunctionPrototype
from xtrace.core.facts.types import bit_field
from xtrace.core.types import Array, Bool, CType, Enumerated, Int, Member, Pointer, String, Struct, Void

if TYPE_CHECKING:
    from elftools.dwarf.die import DIE

_AGGREGATES = ("DW_TAG_structure_type", "DW_TAG_union_type")
_MODIFIERS = ("DW_TAG_const_type", "DW_TAG_volatile_type", "DW_TAG_restrict_type", "DW_TAG_atomic_type")
_MAX_DEPTH = 32
_NESTED = (*_AGGREGATES, "DW_TAG_enumeration_type", "DW_TAG_typedef")
_CHILDREN: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_AGGREGATES, ("DW_TAG_member", *_NESTED)),
    "DW_TAG_enumeration_type": ("DW_TAG_enumerator",),
    **dict.fromkeys(("DW_TAG_typedef", "DW_TAG_base_type", "DW_TAG_enumerator"), ()),
}
"""What C can have inside of an entry, by its tag."""
_BOOLEAN, _SIGNED, _SIGNED_CHAR = 2, 5, 6
"""DW_ATE_boolean, DW_ATE_signed, DW_ATE_signed_char (DWARF 5, table 7.11)."""


class DwarfTypes:
    """A `TypeSource` over the DWARF of one file. Raises OSError; ImportError where pyelftools is not installed."""

    def __init__(self, path: Path) -> None:
        from elftools.elf.elffile import ELFFile

        self.path = path
        self._file = path.open("rb")
        elf = ELFFile(self._file)
        self.little: bool = elf.little_endian
        # A vmlinux may keep relocations that were applied when it was linked: ten million of them.
        self._dwarf = elf.get_dwarf_info(relocate_dwarf_sections=elf["e_type"] == "ET_REL")
        self._info = _content(self._dwarf.debug_info_sec)
        self._strings = _content(self._dwarf.debug_str_sec)
        self._indices = _content(self._dwarf.debug_str_offsets_sec)
        self._order: Literal["little", "big"] = "little" if self.little else "big"
        self._entries = Entries(self._dwarf, self._info, _content(self._dwarf.debug_abbrev_sec))
        self._anonymous: dict[str, DIE] = {}
        self._found: dict[tuple[str, tuple[str, ...]], Optional[DIE]] = {}

    # --- TypeSource -------------------------------------------------------------------------------------------------

    def struct(self, name: str) -> Optional[CType]:
        die = self._aggregate(name)
        return self._ctype(die, 0) if die is not None else None

    def member(self, struct: str, name: str) -> Optional[Member]:
        return next((member for member in self.members(struct) if member.name == name), None)

    def members(self, struct: str) -> tuple[Member, ...]:
        die = self._aggregate(struct)
        return tuple(self._flat(die, 0, 0)) if die is not None else ()

    def typedef(self, name: str) -> Optional[CType]:
        tag, _, rest = name.strip().partition(" ")
        if tag in ("struct", "union"):
            return self.struct(rest)
        tags = ("DW_TAG_enumeration_type",) if tag == "enum" else ("DW_TAG_typedef", "DW_TAG_enumeration_type",
                                                                   "DW_TAG_base_type")  # fmt: skip
        die = self._find(rest if tag == "enum" else name, *tags)
        return self._ctype(die, 0) if die is not None else None

    def enumerator(self, name: str) -> Optional[int]:
        die = self._find(name, "DW_TAG_enumerator")
        return int(die.attributes["DW_AT_const_value"].value) if die is not None else None

    def enum_values(self, enum: str) -> Mapping[int, str]:
        die = self._find(enum.split()[-1], "DW_TAG_enumeration_type") if enum else None
        if die is None:
            return {}
        values: dict[int, str] = {}
        for child in die.iter_children():
            values.setdefault(int(child.attributes["DW_AT_const_value"].value), _name(child))
        return values

    def prototype(self, function: str) -> Optional[FunctionPrototype]:
        die = self._find(function, "DW_TAG_subprogram")
        if die is None:
            return None
        parameters = [child for child in die.iter_children() if child.tag == "DW_TAG_formal_parameter"]
        named = tuple((_name(p) or f"arg{i}", self._target(p, 0)) for i, p in enumerate(parameters))
        return FunctionPrototype(function, named, self._target(die, 0), f"DWARF of {self.path}")

    # --- search -----------------------------------------------------------------------------------------------------

    def _find(self, name: str, *tags: str) -> Optional[DIE]:
        key = (name, tags)
        if key not in self._found:
            self._found[key] = next(self._candidates(name, tags), None)
        return self._found[key]

    def _candidates(self, name: str, tags: tuple[str, ...]) -> Iterator[DIE]:
        for place in self._references(name):
            for die in self._entries.named_at(place, tags):
                if _is(die, name, tags) and _sound(die, place):
                    yield die
        for unit in self._units_indexing(name):
            yield from (die for die in unit.iter_DIEs() if die.tag in tags and _is(die, name, tags))

    def _units_indexing(self, name: str) -> Iterator[Any]:
        """Units that reach the name by an index (DWARF 5, DW_FORM_strx, which clang writes): these must be walked."""
        at = self._string(name)
        if at is None or not self._indices:
            return
        wanted = at.to_bytes(4, self._order)
        places = [place for place in occurrences(self._indices, wanted) if place % 4 == 0]
        if not places:
            return
        bases = sorted((_value(unit.get_top_DIE(), "DW_AT_str_offsets_base"), unit.cu_offset) for unit in self._units())
        for place in places:
            index = bisect_right(bases, (place, 1 << 62)) - 1
            if index >= 0 and bases[index][0]:
                yield self._dwarf.get_CU_at(bases[index][1])

    def _units(self) -> Iterator[Any]:
        return iter(self._dwarf.iter_CUs())

    def _string(self, name: str) -> Optional[int]:
        """Where a name lies among the strings, most probably."""
        return next(iter(places_of(name.encode(), self._strings)), None)

    def _references(self, name: str) -> Iterator[int]:
        """Where in .debug_info the name's string is referred to, or written in place as short names are."""
        for at in places_of(name.encode(), self._strings):
            yield from occurrences(self._info, at.to_bytes(4, self._order))
        yield from occurrences(self._info, name.encode() + b"\0")

    def _aggregate(self, name: str) -> Optional[DIE]:
        if name in self._anonymous:
            return self._anonymous[name]
        tag, _, rest = name.strip().partition(" ")
        if tag in ("struct", "union") and rest:
            return self._find(rest, *_AGGREGATES)
        key = (name, ("aggregate",))
        if key not in self._found:
            found = (
                _plain(die, through_typedefs=True) for die in self._candidates(name, (*_AGGREGATES, "DW_TAG_typedef"))
            )
            self._found[key] = next((die for die in found if die is not None and die.tag in _AGGREGATES), None)
        die = self._found[key]
        if die is not None and "DW_AT_declaration" in die.attributes:
            return self._find(_name(die), *_AGGREGATES)
        return die

    # --- conversion -------------------------------------------------------------------------------------------------

    def _target(self, die: DIE, depth: int) -> CType:
        target = _type_of(die)
        return self._ctype(target, depth + 1) if target is not None else Void()

    def _ctype(self, die: DIE, depth: int) -> CType:
        plain = _plain(die)
        if plain is None or depth > _MAX_DEPTH:
            return Void()
        if plain.tag == "DW_TAG_typedef":
            return self._typedef(plain, depth)
        if plain.tag in _AGGREGATES:
            return Struct(_name(plain) or self._anonymous_name(plain), _size(plain), plain.tag == "DW_TAG_union_type")
        if plain.tag == "DW_TAG_pointer_type":
            return Pointer(self._target(plain, depth))
        if plain.tag == "DW_TAG_array_type":
            return self._array(plain, depth)
        if plain.tag == "DW_TAG_enumeration_type":
            return Enumerated(_name(plain), _size(plain), _signed_enum(plain))
        if plain.tag == "DW_TAG_base_type":
            return _base(plain)
        return Void()

    def _typedef(self, die: DIE, depth: int) -> CType:
        target = _plain(die, through_typedefs=True)
        if target is None:
            return Void()
        if target.tag == "DW_TAG_enumeration_type" and not _name(target):
            return Enumerated(_name(die), _size(target), _signed_enum(target))
        if target.tag in _AGGREGATES and not _name(target):
            self._found.setdefault((_name(die), ("DW_TAG_typedef",)), die)
            return Struct(_name(die), _size(target), target.tag == "DW_TAG_union_type")
        return self._ctype(target, depth + 1)

    def _array(self, die: DIE, depth: int) -> CType:
        kind = self._target(die, depth)
        counts = [_count(child) for child in die.iter_children() if child.tag == "DW_TAG_subrange_type"]
        element = _type_of(die)
        plain = _plain(element) if element is not None else None
        for count in reversed(counts):
            text = plain is not None and plain.tag == "DW_TAG_base_type" and _name(plain) == "char"
            kind = String(count) if text and len(counts) == 1 else Array(kind, count)
        return kind

    def _anonymous_name(self, die: DIE) -> str:
        name = f"(anonymous {self.path.name}:{die.offset})"
        self._anonymous[name] = die
        return name

    def _flat(self, die: DIE, bits: int, depth: int) -> Iterator[Member]:
        for child in die.iter_children():
            if child.tag != "DW_TAG_member" or depth > _MAX_DEPTH:
                continue
            place = bits + 8 * _location(child)
            target = _type_of(child)
            inner = _plain(target) if target is not None else None
            if not _name(child) and inner is not None and inner.tag in _AGGREGATES:
                yield from self._flat(inner, place, depth + 1)
            elif _name(child):
                yield self._member(child, bits, place)

    def _member(self, die: DIE, outer: int, place: int) -> Member:
        from xtrace.core.facts.sizes import size_of

        kind = self._target(die, 0)
        bit_size = _value(die, "DW_AT_bit_size")
        if not bit_size:
            return Member(_name(die), kind, place // 8, size_of(kind))
        if "DW_AT_data_bit_offset" in die.attributes:
            return bit_field(_name(die), kind, outer + _value(die, "DW_AT_data_bit_offset"), bit_size, self.little)
        # DWARF 2 and 3 count from the most significant bit of a unit of DW_AT_byte_size.
        unit = 8 * (_value(die, "DW_AT_byte_size") or size_of(kind))
        from_top = _value(die, "DW_AT_bit_offset")
        start = place + (unit - from_top - bit_size if self.little else from_top)
        return bit_field(_name(die), kind, start, bit_size, self.little)


def _content(descriptor: Any) -> bytes:
    """A section as pyelftools holds it: in an object file with its relocations applied."""
    if descriptor is None:
        return b""
    descriptor.stream.seek(0)
    data: bytes = descriptor.stream.read()
    return data


def _name(die: DIE) -> str:
    found = die.attributes.get("DW_AT_name")
    value: Any = found.value if found else b""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _value(die: DIE, attribute: str) -> int:
    found = die.attributes.get(attribute)
    return found.value if found and isinstance(found.value, int) else 0


def _location(die: DIE) -> int:
    """Bytes from the start of the struct; DWARF 2 wraps the number in an expression (DW_OP_plus_uconst)."""
    found = die.attributes.get("DW_AT_data_member_location")
    value: Any = found.value if found else 0
    if isinstance(value, int):
        return value
    number = 0
    for index, byte in enumerate(value[1:]):
        number |= (byte & 0x7F) << 7 * index
    return number


def _size(die: DIE) -> int:
    return _value(die, "DW_AT_byte_size")


def _is(die: DIE, name: str, tags: tuple[str, ...]) -> bool:
    """Is this the complete entry of that name?"""
    complete = "DW_AT_declaration" not in die.attributes or die.tag == "DW_TAG_subprogram"
    return die.tag in tags and complete and _name(die) == name


def _sound(die: DIE, place: int) -> bool:
    """Does an entry really begin there? The last byte of a longer abbreviation code is often the code of another
    entry, whose attributes are then read out of place: its name is not where it should be, or nonsense follows."""
    from elftools.common.exceptions import DWARFError, ELFError

    sibling, end = die.attributes.get("DW_AT_sibling"), die.cu.cu_offset + die.cu.size
    lines = [die.attributes[name].value for name in ("DW_AT_decl_file", "DW_AT_decl_line") if name in die.attributes]
    if die.attributes["DW_AT_name"].offset != place or 0 in lines:
        return False
    if sibling and not die.offset + die.size <= sibling.value + die.cu.cu_offset <= end:
        return False
    try:
        _type_of(die)
        tags = {child.tag for child in die.iter_children()}
    except (DWARFError, ELFError, KeyError, ValueError, IndexError, AttributeError, TypeError):
        return False
    allowed = _CHILDREN.get(str(die.tag))
    return allowed is None or tags <= set(allowed)


def _type_of(die: DIE) -> Optional[DIE]:
    return die.get_DIE_from_attribute("DW_AT_type") if "DW_AT_type" in die.attributes else None


def _plain(die: Optional[DIE], through_typedefs: bool = False) -> Optional[DIE]:
    """The type without const, volatile and, when asked, typedefs; None for void."""
    for _ in range(2 * _MAX_DEPTH):
        if die is None or not (die.tag in _MODIFIERS or (through_typedefs and die.tag == "DW_TAG_typedef")):
            return die
        die = _type_of(die)
    return None


def _count(subrange: DIE) -> int:
    if "DW_AT_count" in subrange.attributes:
        return _value(subrange, "DW_AT_count")
    return _value(subrange, "DW_AT_upper_bound") + 1 if "DW_AT_upper_bound" in subrange.attributes else 0


def _signed_enum(die: DIE) -> bool:
    return any(_value(child, "DW_AT_const_value") < 0 for child in die.iter_children())


def _base(die: DIE) -> CType:
    encoding, size = _value(die, "DW_AT_encoding"), _size(die)
    if encoding == _BOOLEAN:
        return Bool()
    return Int(size, encoding in (_SIGNED, _SIGNED_CHAR)) if size in (1, 2, 4, 8) else Array(Int(1, False), size)
