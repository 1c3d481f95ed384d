"""What a script prints when a person runs it alone: the site's own words, without xtrace's later formatting."""

from __future__ import annotations

import re

from xtrace.core import ir
from xtrace.core import types as t
from xtrace.core.quoting import stp_str

_CONVERSION = re.compile(r"%(?:%|([-+ 0#]*\d*(?:\.\d+)?)(?:hh|ll|h|l|z)?([a-zA-Z]))")


CALL = "xt_call"
"""The script's function that writes the number of a system call, and that it is of another ABI where that is so."""


def readable(kind: t.CType, column: str, text: str) -> tuple[str, str]:
    """The column and the text of a value for a person."""
    if isinstance(kind, t.Enumerated) and kind.name == "syscall":
        return "%s", f"{CALL}({text})"
    return column, text


def line(site: ir.Site, shown: tuple[tuple[str, str], ...]) -> str:
    """One statement that prints a site; `shown` pairs each value's column with its name in the script."""
    if isinstance(site, ir.Printf):
        return _printf(site.format, shown)
    if isinstance(site, ir.Emit):
        labels = [name for name, _ in site.columns]
        form = " ".join(f"{label}={mark}" for label, (mark, _) in zip(labels, shown)) + "\n"
        return _call(form, shown)
    if isinstance(site, ir.Exit):
        return 'printf("")'
    return _call(" ".join(mark for mark, _ in shown) + "\n", shown)


def _printf(form: str, shown: tuple[tuple[str, str], ...]) -> str:
    """The program's own format, its conversions made to fit the columns; a tuple takes several, so then it is not."""
    if sum(match.group(2) is not None for match in _CONVERSION.finditer(form)) != len(shown):
        return _call(" ".join(mark for mark, _ in shown) + "\n", shown)
    marks = iter(mark for mark, _ in shown)

    def convert(match: re.Match[str]) -> str:
        if match.group(2) is None:
            return "%%"
        flags, letter = match.group(1), match.group(2)
        mark = next(marks, "%d")
        kept = letter if mark == "%d" and letter in "dux" else mark[1]
        return f"%{flags}{kept}"

    return _call(_CONVERSION.sub(convert, form), shown)


def _call(form: str, shown: tuple[tuple[str, str], ...]) -> str:
    return f"printf({stp_str(form)}{''.join(f', {name}' for _, name in shown)})"
