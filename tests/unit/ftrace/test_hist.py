"""The kernel's tables read back, whatever names are in them, and what becomes of a map that they feed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xtrace.backends.ftrace import hist
from xtrace.backends.ftrace.model import HistKey, HistMap, Holds, KeyKind

COMM, ID = HistKey("common_comm", KeyKind.TEXT), HistKey("id")
TABLE = """# event histogram
#
# trigger info: hist:keys=common_comm,id:vals=hitcount,n:sort=hitcount:size=128 if id > 1 [active]
#

{{ common_comm: {:<50}, id:          5 }} hitcount:          2  n: 18446744073709551615
{{ common_comm: {:<50}, id: 18446744073709551615 }} hitcount:         12  n:          7

Totals:
    Hits: 14
    Entries: 2
    Dropped: 3
"""
NAMES = st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=15).map(lambda name: name.rstrip(" "))


def rows(text: str, table: HistMap) -> list[tuple[list[hist.Cell], int, int]]:
    section = hist.section_of(text.encode(), table)
    return [
        ([hist.cell_of(key, row.cells) for key in table.keys], row.hits, row.total) for row in hist.rows(section, table)
    ]


@given(NAMES, NAMES)
def test_a_table_reads_back(one: str, other: str) -> None:
    table = HistMap("m", 0, 0, (COMM, ID), "n", "id > 1")
    text = TABLE.format(one, other)
    assert rows(text, table) == [([one, 5], 2, -1), ([other, -1], 12, 7)]
    assert hist.dropped(hist.section_of(text.encode(), table)) == 3


def test_the_trigger_says_what_the_print_repeats() -> None:
    table = HistMap("m", 0, 0, (COMM, ID), "n", "id > 1")
    assert hist.trigger(table) == "hist:keys=common_comm,id:vals=n:size=128 if id > 1"
    assert hist.trigger(HistMap("m", 0, 0, ())) == "hist:keys=common_type:vals=hitcount:size=128"


# As Linux 6.12 and 7.2 printed them.
ODD = """# event histogram
#
# trigger info: hist:keys=common_pid,ret.log2:vals=hitcount:sort=hitcount:size=128 if ret > 0 [active]
#

{ common_pid:        172, ret: ~ 2^9  } hitcount:          1
{ common_pid:        178, ret: ~ 2^13 } hitcount:         12


# event histogram
#
# trigger info: hist:keys=common_pid.execname:vals=hitcount:sort=hitcount:size=128 [active]
#

{ common_pid: a [ 7] } {      [       179] } hitcount:          1

# event histogram
#
# trigger info: hist:keys=common_stacktrace,common_pid:vals=hitcount:sort=hitcount:size=128 if comm=="head" [active]
#

{ common_stacktrace:
         syscall_exit_to_user_mode+0x10/0x1b0
         probe+0x1f/0x20 [mod]
, common_pid:        178} hitcount:         14

# event histogram
#
# trigger info: hist:keys=common_stacktrace:vals=hitcount:sort=hitcount:size=128 [active]
#

{ common_stacktrace:
         syscall_exit_to_user_mode+0x10/0x1b0
} hitcount:         21

# event histogram
#
# trigger info: hist:keys=common_cpucommon_cpu:vals=hitcount:sort=hitcount:size=128 [active]
#

{ common_cpu:          1 } hitcount:          3
"""


def test_all_kinds_of_keys_read_back() -> None:
    thread, name = HistKey("common_pid"), HistKey("common_pid", KeyKind.NAME)
    stack = HistKey("stacktrace", KeyKind.STACK)
    log2 = HistMap("m", 0, 0, (thread,), filter="ret > 0", holds=Holds.LOG2, operand="ret")
    section = hist.section_of(ODD.encode(), log2)
    assert [row.cells for row in hist.rows(section, log2)] == [
        {"common_pid": 172, "ret.log2": 9},
        {"common_pid": 178, "ret.log2": 13},
    ]
    assert rows(ODD, HistMap("m", 0, 0, (name, thread))) == [(["a [ 7] } {", 179], 1, 1)]
    frames = ("syscall_exit_to_user_mode+16", "probe+31")
    assert rows(ODD, HistMap("m", 0, 0, (stack, thread), filter='comm=="head"')) == [([frames, 178], 14, 14)]
    assert rows(ODD, HistMap("m", 0, 0, (stack,))) == [([frames[:1]], 21, 21)]
    assert rows(ODD, HistMap("m", 0, 0, (HistKey("common_cpu"),))) == [([1], 3, 3)]
