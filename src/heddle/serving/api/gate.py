"""Who may come in: how many requests are answered at a time, and how many while there is no end.

A burst may wait, for it passes; but only so many of late, and more of them the longer nobody was
here. When more come than can be answered few wait, so that those who are let in are answered as
fast as ever, and the rest is refused before it is read. A refusal is told a moment later, for who
hears it at once asks again at once.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

__all__ = ["Gate"]

_FEW = 12  # requests that always may wait
_EACH, _IDLE = 16.0, 1_000.0  # more that may, by each second, and by each in which nobody was here
_HOLD = 0.1  # seconds until a refusal is told
_TOGETHER = 0.005  # seconds within which refusals are told in one go


class Gate:
    """Counts who is inside, and says whether one more may come.

    Args:
        most: requests inside, in a burst.
        clock: seconds that only rise.
    """

    def __init__(
        self,
        most: int,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.inside = 0
        self.refused = 0
        self._untold = 0  # of them, not asked for yet
        self._most, self._few = most, min(_FEW, most)
        self._clock = clock
        self._more = float(most)  # that may wait beyond the few
        self._looked = self._left = clock()
        self._held: deque[tuple[float, Callable[[], None]]] = deque()

    @property
    def full(self) -> bool:
        """Whether one more would be too many."""
        if self.inside < self._few:
            return False
        now = self._clock()
        self._allow((now - self._looked) * _EACH)
        self._looked = now
        return self._more < 1 or self.inside >= self._most

    def enter(self) -> None:
        """Count one in."""
        if not self.inside:
            self._allow((self._clock() - self._left) * _IDLE)
        elif self.inside >= self._few:
            self._more -= 1
        self.inside += 1

    def leave(self) -> None:
        """Count one out."""
        self.inside -= 1
        if not self.inside:
            self._left = self._clock()

    def refuse(self, tell: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
        """Count one that is not let in, and let it be told in a moment."""
        self.refused += 1
        self._untold += 1
        self._held.append((self._clock() + _HOLD, tell))
        if len(self._held) == 1:
            loop.call_later(_HOLD, self._tell, loop)

    def untold(self) -> int:
        """Return how many were refused since this was asked before."""
        many, self._untold = self._untold, 0
        return many

    def _tell(self, loop: asyncio.AbstractEventLoop) -> None:
        until = self._clock() + _TOGETHER
        while self._held and self._held[0][0] <= until:
            self._held.popleft()[1]()
        if self._held:
            loop.call_later(max(self._held[0][0] - until + _TOGETHER, 0.001), self._tell, loop)

    def _allow(self, more: float) -> None:
        self._more = min(float(self._most), max(self._more, 0.0) + more)
