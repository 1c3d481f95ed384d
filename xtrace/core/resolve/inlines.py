"""The places where a kernel function was inlined and where its arguments lie there, from a vmlinux with DWARF.

DWARF 5, sections 2.6 (locations) and 3.3.8 (inlined subroutines). A vmlinux has 400 MB of DWARF, so only the units that
hold the function's name are walked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from xtrace.core.attach import UsdtArgument
from xtrace.core.facts.dwarf_strings import places_of

_REGISTERS: Mapping[str, tuple[str, ...]] = {
    "x86_64": ("rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", *(f"r{number}" for number in range(8, 16))),
    "aarch64": (*(f"x{number}" for number in range(31)), "sp"),
}
"""Registers by their DWARF numbers (psABI of each architecture)."""
UNKNOWN = UsdtArgument(8, False, "")
"""An argument that is not there any more where the function begins, or that takes more than a register to find."""


@dataclass(frozen=True)
class InlinedSite:
    """One inlined instance: its first instruction as an offset from `_stext`, and where the parameters are then."""

    offset: int
    arguments: Mapping[str, UsdtArgument]


@lru_cache(maxsize=32)
def inlined_sites(vmlinux: str, function: str, arch: str) -> tuple[InlinedSite, ...]:
    """Every inlined instance, by address; empty where pyelftools is not installed. Raises OSError."""
    try:
        from elftools.elf.elffile import ELFFile
    except ImportError:
        return ()
    with open(vmlinux, "rb") as stream:  # noqa: PTH123 - pyelftools keeps the stream
        elf = ELFFile(stream)
        if not elf.has_dwarf_info():
            return ()
        # A vmlinux may keep relocations that were applied when it was linked: ten million of them.
        reader = _Reader(
            elf.get_dwarf_info(relocate_dwarf_sections=elf["e_type"] == "ET_REL"), function, _REGISTERS.get(arch, ())
        )
        found = _by_address(reader.sites())
        start = _stext(elf)
    return tuple(InlinedSite(address - start, found[address].arguments) for address in sorted(found))


def _by_address(sites: Iterable[InlinedSite]) -> dict[int, InlinedSite]:
    """Instances that begin at one instruction, one inside of the other's caller, are one place to probe: an argument is
    where any of them knows it to be."""
    found: dict[int, InlinedSite] = {}
    for site in sites:
        before = found.get(site.offset, InlinedSite(site.offset, {})).arguments
        known = {name: one for name, one in site.arguments.items() if one != UNKNOWN}
        found[site.offset] = InlinedSite(site.offset, {**known, **{n: o for n, o in before.items() if o != UNKNOWN}})
    return found


def _stext(elf: Any) -> int:
    table = elf.get_section_by_name(".symtab")
    symbols = table.get_symbol_by_name("_stext") if table else None
    return int(symbols[0]["st_value"]) if symbols else 0


class _Reader:
    """Reads the instances of one function; offsets of its sites are addresses still."""

    def __init__(self, dwarf: Any, function: str, registers: tuple[str, ...]) -> None:
        from elftools.dwarf.dwarf_expr import DWARFExprParser
        from elftools.dwarf.locationlists import LocationParser

        self._dwarf = dwarf
        self._function = function
        self._registers = registers
        self._locations = LocationParser(dwarf.location_lists())
        self._parser = DWARFExprParser
        self._structs: Any = None

    def sites(self) -> list[InlinedSite]:
        """All instances. The name may lie at several places among the strings; one of them is used."""
        name = self._function.encode()
        order: Literal["little", "big"] = "little" if self._dwarf.config.little_endian else "big"
        places = places_of(name, _content(self._dwarf.debug_str_sec))
        for needle in (*(place.to_bytes(4, order) for place in places), name + b"\0"):
            found = [site for unit in self._units(needle) for site in self._sites(unit)]
            if found:
                return found
        return []

    def _units(self, needle: bytes) -> Iterator[Any]:
        """The compilation units that hold these bytes."""
        info = _content(self._dwarf.debug_info_sec)
        hits = [match.start() for match in re.finditer(re.escape(needle), info)]
        for unit in self._dwarf.iter_CUs() if hits else ():
            end = unit.cu_offset + unit["unit_length"] + unit.structs.initial_length_field_size()
            if any(unit.cu_offset <= hit < end for hit in hits):
                yield unit

    def _sites(self, unit: Any) -> Iterator[InlinedSite]:
        origins = {
            die.offset
            for die in unit.iter_DIEs()
            if die.tag == "DW_TAG_subprogram" and _name(die) == self._function and "DW_AT_inline" in die.attributes
        }
        self._structs = unit.structs
        for die in unit.iter_DIEs() if origins else ():
            if die.tag == "DW_TAG_inlined_subroutine" and _origin(die) in origins:
                address = self._entry(die, unit)
                if address is not None:
                    yield InlinedSite(address, dict(self._arguments(die, unit, address)))

    def _entry(self, die: Any, unit: Any) -> int | None:
        for name in ("DW_AT_entry_pc", "DW_AT_low_pc"):
            attribute = die.attributes.get(name)
            if attribute:
                # From DWARF 5 on an entry may count from the low address (section 2.18).
                relative = attribute.form in ("DW_FORM_data1", "DW_FORM_data2", "DW_FORM_data4", "DW_FORM_udata")
                low = die.attributes.get("DW_AT_low_pc")
                return int(attribute.value) + (int(low.value) if relative and low else 0)
        ranges, lists = die.attributes.get("DW_AT_ranges"), self._dwarf.range_lists()
        if ranges is None or lists is None:
            return None
        first = lists.get_range_list_at_offset(ranges.value, cu=unit)[0]
        return int(first.begin_offset) + (0 if getattr(first, "is_absolute", False) else _base(unit))

    # --- arguments ---------------------------------------------------------------------------------------------------

    def _arguments(self, die: Any, unit: Any, address: int) -> Iterator[tuple[str, UsdtArgument]]:
        for child in die.iter_children():
            if child.tag == "DW_TAG_formal_parameter":
                origin = child.get_DIE_from_attribute("DW_AT_abstract_origin")
                yield _name(origin), self._argument(child, unit, address)

    def _argument(self, die: Any, unit: Any, address: int) -> UsdtArgument:
        constant = die.attributes.get("DW_AT_const_value")
        if constant and isinstance(constant.value, int):
            return UsdtArgument(8, True, f"${constant.value}")
        location = die.attributes.get("DW_AT_location")
        if location is None:
            return UNKNOWN
        parsed = self._locations.parse_from_attribute(location, unit["version"], die)
        for expression in _expressions(parsed, address, _base(unit)):
            return self._operand(expression)
        return UNKNOWN

    def _operand(self, expression: Any) -> UsdtArgument:
        """A location of one operation, or a value of one operation, as an assembler's operand."""
        operations = self._parser(self._structs).parse_expr(expression)
        names = [one.op_name for one in operations]
        if len(operations) not in (1, 2) or names[1:] not in ([], ["DW_OP_stack_value"]):
            return UNKNOWN
        name, values = names[0], operations[0].args
        register = re.fullmatch(r"DW_OP_(b?)reg(\d+)", name)
        if register and int(register[2]) < len(self._registers):
            return self._register(
                self._registers[int(register[2])], values[0] if register[1] else None, bool(names[1:])
            )
        if names[1:] and (name.startswith("DW_OP_lit") or re.fullmatch(r"DW_OP_const\d?[su]\d?|DW_OP_const[us]", name)):
            number = int(name[9:]) if name.startswith("DW_OP_lit") else int(values[0])
            return UsdtArgument(8, True, f"${number}")
        return UNKNOWN

    def _register(self, name: str, offset: int | None, is_value: bool) -> UsdtArgument:
        """The register itself, or memory at it; a sum that is the value itself has no operand."""
        x86 = self._registers[0] == "rax"
        if offset is None or (is_value and offset == 0):
            return UsdtArgument(8, False, f"%{name}" if x86 else name)
        if is_value:
            return UNKNOWN
        return UsdtArgument(8, False, f"{offset}(%{name})" if x86 else f"[{name}, {offset}]")


