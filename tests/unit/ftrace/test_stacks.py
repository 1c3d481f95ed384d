"""A stack belongs to the latest event of its thread that waits for one."""

from __future__ import annotations

from xtrace.backends.ftrace.ring_buffer import Record
from xtrace.backends.ftrace.stacks import Stacks

EVENT, PLAIN, KERNEL, USER = 300, 301, 4, 13
FLAGS = {EVENT: 3, PLAIN: 3}
IRQ = 0x08


def event(time: int, tid: int = 7, flags: int = 0, kind: int = EVENT) -> Record:
    return time, 0, (0, kind, tid, flags)


def kernel(time: int, *addresses: int, tid: int = 7) -> Record:
    return time, 0, (0, KERNEL, tid, addresses)


def user(time: int, *addresses: int, tid: int = 7) -> Record:
    return time, 0, (0, USER, tid, (tid, addresses))


def joined(records: list[Record], both: bool = False) -> list[tuple[int, object, object]]:
    made = Stacks(KERNEL, USER, frozenset((EVENT,)), FLAGS, both).join(records, last=True)
    return [(time, row[-2], row[-1][1]) for time, _, row in made]


def test_each_event_has_its_own() -> None:
    assert joined([event(1), kernel(2, 11), event(3), kernel(4, 12)]) == [(1, (11,), ()), (3, (12,), ())]


def test_an_interrupt_between_an_event_and_its_stack() -> None:
    records = [event(1), event(2, flags=IRQ), kernel(3, 99), kernel(4, 11)]
    assert joined(records) == [(1, (11,), ()), (2, (99,), ())]


def test_an_event_without_a_stack_does_not_take_the_next_ones() -> None:
    assert joined([event(1), event(2), kernel(3, 12)]) == [(1, (), ()), (2, (12,), ())]
    assert joined([event(1, tid=5), event(2), kernel(3, 12)]) == [(1, (), ()), (2, (12,), ())]


def test_both_kinds() -> None:
    records = [event(1), kernel(2, 11), user(3, 21), event(4), kernel(5, 12), user(6, 22)]
    assert joined(records, both=True) == [(1, (11,), (21,)), (4, (12,), (22,))]


def test_events_that_ask_for_none_pass_in_order() -> None:
    assert [time for time, _, _ in joined([event(1), kernel(2, 11), event(3, kind=PLAIN), event(4)])] == [1, 3, 4]


def test_a_stack_may_come_in_the_next_batch() -> None:
    stacks = Stacks(KERNEL, USER, frozenset((EVENT,)), FLAGS, False)
    assert stacks.join([event(1)]) == []
    assert stacks.join([kernel(2, 11)])[0][2][-2] == (11,)
