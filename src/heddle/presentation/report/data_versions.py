"""What the data versions hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from heddle.domain.entities import TableInfo
from heddle.presentation.report.markup import (
    Column,
    Html,
    Section,
    absent,
    code,
    el,
    folded,
    join,
    para,
    table,
)
from heddle.presentation.report.wording import NONE, number, plural, share, size, value

__all__ = ["column_parts", "data_section", "origin"]

_TEXT = 32  # characters of a value that a cell shows
_VERSIONS = (
    Column("Version"),
    Column("Made by"),
    Column("Rows", number=True),
    Column("Columns", number=True),
    Column("Missing cells", number=True),
    Column("Size", number=True),
    Column("Content hash", hint="of schema and rows, whatever their order"),
)
_COLUMNS = (
    Column("Column"),
    Column("Type"),
    Column("Missing", number=True),
    Column("Distinct", number=True),
    Column("Min", number=True),
    Column("Median", number=True),
    Column("Max", number=True),
)


def data_section(versions: Sequence[TableInfo]) -> Section:
    """Return the chapter about data versions."""
    if not versions:
        return Section("Data", "data", absent("No data version has been published yet."))
    first = versions[0]
    parts = [
        para(
            f"{plural(len(versions), 'data version')}; {first.version} has "
            f"{plural(first.rows, 'row')}. Equal content hashes mean equal rows."
        ),
        origin(first.made_by),
        table("Data versions", _VERSIONS, [_version(info) for info in versions]),
        column_parts(versions),
    ]
    return Section("Data", "data", join(parts))


def column_parts(versions: Sequence[TableInfo]) -> Html:
    """Return the columns of each version, which open on a click."""
    return join(_columns(info, opened=len(versions) == 1) for info in versions)


def origin(made_by: Mapping[str, Any]) -> Html | None:
    """Return where the raw file came from; None if that is not known."""
    if not made_by.get("origin"):
        return None
    return para(
        "Origin: ",
        code(made_by["origin"]),
        f"; licence {value(made_by.get('licence'))}; sha256 ",
        code(str(made_by.get("sha256") or NONE)[:16], title=made_by.get("sha256")),
        ".",
    )


def _version(info: TableInfo) -> list[object]:
    nulls = sum(told.get("nulls") or 0 for told in info.columns.values())
    return [
        info.version,
        _maker(info.made_by),
        number(info.rows),
        number(len(info.columns)),
        number(nulls),
        size(info.size_bytes),
        code(info.content_hash[:12], title=info.content_hash),
    ]


def _maker(made_by: Mapping[str, Any]) -> str:
    steps = made_by.get("steps") or [made_by.get("step") or made_by.get("stage")]
    return value(list(steps)) if any(steps) else NONE


def _columns(info: TableInfo, *, opened: bool) -> Html:
    rows = [
        [
            name,
            value(told.get("type")),
            _missing(told.get("nulls"), info.rows),
            number(told.get("distinct")),
            _shown(told.get("min")),
            _shown(told.get("p50")),
            _shown(told.get("max")),
        ]
        for name, told in info.columns.items()
    ]
    made = table(f"Columns of {info.version}", _COLUMNS, rows)
    words = f"{info.version}: {plural(len(info.columns), 'column')}"
    return folded(words, made, opened=opened)


def _missing(nulls: Any, rows: int) -> str:
    if not nulls:
        return number(nulls)
    return f"{number(nulls)} ({share(nulls, rows)})"


def _shown(given: Any) -> object:
    text = value(given)
    short = text if len(text) <= _TEXT else f"{text[: _TEXT - 1]}…"
    return el("span", short, title=text) if short != text else short
