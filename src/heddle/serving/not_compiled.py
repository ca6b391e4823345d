"""Why a fitted pipeline cannot be turned into a function on plain arrays."""

from __future__ import annotations

from typing import Any

__all__ = ["NotCompiled", "kind"]


class NotCompiled(Exception):
    """A step is none of those that are known by heart; no fault, the pipeline itself answers."""


def kind(thing: Any) -> str:
    """Return the full name of a class, by which steps are known without being imported.

    >>> kind(1.5)
    'builtins.float'
    """
    own = type(thing)
    return f"{own.__module__}.{own.__qualname__}"
