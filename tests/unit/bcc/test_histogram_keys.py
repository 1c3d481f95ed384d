"""Keys of histograms are many entries, and averages are read from memory that all CPUs share."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.evaluate.programs import typed
from xtrace.backends.bcc.handler import Host
from xtrace.backends.bcc.lower import lower
from xtrace.backends.bcc.writer import UnsupportedError
from xtrace.core import ir

LOOPS = Host("x86_64")


def lines(program: ir.Program, host: Host = LOOPS) -> str:
    return "\n".join(str(line) for handler in lower(program, host).handlers for line in handler.lines)


@pytest.mark.parametrize(
    ("text", "buckets"),
    [("@h[1] = hist(nsecs); delete(@h[1]);", 66), ("@h[1] = lhist(nsecs, 0, 100, 10); delete(@h[1]);", 12)],
)
def test_deleting_a_key_goes_through_its_buckets(text: str, buckets: int) -> None:
    made = lines(typed(f"kprobe:f {{ {text} }}"))
    assert f"< {buckets};" in made and ".delete(" in made


def test_without_loops_a_key_of_a_histogram_stays() -> None:
    program = typed("kprobe:f { @h[1] = hist(nsecs); delete(@h[1]); }")
    with pytest.raises(UnsupportedError) as raised:
        lower(program, replace(LOOPS, bounded_loops=False))
    assert raised.value.diagnostic.span is not None and raised.value.diagnostic.span.text == "@h[1]"


def test_an_average_that_is_read_is_shared_by_the_cpus() -> None:
    (read,) = lower(typed("kprobe:f { @a = avg(nsecs); if (@a > 5) { @n++; } }"), LOOPS).maps[:1]
    (unread,) = lower(typed("kprobe:f { @a = avg(nsecs); }"), LOOPS).maps
    assert (read.per_cpu, unread.per_cpu) == (False, True)


def test_an_lru_map_is_one_of_the_kernels() -> None:
    declared = "let @m = lruhash(10); let @h = lruhash(10); let @c = lruhash(9);"
    program = typed(f"{declared} kprobe:f {{ @m[1] = 1; @h[1] = hist(nsecs); @c[1] = count(); }}")
    tables = {one.name: str(one.table) for one in lower(program, LOOPS).maps}
    assert tables == {"m": '"lru_hash"', "h": '"percpu_hash"', "c": '"lru_percpu_hash"'}
