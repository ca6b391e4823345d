"""The queue before the model: bounded, emptied in one go, never mixed up."""

import asyncio
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from heddle.serving.api.refused import Refused
from heddle.serving.api.turns import Turns


class Doubling:
    """A model that doubles, and writes down how it was asked."""

    def __init__(self, how="compiled", gate=None):
        self.compiled = SimpleNamespace(how=how)
        self.asked = []
        self.gate = gate
        self.began = threading.Event()

    def predict_values(self, columns):
        values = columns["x"]
        self.asked.append((len(values), threading.current_thread().name))
        self.began.set()
        if self.gate is not None:
            assert self.gate.wait(timeout=20)
        if -1 in values:
            raise ValueError("cannot")
        return 2.0 * np.array(values, dtype=float)


def predicted(turns, model, *requests):
    async def asked():
        coming = [turns.predict(model, {"x": list(xs)}, len(xs)) for xs in requests]
        return await asyncio.gather(*coming, return_exceptions=True)

    return asyncio.run(asked())


def test_requests_that_wait_together_are_predicted_together():
    """In one call, here, for a compiled model; each gets its own."""
    model = Doubling()
    told = predicted(Turns(10), model, [1, 2], [3], [4, 5, 6])
    assert [said.tolist() for said in told] == [[2, 4], [6], [8, 10, 12]]
    assert model.asked == [(6, "MainThread")]


@pytest.mark.parametrize(("how", "rows"), [("pipeline", 1), ("compiled", 100)])
def test_what_takes_long_is_done_in_a_thread(how, rows):
    """A model that is not compiled, or many rows."""
    model = Doubling(how)
    (told,) = predicted(Turns(10), model, range(rows))
    assert len(told) == rows
    assert model.asked[0][1].startswith("heddle-model")


def test_one_bad_request_does_not_harm_its_neighbours():
    """They are asked again, each alone."""
    good, bad, other = predicted(Turns(10), Doubling(), [1], [-1], [2])
    assert (good.tolist(), other.tolist()) == ([2], [4])
    assert isinstance(bad, ValueError)


def test_beyond_the_bound_a_request_is_refused_at_once():
    """The rest is answered."""
    turns = Turns(3)
    told = predicted(turns, Doubling(), *[[n] for n in range(5)])
    assert [said.tolist() for said in told[:3]] == [[0], [2], [4]]
    for fault in told[3:]:
        assert isinstance(fault, Refused)
        assert (fault.status, fault.headers) == (503, {"retry-after": "1"})
    assert (turns.refused, turns.waiting, turns.full) == (2, 0, False)


def test_the_event_loop_turns_while_a_model_works():
    """And those that come meanwhile wait their turn, together."""
    gate = threading.Event()
    model, turns = Doubling("pipeline", gate), Turns(10)

    async def asked():
        first = asyncio.ensure_future(turns.predict(model, {"x": [1]}, 1))
        await asyncio.to_thread(model.began.wait, 20)
        later = [asyncio.ensure_future(turns.predict(model, {"x": [n]}, 1)) for n in (2, 3)]
        await asyncio.sleep(0)
        waiting = turns.waiting
        gate.set()
        return waiting, await asyncio.gather(first, *later)

    waiting, told = asyncio.run(asked())
    assert waiting == 3
    assert [said.tolist() for said in told] == [[2], [4], [6]]
    assert [rows for rows, _ in model.asked] == [1, 2]


def test_two_models_never_share_a_batch():
    """A request that began with the old model is answered by it."""
    old, new, turns = Doubling(), Doubling(), Turns(10)

    async def asked():
        order = (old, new, new, old)
        coming = [turns.predict(model, {"x": [n]}, 1) for n, model in enumerate(order)]
        return await asyncio.gather(*coming)

    assert [said.tolist() for said in asyncio.run(asked())] == [[0], [2], [4], [6]]
    assert [rows for rows, _ in new.asked] == [2]
    assert [rows for rows, _ in old.asked] == [1, 1]


def test_who_no_longer_waits_is_not_predicted():
    """The place is free again."""
    gate = threading.Event()
    model, turns = Doubling("pipeline", gate), Turns(2)

    async def asked():
        first = asyncio.ensure_future(turns.predict(model, {"x": [1]}, 1))
        gone = asyncio.ensure_future(turns.predict(model, {"x": [2]}, 1))
        await asyncio.to_thread(model.began.wait, 20)
        gone.cancel()
        gate.set()
        return await first

    assert asyncio.run(asked()).tolist() == [2]
    assert sum(rows for rows, _ in model.asked) <= 2
    assert turns.waiting == 0
