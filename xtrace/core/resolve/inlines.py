"""The places where a kernel function was inlined, from a vmlinux with DWARF (DWARF 5, section 3.3.8)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


@lru_cache(maxsize=32)
def inlined_sites(vmlinux: str, function: str) -> tuple[int, ...]:
    """Offsets from `_stext` of every inlined instance, sorted; empty where pyelftools is not installed."""
    try:
        from elftools.elf.elffile import ELFFile
    except ImportError:
        return ()
    with open(vmlinux, "rb") as stream:  # noqa: PTH123 - pyelftools keeps the stream
        elf = ELFFile(stream)
        start = _stext(elf)
        dwarf = elf.get_dwarf_info()
        found = {address for unit in dwarf.iter_CUs() for address in _instances(unit, function, dwarf)}
    return tuple(sorted(address - start for address in found))


def _stext(elf: Any) -> int:
    table = elf.get_section_by_name(".symtab")
    symbols = table.get_symbol_by_name("_stext") if table else None
    return int(symbols[0]["st_value"]) if symbols else 0


def _instances(unit: Any, function: str, dwarf: Any) -> set[int]:
    origins = {
        die.offset
        for die in unit.iter_DIEs()
        if die.tag == "DW_TAG_subprogram" and _name(die) == function and "DW_AT_inline" in die.attributes
    }
    if not origins:
        return set()
    return {
        address
        for die in unit.iter_DIEs()
        if die.tag == "DW_TAG_inlined_subroutine" and _origin(die, unit) in origins
        for address in [_entry(die, unit, dwarf)]
        if address is not None
    }


def _name(die: Any) -> str:
    attribute = die.attributes.get("DW_AT_name")
    return attribute.value.decode() if attribute else ""


def _origin(die: Any, unit: Any) -> int:
    attribute = die.attributes.get("DW_AT_abstract_origin")
    return int(attribute.value) + int(unit.cu_offset) if attribute else -1


def _entry(die: Any, unit: Any, dwarf: Any) -> int | None:
    for name in ("DW_AT_entry_pc", "DW_AT_low_pc"):
        if name in die.attributes:
            return int(die.attributes[name].value)
    ranges = die.attributes.get("DW_AT_ranges")
    lists = dwarf.range_lists()
    if ranges is None or lists is None:
        return None
    entries = lists.get_range_list_at_offset(ranges.value, cu=unit)
    base = unit.get_top_DIE().attributes.get("DW_AT_low_pc")
    first = entries[0]
    return int(first.begin_offset) + (int(base.value) if base and not getattr(first, "is_absolute", False) else 0)
