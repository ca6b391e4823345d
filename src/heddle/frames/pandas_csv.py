"""A table as pandas' `to_csv(index=False)` writes it, byte by byte."""

from __future__ import annotations

import polars as pl

from heddle.domain.errors import DataContractError

__all__ = ["pandas_csv"]

_SMALL = 1e-4  # below it Python writes an exponent, of two digits at least


def pandas_csv(frame: pl.DataFrame, *, where: str) -> pl.DataFrame:
    """Return the table in texts that stand in pandas' file as they are, quoted where necessary.

    >>> pandas_csv(pl.DataFrame({"x": [0.00001, None], "b": [True, False]}), where="v1").rows()
    [('1e-05', 'True'), (None, 'False')]

    Args:
        frame: whole numbers, floats, texts, truth values, dates.
        where: what to call the table in an error.

    Raises:
        DataContractError: a value that is another one, or missing, when that file is read again.
    """
    for name, dtype in frame.schema.items():
        _refuse(frame[name], dtype, where=f"{where}, column {name!r}", alone=frame.width == 1)
    return frame.with_columns(
        _floats(frame[name]) if dtype.is_float() else _truths(frame[name])
        for name, dtype in frame.schema.items()
        if dtype.is_float() or dtype == pl.Boolean
    )


def _floats(column: pl.Series) -> pl.Series:
    told = column.cast(pl.String)
    small = ((column.abs() < _SMALL) & (column != 0)).arg_true()
    return told.scatter(small, [repr(value) for value in column.gather(small).to_list()])


def _truths(column: pl.Series) -> pl.Series:
    return column.replace_strict({True: "True", False: "False"}, return_dtype=pl.String)


def _refuse(column: pl.Series, dtype: pl.DataType, *, where: str, alone: bool) -> None:
    if alone and column.null_count():
        fault = "a missing value, which would be an empty line"
    elif dtype == pl.Float32:
        fault = "floats of 32 bits"
    elif dtype.is_float() and column.is_nan().any():
        fault = "NaN, which would be a missing value"
    elif dtype == pl.String and (column == "").any():
        fault = "an empty text, which would be a missing value"
    elif dtype == pl.String and column.str.contains("\r", literal=True).any():
        fault = "a carriage return, which would end the line"
    else:
        return
    todo = "Use data_storage=csv or parquet."
    raise DataContractError(f"pandas' csv cannot keep {fault}", where=where, todo=todo)
