"""What MLflow accepts as a name, a value and a batch."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

__all__ = ["batches", "fitting_params", "key"]

T = TypeVar("T")
_LONGEST_KEY = 250
_LONGEST_PARAM = 6000
_REFUSED = re.compile(r"[^\w\-. /]")


def key(name: str) -> str:
    """Return `name` with what MLflow refuses in a name replaced by `_`.

    >>> key("alpha[0]")
    'alpha_0_'
    """
    safe = _REFUSED.sub("_", name).strip("/") or "_"
    if len(safe) <= _LONGEST_KEY:
        return safe
    return f"{safe[: _LONGEST_KEY - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def fitting_params(values: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return values short enough for MLflow, and the whole of the others by artefact path."""
    short: dict[str, str] = {}
    whole: dict[str, str] = {}
    for name, value in values.items():
        if len(value) <= _LONGEST_PARAM:
            short[name] = value
            continue
        path = f"params/{name.replace('/', '_')}.txt"
        note = f" ... (whole in the artefact {path})"
        short[name] = value[: _LONGEST_PARAM - len(note)] + note
        whole[path] = value
    return short, whole


def batches(items: Sequence[T], size: int) -> Iterator[list[T]]:
    """Cut a sequence into lists of at most `size` items.

    >>> list(batches("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
