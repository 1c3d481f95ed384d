"""Shown values as JSON data."""

from __future__ import annotations

from typing import Any

from xtrace.core.events import Averages, Blob, Frames, Hexadecimal, Histogram, MapShown, Sequence
from xtrace.core.session.wording import printable


def jsonable(value: MapShown) -> Any:
    """The value as JSON data: tuples and arrays as arrays, stacks as arrays of names, pointers as "0x…" (JSON numbers
    are exact to 53 bits only), bytes and undecodable characters as text with \\xNN."""
    if isinstance(value, str):
        return clean(value)
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, Histogram):
        return bucket_objects(value)
    if isinstance(value, Averages):
        return {"count": value.count, "average": value.average, "total": value.total}
    return _special(value)


def _special(value: Hexadecimal | Blob | Frames | Sequence) -> Any:
    if isinstance(value, Hexadecimal):
        return f"0x{value.value:x}"
    if isinstance(value, Blob):
        return printable(value.data)
    if isinstance(value, Sequence):
        return [jsonable(item) for item in value.items]
    return [clean(name) for name in value.names]


def bucket_objects(histogram: Histogram) -> list[dict[str, int]]:
    """Buckets with inclusive limits, as bpftrace's JSON has them; an open end has no limit."""
    buckets = []
    for row in histogram.rows:
        bucket = {} if row.low is None else {"min": row.low}
        if row.high is not None:
            bucket["max"] = row.high - 1
        buckets.append({**bucket, "count": row.count})
    return buckets


def clean(text: str) -> str:
    """The text as valid Unicode: bytes that were none are spelled \\xNN."""
    if text.isascii():
        return text
    return "".join(f"\\x{ord(c) - 0xDC00:02x}" if 0xDC80 <= ord(c) <= 0xDCFF else c for c in text)
