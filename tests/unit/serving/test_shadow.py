"""A second model is asked what the first was asked, and costs the first nothing."""

import json
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest
from tests.processes import wait_for
from tests.saved_model import saved_model

from heddle.domain.entities import RequestRecord
from heddle.infrastructure.memory_requests import MemoryRequests
from heddle.serving.address import read_address
from heddle.serving.cascade import Cascade
from heddle.serving.live import Live
from heddle.serving.logged import Logged, LogSettings
from heddle.serving.shadow import Shadow
from heddle.serving.sinks import Sinks

ROW = {"size": 50.0, "shore": "near"}
ASKED = RequestRecord(
    id="a" * 32,
    at="2026-05-01T12:00:00+00:00",
    model="price/1",
    digest="d" * 64,
    row=ROW,
    prediction=80.0,
)


class Kept(list):
    """Takes what it is offered."""

    def offer(self, records):
        self.extend(records)
        return True


@pytest.fixture
def opened():
    """Closes the shadows that a test opens."""
    made = []
    yield made
    for one in made:
        one.close()


def shadow_of(registered, opened, sink, told="price@staging", **more):
    live = Live(Cascade(registered, strict=True), read_address(told))
    made = Shadow(live, sink, **more)
    made.start()
    opened.append(made)
    return made


def asked(number, **more):
    return replace(ASKED, id=f"{number:032x}", **more)


def test_what_it_says_is_a_record_beside_the_answer(registered, opened):
    """Of the same time, with its own label, digest, interval and duration."""
    kept = Kept()
    shadow = shadow_of(registered, opened, kept)
    assert shadow.offer([asked(1), asked(2, row={"size": None, "shore": "isle"})])
    assert shadow.close()
    one, two = kept
    model = shadow.live.current.model
    expected = model.predict_values({"size": [50.0], "shore": ["near"]})[0]
    assert one.prediction == pytest.approx(expected, rel=1e-9)
    assert (one.model, one.digest, one.beside, one.at) == (
        "price/2",
        model.digest,
        asked(1).id,
        ASKED.at,
    )
    assert one.lower < one.prediction < one.upper
    assert one.latency_ms > 0
    assert one.row == ROW
    assert two.flags == "unknown_category:shore"
    assert len({one.id, two.id, asked(1).id, asked(2).id}) == 4
    assert shadow.told["rows"] == {
        **dict.fromkeys(("dropped", "not_comparable", "failed", "same", "waiting"), 0),
        "asked": 2,
    }


def test_a_row_that_does_not_fit_is_counted_and_costs_no_other(registered, opened):
    """A column that it lacks is no harm; one that it needs and is not there, is."""
    kept = Kept()
    shadow = shadow_of(registered, opened, kept)
    bad = [asked(2, row={"size": 50.0}), asked(3, row={"size": "wide", "shore": "far"})]
    shadow.offer([asked(1), *bad, asked(4, row={**ROW, "rooms": 3})])
    assert shadow.close()
    assert [int(one.beside, 16) for one in kept] == [1, 4]
    assert kept[1].row == ROW
    assert shadow.counts.not_comparable == 2
    assert shadow.counts.asked == 2


def test_a_model_of_fewer_columns_takes_part(opened, tmp_path):
    """It is asked with those that it knows."""
    folder, digest = saved_model(tmp_path / "model", columns=("size",))
    kept = Kept()
    shadow = Shadow(Live(Cascade(pin=digest), read_address(str(folder))), kept)
    shadow.offer([asked(1)])
    shadow.start()
    assert shadow.close()
    assert kept[0].row == {"size": 50.0}
    assert shadow.told["follows"] == "a folder", "its path is nobody's business"


def test_one_that_cannot_be_verified_is_told_and_nothing_else_happens(registered, opened):
    """It is tried again later; what came in meanwhile is counted."""
    path = registered.fetch(registered.resolve("price", "2")) / "model.skops"
    path.write_bytes(path.read_bytes() + b"x")
    kept = Kept()
    shadow = shadow_of(registered, opened, kept)
    assert shadow.offer([asked(1)])
    assert shadow.close()
    assert kept == []
    assert (shadow.counts.dropped, shadow.told["status"]) == (1, "not_loaded")
    assert "price@staging was not taken: " in shadow.told["notice"]
    assert ("shadow_refused_total", 1.0) in [(name, value) for name, *_, value in shadow.gauges]


def test_its_alias_is_followed(registered, opened):
    """And a request that it answered itself is not asked twice."""
    kept = Kept()
    shadow = shadow_of(registered, opened, kept)
    wait_for(lambda: shadow.live.current is not None)
    registered.point("price", "staging", 1)
    assert shadow.live.look()
    shadow.offer([asked(1), asked(2, digest=shadow.live.current.digest)])
    assert shadow.close()
    assert [one.model for one in kept] == ["price/1"]
    assert shadow.counts.same == 1


