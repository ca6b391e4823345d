"""Who may come in: how many requests are answered at a time, and how many while there is no end.

A burst may wait, for it passes. When somebody has waited nearly all the time of late there is more
than can be done: then few wait, so that those who are let in are answered as fast as ever, and the
rest is refused before it is read. A refusal is told a moment later, for who hears it at once asks
again at once.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

__all__ = ["Gate"]

_FEW = 8  # requests that wait while there are too many
_WINDOW = 0.025  # seconds over which it is seen whether there are
_PRESSED = 0.67  # share of them in which somebody waited
_HOLD = 0.05  # seconds until a refusal is told
_TOGETHER = 0.005  # seconds within which refusals are told in one go


class Gate:
    """Counts who is inside, and says whether one more may come.

    Args:
        most: requests inside, in a burst.
        refused: called for each that was not let in.
        clock: seconds that only rise.
    """

    def __init__(
        self,
        most: int,
        *,
        refused: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.inside = 0
        self.refused = 0
        self._most, self._few = most, min(_FEW, most)
        self._told = refused
        self._clock = clock
        self._since = self._began = clock()
        self._busy = 0.0  # seconds of this window in which somebody was inside
        self._pressed = False
        self._held: deque[tuple[float, Callable[[], None]]] = deque()

    @property
    def full(self) -> bool:
        """Whether one more would be too many."""
        if self.inside < self._few:
            return False
        self._look()
        return self._pressed or self.inside >= self._most

    def enter(self) -> None:
        """Count one in."""
        if not self.inside:
            self._since = self._clock()
        self.inside += 1

    def leave(self) -> None:
        """Count one out."""
        self.inside -= 1
        if not self.inside:
            self._busy += self._clock() - self._since
            self._look()

    def refuse(self, tell: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
        """Count one that is not let in, and let it be told in a moment."""
        self.refused += 1
        self._told()
        self._held.append((self._clock() + _HOLD, tell))
        if len(self._held) == 1:
            loop.call_later(_HOLD, self._tell, loop)

    def _tell(self, loop: asyncio.AbstractEventLoop) -> None:
        until = self._clock() + _TOGETHER
        while self._held and self._held[0][0] <= until:
            self._held.popleft()[1]()
        if self._held:
            loop.call_later(max(self._held[0][0] - until + _TOGETHER, 0.001), self._tell, loop)

    def _look(self) -> None:
        """Say anew whether there is too much to do, once a window has passed."""
        now = self._clock()
        passed = now - self._began
        if passed < _WINDOW:
            return
        if self.inside:
            self._busy += now - self._since
            self._since = now
        self._pressed = self._busy >= _PRESSED * passed
        self._began, self._busy = now, 0.0
