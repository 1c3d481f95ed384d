"""The lab's results as a table for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tests.lab.run import Result

DETAIL_LINES = 20
MARKS = {"pass": "ok", "fail": "FAIL", "skip": "-", "error": "ERROR"}


def line(result: Result) -> str:
    """Return one line about a case that has just ended."""
    reason = f"  {_first(result.reason)}" if result.reason else ""
    return f"{result.kernel:5} {MARKS[result.status]:5} {result.case} ({result.seconds:.1f} s){reason}"


def table(results: Sequence[Result]) -> str:
    """Return the table cases × kernels, the reasons of what is not ok, and the sums."""
    kernels = list(dict.fromkeys(result.kernel for result in results))
    marks = {(result.case, result.kernel): MARKS[result.status] for result in results}
    names = sorted({result.case for result in results})
    width = max(map(len, names), default=0)
    rows = [" ".join([" " * width, *(f"{kernel:>6}" for kernel in kernels)])]
    for name in names:
        cells = [marks.get((name, kernel), "") for kernel in kernels]
        rows.append(" ".join([name.ljust(width), *(f"{cell:>6}" for cell in cells)]).rstrip())
    rows += [""]
    for result in results:
        if result.status in ("fail", "error"):
            rows += [line(result), *(f"    | {text}" for text in _detail(result))]
    for result in results:
        if result.status == "skip":
            rows.append(line(result))
    count = Counter(result.status for result in results)
    broken = count["fail"] + count["error"]
    return "\n".join([*rows, f"{count['pass']} passed, {broken} failed, {count['skip']} skipped"])


def _first(text: str) -> str:
    return text.splitlines()[0] if text else ""


def _detail(result: Result) -> list[str]:
    return (result.reason.splitlines()[1:] + result.output.splitlines())[-DETAIL_LINES:]
