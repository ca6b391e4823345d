"""Figures of answers are mirrored, rows are not, and no fault of the mirror is anybody's."""

from dataclasses import replace

import pytest
from tests.processes import wait_for

from heddle.domain.entities import RequestRecord
from heddle.infrastructure.memory_tracking import MemoryTracker
from heddle.infrastructure.mirrored_answers import MirroredAnswers
from heddle.infrastructure.wandb_tracking import WandbTracker

ONE = RequestRecord(
    id="1",
    at="2026-05-01T12:00:00+00:00",
    model="flat/1",
    digest="d",
    row={"owner": "A. Person"},
    prediction=10.0,
    latency_ms=2.0,
)


def test_figures_of_each_model_are_told_and_no_row():
    """Those of a second model, too, under its own name."""
    tracker = MemoryTracker()
    mirror = MirroredAnswers(tracker, name="serving")
    said = [replace(ONE, prediction=float(i), latency_ms=float(i)) for i in range(1, 102)]
    assert mirror.offer([*said, replace(ONE, model="flat/2", flags="size above training")])
    assert mirror.close()
    (run,) = tracker.runs
    told = {name: value for name, ((_, value),) in run.measured.items()}
    assert {name.removeprefix("flat/1."): told[name] for name in told if "flat/1" in name} == {
        "count": 101.0,
        "flagged": 0.0,
        "mean": 51.0,
        "min": 1.0,
        "max": 101.0,
        "latency_ms.mean": 51.0,
        "latency_ms.p50": 51.0,
        "latency_ms.p95": 96.0,
        "latency_ms.p99": 100.0,
    }
    assert (told["flat/2.count"], told["flat/2.flagged"]) == (1.0, 1.0)
    assert told["flat/2.latency_ms.p99"] == 2.0
    assert (run.status, run.words) == ("FINISHED", {"job_type": "serving"})
    assert "Person" not in repr(tracker.runs)


def test_each_interval_is_a_step():
    """One without answers is none."""
    tracker = MemoryTracker()
    mirror = MirroredAnswers(tracker, name="serving", every=0.01)
    for count in (1, 2):
        mirror.offer([ONE] * count)
        wait_for(lambda n=count: steps(tracker) == n)
    assert mirror.close()
    assert tracker.runs[0].measured["flat/1.count"] == [(0, 1.0), (1, 2.0)]
    assert not mirror.offer([ONE]), "what comes after the end is told nowhere"


def test_a_fault_of_the_tracker_is_told_once_and_answers_go_on():
    """What waits is bounded."""
    said = []

    class Broken(MemoryTracker):
        def run(self, name, tags=None):
            raise ConnectionError("no route")

    mirror = MirroredAnswers(Broken(), name="serving", notice=said.append)
    wait_for(lambda: said)
    for _ in range(30):
        assert mirror.offer([ONE] * 1_000)
    assert said == ["answers are not mirrored any more: ConnectionError: no route"]
    assert len(mirror._held["flat/1"]) == 10_000
    assert mirror.close()


def test_wandb_keeps_them_without_a_connection(tmp_path):
    """In files that `wandb sync` sends later."""
    pytest.importorskip("wandb")
    said = []
    tracker = WandbTracker("test", folder=tmp_path, notice=said.append)
    mirror = MirroredAnswers(tracker, name="serving", notice=said.append)
    mirror.offer([ONE])
    assert mirror.close(60)
    (log,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    wait_for(lambda: b"flat/1.latency_ms.p99" in log.read_bytes())
    assert b"A. Person" not in log.read_bytes()
    assert said == []


def steps(tracker):
    return len(tracker.runs[0].measured.get("flat/1.count", ())) if tracker.runs else 0
