"""Names that may become paths, commands or keys, and the paths they become."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from heddle.domain.errors import ConfigError

__all__ = ["checked_name", "inside", "key_columns", "natural"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def checked_name(name: object, *, what: str) -> str:
    """Return `name` when it is safe as a file name, a command word and a YAML key.

    >>> checked_name("v5_1", what="data version")
    'v5_1'

    Raises:
        ConfigError: it is not 1 to 64 letters, digits, dots, dashes and underscores that start
            with a letter or a digit.
    """
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    raise ConfigError(
        f"{name!r} is not a {what} name",
        todo="Use 1 to 64 letters, digits, '.', '_' or '-', the first a letter or a digit.",
    )


def inside(root: Path, relative: str, *, what: str) -> Path:
    """Return `root / relative`, refused when it would lie outside `root` once links are followed.

    Raises:
        ConfigError: the path is absolute, climbs out, or passes through a link that leads out.
    """
    path = root / relative
    out = "\0" in relative or Path(relative).is_absolute()
    if out or not path.resolve().is_relative_to(root.resolve()):
        raise ConfigError(
            f"{relative!r} lies outside the project",
            where=what,
            todo="Name a path below the project's folder.",
        )
    return path


def key_columns(key: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that together name a row: one, or several.

    >>> key_columns("row_id"), key_columns(("year", "shop"))
    (('row_id',), ('year', 'shop'))
    """
    return (key,) if isinstance(key, str) else key


def natural(names: Iterable[str]) -> list[str]:
    """Sort names so that v2 comes before v10.

    >>> natural(["v10", "v2", "split", "v5_1", "v5"])
    ['split', 'v2', 'v5', 'v5_1', 'v10']
    """

    def key(name: str) -> list[tuple[int, int, str]]:
        parts = re.split(r"(\d+)", name)
        return [(1, int(p), "") if p.isdecimal() else (0, 0, p) for p in parts]

    return sorted(names, key=key)
