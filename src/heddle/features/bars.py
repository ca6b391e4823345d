"""What formulas over prices are made of: the columns of one series, and what several share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from heddle.features.rolling import Floats, Moments, before, decay, moments, weighted

__all__ = ["Bars", "Formula", "ema"]


class Bars:
    """The columns of one series, and what several formulas want of them, worked out once."""

    def __init__(
        self, prices: Mapping[str, Floats], days: NDArray[Any], more: Mapping[str, Floats]
    ) -> None:
        self.open, self.high = prices["open"], prices["high"]
        self.low, self.close, self.volume = prices["low"], prices["close"], prices["volume"]
        self.days = days  # datetime64[D]
        self.more = more
        self._moments: dict[tuple[str, int], Moments] = {}
        self._trends: dict[tuple[int, int, int], Floats] = {}

    @cached_property
    def before(self) -> Floats:
        """The close of the row before."""
        return before(self.close, 1)

    @cached_property
    def log_return(self) -> Floats:
        return np.log(self.close / self.before)

    @cached_property
    def left(self) -> Floats:
        """Weekdays that are left in the month after the day."""
        months = self.days.astype("datetime64[M]")
        end = (months + 1).astype("datetime64[D]")
        return np.busday_count(self.days + 1, end).astype(np.float64)

    def moments(self, of: Literal["close", "volume", "log_return"], window: int) -> Moments:
        if (of, window) not in self._moments:
            self._moments[of, window] = moments(getattr(self, of), window)
        return self._moments[of, window]

    def trend(self, fast: int, slow: int, spans: int) -> Floats:
        """Return the fast less the slow average of the close."""
        if (fast, slow, spans) not in self._trends:
            quick, steady = (weighted(self.close, ema(n, spans)) for n in (fast, slow))
            self._trends[fast, slow, spans] = quick - steady
        return self._trends[fast, slow, spans]


@dataclass(frozen=True, slots=True)
class Formula:
    """One feature: known from the row on that has `lookback` rows before it."""

    name: str
    lookback: int
    of: Callable[[Bars], Floats]


def ema(span: int, spans: int) -> list[float]:
    """Return the weights of an exponential average of `span`, cut after `spans` of it."""
    return decay(1.0 - 2.0 / (span + 1), span * spans)
