"""Counters of the API, in Prometheus's text form.

One process serves, so that plain numbers do: no library, no registry of collectors.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

__all__ = ["Meters"]

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds


class Meters:
    """What was asked and answered since the start."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()  # route, status
        self.refusals: Counter[str] = Counter()  # by reason
        self.rows = 0  # predicted
        self.flagged = 0  # of them, with a remark
        self.in_flight = 0  # requests that are being answered
        self._slots = [0] * (len(_BOUNDS) + 1)
        self._seconds = 0.0

    def done(self, route: str, status: int, seconds: float, *, timed: bool) -> None:
        """Count an answer; the times of predictions are kept."""
        self.requests[route, status] += 1
        if timed:
            self._slots[bisect_left(_BOUNDS, seconds)] += 1
            self._seconds += seconds

    def text(self, gauges: Iterable[tuple[str, str, str, float]] = ()) -> str:
        """Return everything, and `gauges`: (name, labels, help, value), names without `heddle_`.

        Those of one name, which differ in their labels, stand together.
        """
        lines = _head("requests_total", "counter", "Answers by route and status.")
        lines += [
            f'heddle_requests_total{{route="{escaped(route)}",status="{status}"}} {count}'
            for (route, status), count in sorted(self.requests.items())
        ]
        lines += self._times()
        counted = (
            ("rows_total", "counter", "Rows predicted.", self.rows),
            ("rows_flagged_total", "counter", "Rows predicted with a remark.", self.flagged),
            ("requests_in_flight", "gauge", "Requests being answered.", self.in_flight),
        )
        for name, kind, told, value in counted:
            lines += [*_head(name, kind, told), f"heddle_{name} {value}"]
        before = ""
        for name, labels, told, number in gauges:
            kind = "counter" if name.endswith("_total") else "gauge"
            lines += _head(name, kind, told) if name != before else []
            lines.append(f"heddle_{name}{labels} {number:.15g}")
            before = name
        return "\n".join(lines) + "\n"

    def _times(self) -> list[str]:
        name = "predict_seconds"
        lines = _head(name, "histogram", "From request to answer of a prediction.")
        under = 0
        for bound, count in zip((*map(str, _BOUNDS), "+Inf"), self._slots, strict=True):
            under += count
            lines.append(f'heddle_{name}_bucket{{le="{bound}"}} {under}')
        return [*lines, f"heddle_{name}_sum {self._seconds:.6f}", f"heddle_{name}_count {under}"]


def escaped(text: str) -> str:
    r"""Return text as it may stand in a label.

    >>> escaped('a"b')
    'a\\"b'
    """
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _head(name: str, kind: str, told: str) -> list[str]:
    return [f"# HELP heddle_{name} {told}", f"# TYPE heddle_{name} {kind}"]