def test_too_many_are_dropped_and_counted_and_nobody_waits(registered, opened, monkeypatch):
    """Also while the model takes its time; what is asked after the end is not taken."""
    shadow = shadow_of(registered, opened, Kept(), most_rows=3)
    wait_for(lambda: shadow.live.current is not None)
    working, go_on = threading.Event(), threading.Event()
    monkeypatch.setattr(shadow, "_ask", lambda _: (working.set(), go_on.wait(20)))
    assert shadow.offer([asked(0)])
    assert working.wait(20)
    assert shadow.offer([asked(1), asked(2)])
    assert not shadow.offer([asked(3), asked(4)])
    assert shadow.offer([asked(5)])
    assert shadow.counts.dropped == 2
    go_on.set()
    assert shadow.close()
    assert not shadow.offer([asked(6)])
    assert shadow.counts.dropped == 3


def test_the_end_does_not_wait_for_ever(registered, opened):
    """What was not asked in time is dropped and counted."""
    kept = Kept()
    shadow = shadow_of(registered, opened, kept)
    wait_for(lambda: shadow.live.current is not None)
    shadow.offer([asked(i) for i in range(1_000)])
    assert shadow.close(timeout=0.0)
    assert len(kept) + shadow.counts.dropped == 1_000
    assert shadow.counts.dropped > 0


def test_it_rests_longer_than_it_works(registered, opened):
    """So that whoever waits for an answer gets most of the time."""
    ticks = iter(float(i) for i in range(10_000))
    shadow = shadow_of(registered, opened, Kept(), clock=lambda: next(ticks))
    rests = []
    shadow._stop = SimpleNamespace(
        is_set=shadow._stop.is_set, set=shadow._stop.set, wait=rests.append
    )
    shadow.offer([asked(1)])
    wait_for(lambda: rests)
    assert rests[0] >= 4.0


def test_a_model_that_fails_on_a_row_is_told_without_the_row(registered, opened):
    """The other rows are asked alone."""
    kept = Kept()
    shadow = shadow_of(registered, opened, kept)
    wait_for(lambda: shadow.live.current is not None)
    serving = shadow.live.current

    def fails(columns):
        if 13.0 in columns["size"]:
            raise ArithmeticError(f"no price for {columns}")
        return serving.model.predict_values(columns)

    manifest = serving.model.manifest
    model = SimpleNamespace(
        label="price/2", manifest=manifest, digest=serving.digest, predict_values=fails
    )
    shadow.live._current = replace(serving, model=model)
    shadow.offer([asked(1), asked(2, row={**ROW, "size": 13.0}), asked(3)])
    assert shadow.close()
    assert [int(one.beside, 16) for one in kept] == [1, 3]
    assert shadow.counts.failed == 1
    assert shadow.told["notice"] == "the model failed on a row: ArithmeticError"


def test_a_piece_that_goes_wrong_is_counted_and_the_next_is_asked(registered, opened):
    """Here by a sink that breaks its promise; the kind of fault is told, no value."""
    kept = Kept()

    class Broken(Kept):
        def offer(self, records):
            if not kept and not shadow.counts.failed:
                raise OSError("no room for 50.0")
            return kept.offer(records)

    shadow = shadow_of(registered, opened, Broken())
    shadow.offer([asked(1)])
    wait_for(lambda: shadow.counts.failed == 1)
    shadow.offer([asked(2)])
    assert shadow.close()
    assert [one.beside for one in kept] == [asked(2).id]
    assert shadow.told["notice"] == "a piece could not be asked: OSError"


def test_a_model_of_a_history_fits_no_row(registered, opened):
    """The log keeps the last row of a history only."""
    kept = Kept()
    shadow = shadow_of(registered, opened, kept)
    wait_for(lambda: shadow.live.current is not None)
    shadow._reader_of(shadow.live.current).history = object()
    shadow.offer([asked(1)])
    assert shadow.close()
    assert (kept, shadow.counts.not_comparable) == ([], 1)
    assert shadow.told["notice"].startswith("it looks back over a history")


def test_columns_are_hidden_and_old_rows_forgotten_beside_an_answer_too(registered, opened):
    """The queue before the log is the same for both."""
    log = MemoryRequests()
    settings = LogSettings(redact={"shore": "drop", "size": "hash"})
    logged = Logged(log, settings, key=b"secret")
    sinks = Sinks(logged, shadow_of(registered, opened, logged))
    assert sinks.offer([asked(1)])
    assert opened[0].close()
    assert logged.close()
    ((answer, other),) = log.pairs()
    assert other.row == answer.row
    assert answer.row["size"].startswith("hash:")
    assert other.redacted == ("size", "shore")
    assert "near" not in json.dumps(other.row)
    assert sinks.counts.written == Sinks(sinks).counts.written == 2, "/metrics tells of the log"
    assert log.sweep("2026-05-02T00:00:00+00:00") == 2
    assert list(log.rows()) == []


def test_what_one_sink_drops_another_takes():
    """And it is told."""
    full = SimpleNamespace(offer=lambda _: False)
    kept = Kept()
    assert Sinks(full, kept).offer([ASKED]) is False
    assert Sinks(full, kept).counts is None
    assert kept == [ASKED]
