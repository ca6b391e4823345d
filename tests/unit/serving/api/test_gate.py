"""The gate: a burst may wait, an endless queue may not, and refusals are told in their order."""

import asyncio

from heddle.serving.api import gate as under_test
from heddle.serving.api.gate import Gate


class Clock:
    """Seconds that rise when told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def crowded(gate, many):
    for _ in range(many):
        gate.enter()


def emptied(gate):
    while gate.inside:
        gate.leave()


def test_a_burst_may_wait_up_to_the_bound():
    """It takes time, but it ends."""
    gate = Gate(64, clock=Clock())
    crowded(gate, 63)
    assert not gate.full
    gate.enter()
    assert gate.full
    gate.leave()
    assert not gate.full


def test_few_wait_while_there_is_no_end():
    """And a burst may wait again once it is over."""
    clock = Clock()
    gate = Gate(64, clock=clock)
    admitted = 0
    for _ in range(100):  # always somebody inside, but for a moment
        while not gate.full:
            gate.enter()
            admitted += 1
        clock.now += 0.003
        emptied(gate)
    assert 100 * 12 + 63 <= admitted <= 100 * 12 + 64 + 0.3 * 16 + 1
    clock.now += 1.0
    crowded(gate, 63)
    assert not gate.full


def test_a_stall_is_no_overload():
    """What comes meanwhile is let in, again and again."""
    clock = Clock()
    gate = Gate(64, clock=clock)
    for _ in range(50):
        for _ in range(20):
            assert not gate.full
            gate.enter()
        clock.now += 0.6
        while gate.inside > 1:  # one is always here
            gate.leave()


def test_bursts_with_pauses_are_let_in():
    """Twenty at a time, a quarter of the time."""
    clock = Clock()
    gate = Gate(64, clock=clock)
    for _ in range(50):
        for _ in range(20):
            assert not gate.full
            gate.enter()
        clock.now += 0.01
        emptied(gate)
        clock.now += 0.03


def test_a_small_bound_is_never_exceeded():
    """Fewer than the few."""
    gate = Gate(2, clock=Clock())
    crowded(gate, 2)
    assert gate.full


def test_refusals_are_counted_at_once_and_told_later(monkeypatch):
    """In the order in which they were made."""
    monkeypatch.setattr(under_test, "_HOLD", 0.01)
    told, gate = [], Gate(1)

    async def refused():
        loop = asyncio.get_running_loop()
        for number in range(3):
            gate.refuse(lambda number=number: told.append(number), loop)
        assert (told, gate.refused, gate.untold(), gate.untold()) == ([], 3, 3, 0)
        await asyncio.sleep(0.012)
        gate.refuse(lambda: told.append(3), loop)
        last = asyncio.Event()
        gate.refuse(last.set, loop)
        await last.wait()

    asyncio.run(refused())
    assert told == [0, 1, 2, 3]