def _content(section: Any) -> bytes:
    if section is None:
        return b""
    section.stream.seek(0)
    data: bytes = section.stream.read()
    return data


def _expressions(parsed: Any, address: int, base: int) -> Iterator[Any]:
    """The expressions that hold at an address: the only one, or those of a list whose range has it."""
    if hasattr(parsed, "loc_expr"):
        yield parsed.loc_expr
        return
    for entry in parsed or ():
        if hasattr(entry, "base_address"):
            base = entry.base_address
        elif hasattr(entry, "loc_expr"):
            shift = 0 if getattr(entry, "is_absolute", False) else base
            begin, end = entry.begin_offset + shift, entry.end_offset + shift
            # GCC writes an empty range for what holds between two instructions (location views).
            if begin <= address < end or begin == end == address:
                yield entry.loc_expr


def _name(die: Any) -> str:
    attribute = die.attributes.get("DW_AT_name") if die else None
    return attribute.value.decode() if attribute else ""


def _origin(die: Any) -> int:
    attribute = die.attributes.get("DW_AT_abstract_origin")
    if attribute is None:
        return -1
    return int(attribute.value) + (0 if attribute.form == "DW_FORM_ref_addr" else int(die.cu.cu_offset))


def _base(unit: Any) -> int:
    low = unit.get_top_DIE().attributes.get("DW_AT_low_pc")
    return int(low.value) if low else 0
