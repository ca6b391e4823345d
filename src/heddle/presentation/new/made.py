"""What became of a `heddle new`, for whoever shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Made"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was written, and what to do next."""

    what: str
    folder: Path  # of the project
    written: Mapping[str, str]  # path below the folder -> what it is for
    edit: Mapping[str, str] = field(default_factory=dict)  # path below the folder -> what to say
    run: Mapping[str, str] = field(default_factory=dict)  # command in the folder -> what it does
    notices: tuple[str, ...] = ()
