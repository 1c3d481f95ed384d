"""Attach points. They are read from the text itself: file names and globs are not made of the language's tokens."""

from __future__ import annotations

import re
from typing import Optional

from xtrace.core.errors import Diagnostic
from xtrace.core.lang import ast
from xtrace.core.lang.lexer import Lexer
from xtrace.core.lang.literals import UNITS, number, unescaped
from xtrace.core.lang.source import Source, Span
from xtrace.core.lang.spellings import TIMER_UNITS, ProbeKind, near_probe_kinds, probe_kind

_HEAD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_*?]+)*")
_EVENT = re.compile(r"(?:[a-z][a-z0-9_]*(?:\.[a-z0-9_*?]+)+|page_fault)\Z")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*[ \t]*=(?!=)[ \t]*(?=[A-Za-z])")
_COLON = re.compile(r"[ \t]*:[ \t]*")
_PLAIN = re.compile(r'(?:\\.|[^\s,{}:"/()\\;=|])+')
_PATH = re.compile(r'(?:\\.|[^\s,{}:"\\])+')
_QUOTED = re.compile(r'"((?:[^"\\\n]|\\[^\n])*)"')
_REST = re.compile(r"[^,{}]*")
_COUNT = re.compile(r"\d\w*\Z")
_RATE = re.compile(r"([0-9][0-9_]*)hz\Z")
_GLOB_KIND = re.compile(r"[A-Za-z_]*\*[A-Za-z_*]*(?=:)")
_OFFSET = re.compile(r"\+\s*[0-9]\w*\Z")
_WITH_PROTOTYPE = frozenset(("kprobe", "kretprobe", "inline", "fentry", "fexit"))
_RETURNS = frozenset(("kretprobe", "uretprobe", "fexit"))
_BETWEEN = "between attach points stand commas; a predicate stands in slashes and actions in { }"


