"""Cells of a table that a person opens in a spreadsheet."""

from __future__ import annotations

__all__ = ["escaped"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def escaped(text: str) -> str:
    """Return `text` so that a spreadsheet shows it and does not run it.

    >>> escaped("=1+1"), escaped("is missing")
    ("'=1+1", 'is missing')
    """
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
