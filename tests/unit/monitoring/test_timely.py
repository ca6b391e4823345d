"""Foretold or looked back on: what counts, and what is only shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.predictions import PREDICTION

from heddle.monitoring.timely import hindsight, in_time
from heddle.monitoring.track_record import Watch

DAY = date(2024, 3, 5)
NOW = datetime(2024, 6, 1, tzinfo=UTC)


def opens_after(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 14, 30, tzinfo=UTC) + timedelta(days=1)


def made(day: date, *, after: float, **changes):
    """A prediction from the close of a day, made so many hours before the next opening."""
    moment = opens_after(day) - timedelta(hours=after)
    return replace(PREDICTION, as_of=day, generated_at=moment, **changes)


@pytest.mark.parametrize(
    ("hours", "fitted_to", "at", "why"),
    [
        (0.01, None, NOW, None),
        (0.01, DAY - timedelta(days=1), NOW, None),
        (0, None, NOW, "made once the next session had opened"),
        (-9000, None, NOW, "made after 2024-06-01"),
        (5, DAY, NOW, "of sessions up to 2024-03-05, which the model was fitted on"),
        (5, None, opens_after(DAY) - timedelta(hours=6), "made after 2024-03-06"),
    ],
)
def test_only_what_was_told_before_it_came_is_judged(hours, fitted_to, at, why):
    """Before the next session opens, of a session that was new to the model, known by then."""
    one = made(DAY, after=hours)
    found = in_time([one], at, fitted_to=fitted_to, opens_after=opens_after)
    assert (found.judged, found.looked_back) == (((one,), ()) if why is None else ((), (one,)))
    assert found.why == ({} if why is None else {why: 1})


def test_hindsight_has_figures_and_is_never_an_alarm():
    """However wrong it was: each reason is counted."""
    came = {"realised_return": 0.5, "realised_price": 9.0, "realised_at": NOW}
    days = [DAY + timedelta(days=n) for n in range(30)]
    late = [made(day, after=-1, predicted_return=-0.5, **came) for day in days]
    found = in_time(late, NOW, fitted_to=days[4], opens_after=opens_after)
    checks = hindsight(found, Watch(fewest=20))
    assert {one.state for one in checks} == {"unknown"}
    figures = {one.name: one.value for one in checks}
    assert figures["looked back"] == 30
    assert figures["looked back: rmse"] == pytest.approx(1.0)
    assert checks[0].words == (
        "predictions are not judged (of sessions up to 2024-03-09, which the model was fitted on:"
        " 5, made once the next session had opened: 25); --looked-back judges them"
    )
    few = hindsight(found, Watch(fewest=40))
    assert few[1].words == "30 matured predictions, 40 are needed"
    assert hindsight(in_time([], NOW, fitted_to=None, opens_after=opens_after), Watch()) == []
