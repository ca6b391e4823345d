"""Words of a project's files and models, where Streamlit would read Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

__all__ = ["amount", "large", "plain", "remark"]

_SIGNS = frozenset("\\`*_{}[]<>#|~$:!")


def plain(text: str) -> str:
    r"""Return text that Streamlit shows as it is written.

    >>> plain("a_b [c] $5")
    'a\\_b \\[c\\] \\$5'
    """
    return "".join(f"\\{sign}" if sign in _SIGNS else sign for sign in text)


def amount(value: float) -> str:
    """Return a number as a person reads it: thousands apart, four digits at least.

    >>> amount(207305.4567), amount(0.012341), amount(-12.5)
    ('207,305', '0.01234', '-12.5')
    """
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:,.4g}"


def large(rows: Sequence[Mapping[str, object]], columns: Iterable[str]) -> list[str]:
    """Return those of some columns whose numbers are read more easily with thousands apart.

    >>> large([{"price": 1250.5, "share": 0.0012}, {"price": None}], ["price", "share"])
    ['price']
    """
    found = {name: [row.get(name) for row in rows] for name in columns}
    return [
        name
        for name, values in found.items()
        if any(isinstance(value, int | float) and abs(value) >= 1000 for value in values)
    ]


def remark(flag: str, seen: dict[str, object] | None = None) -> str:
    """Return a flag of the API in words.

    >>> remark("outside_training:size", {"min": 20.0, "max": 100.0})
    '**size** lies outside of the training rows (20 to 100): the model knows nothing there'
    """
    word, _, column = flag.partition(":")
    name = f"**{plain(column)}**"
    if word == "outside_training":
        known = seen or {}
        ends = [known[end] for end in ("min", "max") if isinstance(known.get(end), int | float)]
        between = " (" + " to ".join(f"{end:,.6g}" for end in ends) + ")" if ends else ""
        return f"{name} lies outside of the training rows{between}: the model knows nothing there"
    if word == "unknown_category":
        return f"{name} is a word that no training row had"
    return plain(flag)
