"""What is told at /metrics beside the answers: models, the queue, the log, refusals by reason."""

from __future__ import annotations

from typing import Any

from heddle.serving.api.meters import Meters, escaped
from heddle.serving.live import Live

__all__ = ["Told", "measured"]

Told = list[tuple[str, str, str, float]]  # name, labels, help, value
_ROWS = "Rows offered to the log of requests, by what became of them."


def measured(live: Live, meters: Meters, logged: Any = None, *, shed: int = 0) -> Told:
    """Return counts as (name, labels, help, value); those of one name stand together.

    Args:
        live: the model.
        meters: of the answers.
        logged: the log of requests, if it counts.
        shed: requests that found no room and were refused before anything was made of them.
    """
    told: Told = [
        ("model_swaps_total", f'{{address="{escaped(at)}"}}', "Models that began to serve.", count)
        for at, count in sorted(live.swapped.items())
    ]
    refusals = meters.refusals.copy()
    refusals["no_room"] += shed
    words = "Requests refused, by reason."
    told += [
        ("refused_total", f'{{reason="{reason}"}}', words, count)
        for reason, count in sorted(refusals.items())
        if count
    ]
    return told + _log(getattr(logged, "counts", None))


def _log(counts: Any) -> Told:
    if counts is None:
        return []
    kinds = ("written", "dropped", "refused")
    told: Told = [
        ("log_rows_total", f'{{outcome="{kind}"}}', _ROWS, getattr(counts, kind)) for kind in kinds
    ]
    offered = counts.waiting + sum(getattr(counts, kind) for kind in kinds)
    return [
        *told,
        ("log_rows_offered_total", "", "Rows offered to the log of requests.", offered),
        ("log_rows_waiting", "", "Rows that wait for the disk.", counts.waiting),
        ("log_faults_total", "", "Attempts to write that the disk failed.", counts.faults),
    ]