class PointReader:
    """Reads the attach points of a clause. What is wrong is complained about, and reading goes on behind it."""

    def __init__(self, source: Source, lexer: Lexer, diagnostics: list[Diagnostic]) -> None:
        self._source = source
        self._text = source.text
        self._lexer = lexer
        self._diagnostics = diagnostics

    def clause(self, position: int) -> tuple[tuple[ast.AttachPoint, ...], int]:
        """The attach points at `position` and the offset of what follows them: `/`, `{`, or the end."""
        points: list[ast.AttachPoint] = []
        while True:
            position = self._lexer.after_trivia(position)
            if points and self._at(position) in ("{", "/", ""):
                break  # behind a last comma
            point, position = self.point(position, bool(points))
            if point is not None:
                points.append(point)
            position = self._lexer.after_trivia(position)
            if self._at(position) not in (",", "{", "/", ""):
                position = self._strange(position, point is not None)
            if self._at(position) != ",":
                break
            position += 1
        return tuple(points), position

    def point(self, position: int, later: bool = False) -> tuple[Optional[ast.AttachPoint], int]:
        """One attach point, None after a complaint, and the offset behind it. `later`: others stand before it."""
        label = _LABEL.match(self._text, position)
        start = position = label.end() if label else position
        glob = _GLOB_KIND.match(self._text, position)
        if glob:
            hint = "write an attach point for each type of probe"
            self._report("XT0116", "wildcards in the type of a probe are not supported", position, glob.end(), hint)
            return None, self._behind(position)
        head = _HEAD.match(self._text, position)
        if head is None:
            found = self._at(position)
            what = f"found {found}" if found else "found the end of the program"
            self._report("XT0109", f"expected a probe, {what}", start, start + 1, "such as kprobe:vfs_read { … }")
            return None, self._behind(position)
        word, position = head.group(), head.end()
        kind = probe_kind(word)
        if kind is None:
            return self._event(word, start, position, later)
        parts, position = self._parts(kind, position)
        if parts is None:
            return None, self._behind(position)
        prototype, position = self._prototype(kind, position)
        span = Span(self._source, start, position)
        checked = self._checked(kind, parts, span)
        point = None if checked is None else ast.AttachPoint(kind.name, checked, span, prototype)
        return point, position

    def _at(self, position: int) -> str:
        return self._text[position : position + 1]

    def _behind(self, position: int) -> int:
        """The offset of the next `,`, `{` or `}`, or the end."""
        match = _REST.match(self._text, position)
        return match.end() if match else position

    def _report(self, code: str, message: str, start: int, end: int, *hints: str) -> None:
        self._diagnostics.append(Diagnostic(code, message, Span(self._source, start, end), hints))

    def _strange(self, position: int, known: bool) -> int:
        """Complain about what follows an attach point, unless that was complained about already."""
        stop = self._behind(position)
        if known:
            shown = self._text[position:stop].split("\n")[0].strip() or self._at(position)
            self._report("XT0110", f"expected a comma, a predicate or {{, found {shown[:40]}", position, stop, _BETWEEN)
        return stop

    def _event(self, word: str, start: int, position: int, later: bool) -> tuple[Optional[ast.AttachPoint], int]:
        """A named event, or nothing that is known."""
        named = bool(_EVENT.match(word))
        if named and self._at(position) not in (":", "("):
            span = Span(self._source, start, position)
            return ast.AttachPoint("event", (word,), span), position
        if named:
            self._report(
                "XT0110", f"the named event {word} takes no parts", start, position, "its fields are bare names"
            )
            return None, self._behind(position)
        near = near_probe_kinds(word)
        hints = [f"did you mean {' or '.join(near)}?"] if near else []
        if later and self._at(position) != ":":
            hints.append(f"each attach point begins with its type, such as kprobe:{word}")
        elif not hints:
            hints.append("types are tracepoint, kprobe, uprobe, usdt, interval, … or a named event such as file.open")
        self._report("XT0109", f"{word} is no type of probe", start, position, *hints)
        return None, self._behind(position)

    # --- parts ---------------------------------------------------------------------------------------------------

    def _parts(self, kind: ProbeKind, position: int) -> tuple[Optional[list[str]], int]:
        parts: list[str] = []
        colon = _COLON.match(self._text, position)
        while colon:
            part, position = self._part(kind.path == len(parts), colon.end())
            if part is None:
                return None, position
            parts.append(part)
            colon = _COLON.match(self._text, position)
        return parts, position

    def _part(self, path: bool, position: int) -> tuple[Optional[str], int]:
        """What stands between two colons: plain and quoted pieces."""
        pieces = []
        while True:
            match = _QUOTED.match(self._text, position)
            if match:
                pieces.append(unescaped(match.group(1)))
            else:
                if self._at(position) == '"':
                    stop = self._text.find("\n", position)
                    stop = len(self._text) if stop < 0 else stop
                    hint = "did you forget a closing quote?"
                    self._report("XT0102", "this name is not closed on its line", position, stop, hint)
                    return None, position
                match = (_PATH if path else _PLAIN).match(self._text, position)
                if match is None:
                    return "".join(pieces), position
                pieces.append(re.sub(r"\\(.)", r"\1", match.group()))
            position = match.end()

    def _prototype(self, kind: ProbeKind, position: int) -> tuple[str, int]:
        """C text in parentheses behind a function, without them."""
        if self._at(position) != "(":
            return "", position
        depth, stop = 0, position
        while stop < len(self._text) and self._text[stop] not in "{};":
            depth += (self._text[stop] == "(") - (self._text[stop] == ")")
            stop += 1
            if depth == 0:
                break
        if depth:
            self._report("XT0107", "this ( is never closed", position, position + 1, "close the prototype with )")
            return "", stop
        if kind.name not in _WITH_PROTOTYPE:
            hint = "quote names that have parentheses in them"
            self._report("XT0110", f"{kind.name} takes no prototype", position, stop, hint)
        return " ".join(self._text[position + 1 : stop - 1].split()), stop

    # --- what each type asks for ---------------------------------------------------------------------------------

    def _checked(self, kind: ProbeKind, parts: list[str], span: Span) -> Optional[tuple[str, ...]]:
        """The parts in their normal form; None after a complaint."""
        if kind.name in ("software", "hardware"):
            return self._counted(kind, parts, span)
        if kind.timer and kind.least <= len(parts) <= kind.most:
            return self._time(kind, parts, span)
        if kind.name == "usdt" and len(parts) == 3 and not parts[1]:
            del parts[1]
        if kind.name == "tracepoint" and parts == ["*"]:
            parts.append("*")
        if not kind.least <= len(parts) <= kind.most or not all(parts):
            self._misshapen(kind, span)
            return None
        if kind.name in _RETURNS and _OFFSET.search(parts[-1]):
            self._misshapen(kind, span, "a function returns as a whole: leave out the offset")
            return None
        return tuple(parts)

    def _misshapen(self, kind: ProbeKind, span: Span, *hints: str) -> None:
        self._report("XT0110", f"{kind.name} probes are written {kind.form}", span.start, span.end, *hints)

    def _counted(self, kind: ProbeKind, parts: list[str], span: Span) -> Optional[tuple[str, ...]]:
        if len(parts) == 2 and not parts[1]:
            del parts[1]
        if not kind.least <= len(parts) <= kind.most or not all(parts):
            self._misshapen(kind, span)
            return None
        if len(parts) == 1:
            return (parts[0],)
        count = self._count(kind, parts[1], span)
        return None if count is None else (parts[0], count)

    def _time(self, kind: ProbeKind, parts: list[str], span: Span) -> Optional[tuple[str, ...]]:
        """`s:1`, `1s` and `1000000000` alike as unit and count."""
        if len(parts) == 2:
            unit, written = parts
            if unit not in TIMER_UNITS:
                self._misshapen(kind, span, *_unit_hints(kind, unit, written))
                return None
            count = self._count(kind, written, span)
            return None if count is None else (unit, count)
        rate = _RATE.match(parts[0])
        if rate:
            count = self._count(kind, rate.group(1), span)
            return None if count is None else ("hz", count)
        count = self._count(kind, parts[0], span)
        if count is None or not count.isdigit():
            return None if count is None else ("ns", count)
        nsecs = int(count)
        unit = next(unit for unit in ("s", "ms", "us", "ns") if nsecs % UNITS[unit] == 0)
        return unit, str(nsecs // UNITS[unit])

    def _count(self, kind: ProbeKind, written: str, span: Span) -> Optional[str]:
        """A positive number in plain digits; an option or positional parameter (`$1`) as it stands."""
        if written.startswith("$") and len(written) > 1:
            return written
        if not _COUNT.match(written):
            self._misshapen(kind, span)
            return None
        try:
            value = number(written)
        except ValueError as wrong:
            self._report("XT0106", f"{written} {wrong}", span.start, span.end)
            return None
        if value == 0:
            self._misshapen(kind, span, "the number is at least 1")
            return None
        return str(value)


def _unit_hints(kind: ProbeKind, unit: str, written: str) -> list[str]:
    hints = [f"the unit is one of {', '.join(TIMER_UNITS)}"]
    if written in TIMER_UNITS:
        hints.append(f"did you mean {kind.name}:{written}:{unit}?")
    elif unit in UNITS:
        hints.append(f"did you mean {kind.name}:{written}{unit}?")
    return hints
