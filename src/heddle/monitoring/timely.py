"""Which predictions were made in time: before what they tell of had begun to happen.

A prediction of a session long past is hindsight: the model may have learned from what came, and
whoever asked may have seen it. Such ones are looked at apart, and never raise an alarm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from heddle.domain.entities import Prediction
from heddle.monitoring.track_record import Check, Promises, Watch, accuracy

__all__ = ["InTime", "hindsight", "in_time"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InTime:
    """Predictions, told apart."""

    judged: tuple[Prediction, ...]
    looked_back: tuple[Prediction, ...]
    why: Mapping[str, int]  # reason -> how many were only looked back on because of it

    @property
    def words(self) -> str:
        """How many were looked back on, and why.

        >>> InTime(judged=(), looked_back=(), why={"made too late": 3}).words
        'made too late: 3'
        """
        return ", ".join(f"{reason}: {count:,}" for reason, count in self.why.items())


def in_time(
    predictions: Sequence[Prediction],
    at: datetime,
    *,
    fitted_to: date | None,
    opens_after: Callable[[date], datetime],
) -> InTime:
    """Tell predictions that were made in time from those that look back.

    Args:
        predictions: of one model and series, by session.
        at: the moment as of which is judged: what was made later was not known then.
        fitted_to: the last session that the model was fitted on; None: it is not told.
        opens_after: session -> when the next one opens.
    """
    why: dict[int, str] = {}
    for place, one in enumerate(predictions):
        if one.generated_at > at:
            why[place] = f"made after {at:%Y-%m-%d}"
        elif fitted_to is not None and one.as_of <= fitted_to:
            why[place] = f"of sessions up to {fitted_to}, which the model was fitted on"
        elif one.generated_at >= opens_after(one.as_of):
            why[place] = "made once the next session had opened"
    return InTime(
        judged=tuple(one for place, one in enumerate(predictions) if place not in why),
        looked_back=tuple(predictions[place] for place in why),
        why=dict(Counter(why.values())),
    )


def hindsight(found: InTime, cfg: Watch) -> list[Check]:
    """Return figures of the predictions that look back; none of them is judged."""
    if not found.looked_back:
        return []
    count = len(found.looked_back)
    told = f"predictions are not judged ({found.words}); --looked-back judges them"
    head = Check(name="looked back", state="unknown", value=count, limit=None, words=told)
    free = replace(cfg, rmse=None, direction=None, coverage=None)
    level = Promises(level=1.0)  # of the figure alone: no limit is set
    return [head, *(_apart(one) for one in accuracy(found.looked_back, level, free))]


def _apart(one: Check) -> Check:
    words = one.words if one.value is None else "of predictions that look back, not judged"
    return replace(one, name=f"looked back: {one.name}", state="unknown", limit=None, words=words)
