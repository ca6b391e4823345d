"""What a push or pull is about to do, and did."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from heddle.infrastructure.remotes.store import Content

__all__ = ["Errand", "Load"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What has to be carried between here and a remote."""

    what: str  # data | runs
    items: tuple[tuple[Content, Path], ...] = ()  # what has to go, and where it lies here
    present: int = 0  # contents that are at their destination already
    notes: tuple[str, ...] = ()  # what a person should know
    nothing: str = ""  # why there is nothing to carry at all, if so

    @property
    def files(self) -> int:
        """How many contents go."""
        return len(self.items)

    @property
    def bytes(self) -> int:
        """How many bytes go, as far as they are recorded."""
        return sum(content.size or 0 for content, _ in self.items)


class Errand(Protocol):
    """One push or pull, of data or of runs."""

    def plan(self) -> Load:
        """Look what has to go. Nothing that counts is changed, here or there."""

    def carry_out(self, load: Load) -> None:
        """Do what was planned. Raises HeddleError; what was there before is then still there."""
