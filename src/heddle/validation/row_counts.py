"""Whether a table has as many rows as declared: in figures, or by the versions it is made of."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from heddle.domain.errors import ConfigError
from heddle.validation.between import distinct
from heddle.validation.contract import RowRange
from heddle.validation.finding import Finding

__all__ = ["row_counts"]


def row_counts(
    frame: pl.DataFrame, wanted: RowRange, others: Mapping[str, pl.DataFrame]
) -> list[Finding]:
    """Return each way in which the number of rows is not the declared one.

    Args:
        frame: the table.
        wanted: what is declared.
        others: the versions that it names.

    Raises:
        ConfigError: one of them is not there, or lacks a column of `by`.
    """
    for name in wanted.versions:
        if name not in others:
            raise ConfigError(
                f"the rows are declared by {name!r}, which the stage does not read",
                wanted=name,
                known=others,
                todo="Name a version that it reads.",
            )
    _check_groups(wanted, others)
    said = filter(None, (_figures(frame, wanted), *_by_versions(frame, wanted, others)))
    has = f"has {frame.height:,} rows"
    return [Finding(column="", rule="rows", words=f"{has}, {words}") for words in said]


def _check_groups(wanted: RowRange, others: Mapping[str, pl.DataFrame]) -> None:
    for column in wanted.by:
        if column not in (known := others[wanted.groups_of].columns):
            raise ConfigError(
                f"the rows are declared by groups of {column!r}, which {wanted.groups_of} has not",
                wanted=column,
                known=known,
            )


def _figures(frame: pl.DataFrame, wanted: RowRange) -> str:
    least, most = wanted.min, wanted.max
    if frame.height >= least and (most is None or frame.height <= most):
        return ""
    if least == most:
        return f"declared are {least:,}"
    return f"declared are {least:,} to {f'{most:,}' if most is not None else 'any number'}"


def _by_versions(
    frame: pl.DataFrame, wanted: RowRange, others: Mapping[str, pl.DataFrame]
) -> list[str]:
    said = []
    if (name := wanted.same_as) and frame.height != (rows := others[name].height):
        said.append(f"{name} has {rows:,}: as many are declared")
    if name := wanted.at_most:
        rows = others[name].height
        if frame.height > rows:
            said.append(f"{name} has {rows:,}: at most as many are declared")
        elif frame.height < wanted.keeps * rows:
            said.append(f"{name} has {rows:,}: at least {wanted.keeps:.4g} of them are declared")
    if name := wanted.groups_of:
        groups = distinct(others[name].select(wanted.by))
        if frame.height != groups:
            by = ", ".join(wanted.by)
            said.append(f"{name} has {groups:,} groups of {by}: as many are declared")
    return said
