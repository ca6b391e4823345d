"""How runs are logged: the keys of the group `logging_utils`. They change no number."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from heddle.domain.errors import ConfigError
from heddle.domain.typed import build

__all__ = ["LogSettings", "about_logs", "read_log_settings"]

_GROUP = "logging_utils"
_LEVELS = {
    name: getattr(logging, name) for name in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What `configs/logging_utils/base.yaml` says."""

    level: int | str = "INFO"  # a name, or a number from 1 to 50
    format: Literal["text", "json"] = "text"
    keep: int | None = 50  # the newest so many runs; null: all

    def __post_init__(self) -> None:
        if not 1 <= self.number <= logging.CRITICAL:
            numbers = ", ".join(f"{name} ({number})" for name, number in _LEVELS.items())
            raise ConfigError(
                f"no level {self.level!r}",
                where=f"{_GROUP}.level",
                wanted=str(self.level).upper(),
                known=_LEVELS,
                todo=f"By number: {numbers}." if isinstance(self.level, int) else None,
            )
        if self.keep is not None and self.keep < 1:
            raise ValueError(f"keep must be at least 1, not {self.keep}")

    @property
    def number(self) -> int:
        """The level as Python's logging counts it; 0 when there is none of that name.

        >>> LogSettings(level="debug").number, LogSettings(level=25).number
        (10, 25)
        """
        word = str(self.level)
        return int(word) if word.isdecimal() else _LEVELS.get(word.upper(), 0)


def about_logs(override: str) -> bool:
    """Tell whether an override is about logs alone, and so no part of what is run.

    >>> about_logs("+logging_utils.level=10"), about_logs("world.cores=1")
    (True, False)
    """
    return override.lstrip("+").startswith(f"{_GROUP}.")


def read_log_settings(config: Mapping[str, Any]) -> LogSettings:
    """Return how a composed configuration wants runs logged; what is not said is default.

    Raises:
        ConfigError: an unknown key or level, a value of another type.
    """
    told = config.get(_GROUP) or {}
    if not isinstance(told, Mapping):
        raise ConfigError(f"must be a mapping, not {told!r}", where=_GROUP)
    return build(LogSettings, told, where=_GROUP)
