"""Every error Heddle raises on purpose, and the exit code each one means.

HeddleError            1  our bug, or a stage that failed
├── ConfigError        2  usage or configuration
├── DataContractError  3  the data is not what was declared
├── GateRefused        3  a promotion gate said no
├── IntegrityError     4  bytes are not those that were recorded
├── ResourceError      5  disk or memory
├── BusyError          6  somebody else is at work here
└── InterruptedRun     7  stopped by a signal, can be resumed
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar

__all__ = [
    "BusyError",
    "ConfigError",
    "DataContractError",
    "GateRefused",
    "HeddleError",
    "IntegrityError",
    "InterruptedRun",
    "ResourceError",
    "closest",
]

_SHOWN = 12


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `name`, or None.

    >>> closest("lag_column", ["lag_columns", "drop_columns"])
    'lag_columns'
    """
    found = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


class HeddleError(Exception):
    """What went wrong, where, what exists, what to do: one line for a person, fields for code.

    >>> print(ConfigError("no step 'lag_column'", wanted="lag_column", known=["lag_columns"]))
    no step 'lag_column'; did you mean 'lag_columns'? Known: lag_columns

    Args:
        what: the fault, in the user's words, without a final full stop.
        where: file, key, stage or column in which it was found.
        wanted: the name that was asked for, when it was one of `known` names that was meant.
        known: the names that exist.
        todo: the next thing to do.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        wanted: str | None = None,
        known: Iterable[str] = (),
        todo: str | None = None,
    ) -> None:
        self.what = what
        self.where = where
        self.wanted = wanted
        self.known = tuple(known)
        self.todo = todo
        super().__init__(self._line())

    def _line(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        if self.wanted is not None and (meant := closest(self.wanted, self.known)):
            line += f"; did you mean {meant!r}?"
        if self.known:
            shown = ", ".join(self.known[:_SHOWN])
            more = len(self.known) - _SHOWN
            line = f"{line.rstrip('?.')}{'?' if line.endswith('?') else '.'} Known: {shown}"
            line += f" and {more} more" if more > 0 else ""
        if self.todo:
            line += f". {self.todo}" if not line.endswith((".", "?")) else f" {self.todo}"
        return " ".join(line.split())


class ConfigError(HeddleError):
    """Usage or configuration is wrong: nothing was started."""

    exit_code = 2


class DataContractError(HeddleError):
    """A table is not what was declared: nothing was published."""

    exit_code = 3


class GateRefused(HeddleError):
    """A model did not pass a promotion gate: no alias was moved."""

    exit_code = 3


class IntegrityError(HeddleError):
    """Bytes differ from what was recorded of them: they were not used."""

    exit_code = 4


class ResourceError(HeddleError):
    """Disk or memory ran out: the old outputs are as they were."""

    exit_code = 5


class BusyError(HeddleError):
    """Another run holds this project."""

    exit_code = 6


class InterruptedRun(HeddleError):
    """Stopped by a signal; the same command goes on from here."""

    exit_code = 7
