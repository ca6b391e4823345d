"""Column names: from whatever a file's header says to names that are safe everywhere."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

from heddle.domain.errors import DataContractError

__all__ = ["cleaned", "column_names", "sanitise", "slug"]

_ZERO_WIDTH = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_RUNS = re.compile(r"[^a-z0-9]+")


def cleaned(header: str) -> str:
    """Return a header as a person sees it: composed (NFC), no zero-width marks, trimmed.

    >>> cleaned(" cafe\u0301\u200b ") == "caf\u00e9"
    True
    """
    return unicodedata.normalize("NFC", header).translate(_ZERO_WIDTH).strip()


def slug(header: str) -> str:
    """Return the ASCII snake_case name of one header; "" if nothing of it is a letter or digit.

    >>> slug("Zip Code - 3 digits"), slug("Größe (m²)"), slug("###")
    ('zip_code_3_digits', 'grosse_m2', '')
    """
    folded = unicodedata.normalize("NFKD", cleaned(header).casefold())
    bare = "".join(c for c in folded if not unicodedata.combining(c))
    return _RUNS.sub("_", bare.lower()).strip("_")


def sanitise(headers: Sequence[str], *, where: str = "header") -> tuple[str, ...]:
    """Return one unique ASCII snake_case name per header, in the same order.

    >>> sanitise(["Net Price", "shop-kind"])
    ('net_price', 'shop_kind')

    Args:
        headers: as they stand in the file.
        where: what to call the place in an error.

    Raises:
        DataContractError: a blank header, one without a letter or digit, the same header twice,
            or two headers that would get one name.
    """
    first: dict[str, int] = {}
    names: list[str] = []
    for place, header in enumerate(headers, start=1):
        seen = cleaned(header)
        name = _named(seen, place, where)
        if name in first:
            raise _clash(cleaned(headers[first[name] - 1]), seen, (first[name], place), name, where)
        first[name] = place
        names.append(name)
    return tuple(names)


def column_names(
    headers: Sequence[str],
    how: Literal["sanitise", "keep"] = "sanitise",
    unnamed: str = "",
    *,
    where: str = "header",
) -> tuple[str, ...]:
    """Return the names that the columns of a raw file get: sanitised, or as a person sees them.

    >>> column_names(["", "Net Price "], "keep", "row")
    ('row', 'Net Price')

    Args:
        headers: as they stand in the file.
        how: "sanitise", or "keep" to leave that to a later step.
        unnamed: the name of a column without a header; "" refuses one.
        where: what to call the place in an error.

    Raises:
        DataContractError: as `sanitise`; headers that are kept need only be there and differ.
    """
    told = [unnamed if not cleaned(header) else header for header in headers]
    if how == "sanitise":
        return sanitise(told, where=where)
    seen: dict[str, int] = {}
    for place, header in enumerate(map(cleaned, told), start=1):
        if not header:
            raise _blank(place, where)
        if header in seen:
            raise _clash(header, header, (seen[header], place), header, where)
        seen[header] = place
    return tuple(seen)


def _named(header: str, place: int, where: str) -> str:
    if not header:
        raise _blank(place, where)
    if name := slug(header):
        return name
    raise DataContractError(
        f"header {header!r} (column {place}) has no letter or digit to make a name of",
        where=where,
        todo="Rename it in the first line of the file.",
    )


def _blank(place: int, where: str) -> DataContractError:
    return DataContractError(
        f"column {place} has a blank header",
        where=where,
        todo="Give every column a name in the first line of the file.",
    )


def _clash(one: str, two: str, places: tuple[int, int], name: str, where: str) -> DataContractError:
    a, b = places
    what = (
        f"header {one!r} stands twice (columns {a} and {b})"
        if one == two
        else f"headers {one!r} (column {a}) and {two!r} (column {b}) both become {name!r}"
    )
    return DataContractError(what, where=where, todo="Rename or remove one of them in the file.")
