"""How long ago a model was last asked, and how long ago it was made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from heddle.monitoring.answers import Monitor

__all__ = ["Made", "ages"]

_HOUR, _DAY = 3600, 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """When a model came to be; the training rows to compare with are kept in it."""

    registered: datetime | None = None  # with its zone; None: it is not known
    learned_to: str = ""  # last period that it was fitted on, where rows have one


def ages(last: datetime | None, made: Made, now: datetime, cfg: Monitor) -> list[dict[str, Any]]:
    """Return a check for each age that is known: of the last request and of the model.

    >>> from datetime import UTC, timedelta
    >>> now = datetime(2026, 5, 8, tzinfo=UTC)
    >>> made = Made(registered=now - timedelta(days=40), learned_to="2025")
    >>> [(one["name"], one["state"]) for one in ages(now, made, now, Monitor(model_days=30))]
    [('requests', 'unknown'), ('model', 'alarm')]

    Args:
        last: the last request; None: requests are not what is looked at.
        made: the model.
        now: the time.
        cfg: the limits.
    """
    found = []
    if last is not None:
        hours = max((now - last).total_seconds() / _HOUR, 0.0)
        words = f"the last one was {hours:,.1f} hours ago"
        found.append(_check("requests", words, hours, cfg.age_hours, "hours"))
    if made.registered is not None:
        days = max((now - made.registered).total_seconds() / _DAY, 0.0)
        to = f", which end with {made.learned_to}" if made.learned_to else ""
        words = f"registered {days:,.1f} days ago with its training rows{to}"
        found.append(_check("model", words, days, cfg.model_days, "days"))
    return found


def _check(name: str, words: str, age: float, limit: float | None, unit: str) -> dict[str, Any]:
    told = {"name": name, "p_value": None}
    if limit is None:
        words += "; no limit is set"
        return {**told, "state": "unknown", "words": words, "times_limit": None}
    state = "alarm" if age > limit else "ok"
    words += f", limit {limit:g} {unit}"
    return {**told, "state": state, "words": words, "times_limit": age / limit}
