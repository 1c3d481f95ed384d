"""Write docs/reference/bpftrace-tools.md: `python -m tests.corpora.table`, after `python -m tests.corpora.fetch`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.corpora.corpus import RELEASES, Release
from tests.corpora.verdict import Verdict, judge

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "bpftrace-tools.md"

_HEAD = """\
# bpftrace's tools in xtrace

The tools that Debian's bpftrace packages ship, of four vintages, read by xtrace's front end without a host.
`types` means that the whole program is understood; whether a host can run it is what `xtrace plan FILE.bt` tells.
`parses` and `no` name what is missing by number; a dash means that the release does not ship the tool.

This page is generated: `python -m tests.corpora.fetch`, then `python -m tests.corpora.table`.
"""


class _Notes:
    """What is missing, numbered in the order in which it comes up."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def cell(self, verdict: Verdict) -> str:
        if verdict.stage == "types":
            return "types"
        notes = sorted({self._number(f"{one.message} ({one.code})") for one in verdict.complaints})
        return f"{'parses' if verdict.stage == 'parses' else 'no'} {' '.join(f'[{note}]' for note in notes)}"

    def _number(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers) + 1)


def page() -> str:
    """The page's text. Raises LookupError where a release has not been fetched."""
    verdicts = {release: _verdicts(release) for release in RELEASES}
    notes = _Notes()
    heads = [f"{release.version} ({release.suite})" for release in RELEASES]
    lines = [_HEAD, f"| tool | {' | '.join(heads)} |", f"|---{'|---' * len(RELEASES)}|"]
    for tool in sorted({tool for of in verdicts.values() for tool in of}):
        cells = [notes.cell(of[tool]) if tool in of else "–" for of in verdicts.values()]
        lines.append(f"| {tool} | {' | '.join(cells)} |")
    lines.append(f"| **types** | {' | '.join(_share(of) for of in verdicts.values())} |")
    lines += ["", *(f"{number}. {text}" for text, number in notes.numbers.items())]
    return "\n".join(lines) + "\n"


def _verdicts(release: Release) -> dict[str, Verdict]:
    tools = release.tools()
    if not tools:
        raise LookupError(f"no tools in {release.folder}: python -m tests.corpora.fetch {release.suite}")
    return {tool.stem: judge(tool) for tool in tools}


def _share(verdicts: dict[str, Verdict]) -> str:
    typed = sum(verdict.stage == "types" for verdict in verdicts.values())
    return f"{typed} of {len(verdicts)}"


def main() -> int:
    try:
        text = page()
    except LookupError as missing:
        print(missing, file=sys.stderr)
        return 1
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
