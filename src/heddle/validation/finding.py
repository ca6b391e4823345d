"""One place where a table breaks its contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule of a contract that a table breaks."""

    column: str  # "" where the whole table is meant
    # columns | rows | type | nulls | finite | range | categories | gaps | key | sorted | order |
    # constant
    rule: str
    words: str
    count: int = 1  # rows at fault
    first_row: int | None = None  # from 0
    severity: Literal["refuse", "notice"] = "refuse"
