"""What is told of a model in use: the newest reports, what was asked, how long answers took."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from heddle.domain.entities import RequestRecord

__all__ = ["age_words", "latencies", "reports_of", "request_rows"]

_OF_A_REPORT = frozenset({"model", "alarms", "checks", "limits"})
_SHARES = (("p50", 50), ("p95", 95), ("p99", 99))
_HOUR, _DAY = 3600, 86400


def reports_of(root: Path) -> dict[str, Mapping[str, Any]]:
    """Return the reports of `heddle monitor` and of stages that watch, the newest first.

    A file that cannot be read, or that is something else, is left out.
    """
    found = sorted(root.glob("reports/**/*.json"), key=lambda p: p.stat().st_mtime, reverse=True)
    told = {}
    for path in found:
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(document, Mapping) and set(document) >= _OF_A_REPORT:
            told[path.relative_to(root).as_posix()] = document
    return told


def request_rows(records: Iterable[RequestRecord]) -> list[dict[str, Any]]:
    """Return a row for each request, the latest first, its columns last."""
    return [
        {
            "Id": one.id,
            "At (UTC)": one.at[:19].replace("T", " "),
            "Model": one.model,
            "Prediction": one.prediction,
            "Lower": one.lower,
            "Upper": one.upper,
            "Outcome": one.outcome,
            "Latency (ms)": one.latency_ms,
            "Remarks": one.flags,
            **one.row,
        }
        for one in reversed(list(records))
    ]


def latencies(records: Sequence[RequestRecord]) -> dict[str, float]:
    """Return percentiles of the milliseconds that answers took, {} without any.

    >>> latencies([])
    {}
    """
    import numpy as np

    told = [one.latency_ms for one in records]
    return {name: float(np.percentile(told, share)) for name, share in _SHARES} if told else {}


def age_words(at: str, now: datetime) -> str:
    """Return how long ago a moment was.

    >>> from datetime import UTC
    >>> now = datetime(2026, 5, 8, 12, tzinfo=UTC)
    >>> age_words("2026-05-08T11:58:00+00:00", now), age_words("2026-05-01T12:00:00+00:00", now)
    ('2 min', '7 days')
    """
    seconds = (now - datetime.fromisoformat(at)).total_seconds()
    if seconds < 2 * _HOUR:
        return f"{max(seconds, 0) / 60:.0f} min"
    return f"{seconds / _HOUR:.0f} hours" if seconds < 2 * _DAY else f"{seconds / _DAY:.0f} days"
