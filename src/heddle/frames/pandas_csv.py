"""A table as pandas' `to_csv(index=False)` writes it, byte by byte."""

from __future__ import annotations

import polars as pl

from heddle.domain.errors import DataContractError

__all__ = ["pandas_csv"]

_SMALL = 1e-4  # below it Python writes an exponent, of two digits at least
_OTHERS = (pl.String, pl.Boolean, pl.Date)
_EXACT = 2.0**53  # up to it, floats hold every whole number


def pandas_csv(frame: pl.DataFrame, *, where: str) -> pl.DataFrame:
    """Return the table in texts that stand in pandas' file as they are, quoted where necessary.

    Whole numbers are floats to pandas where one is missing.

    >>> pandas_csv(pl.DataFrame({"x": [0.00001, None], "b": [True, False]}), where="v1").rows()
    [('1e-05', 'True'), (None, 'False')]
    >>> pandas_csv(pl.DataFrame({"n": [1, 2], "m": [1, None]}), where="v1").rows()
    [(1, '1.0'), (2, None)]

    Args:
        frame: whole numbers, floats, texts, truth values, dates.
        where: what to call the table in an error.

    Raises:
        DataContractError: a value that is another one, or missing, when that file is read again.
    """
    for name, dtype in frame.schema.items():
        _refuse(frame[name], dtype, where=f"{where}, column {name!r}", alone=frame.width == 1)
    return frame.with_columns(_told(frame[name]) for name in frame.columns)


def _told(column: pl.Series) -> pl.Series:
    if column.dtype == pl.Boolean:
        return _truths(column)
    if column.dtype.is_float() or _as_floats(column):
        return _floats(column.cast(pl.Float64))
    return column


def _as_floats(column: pl.Series) -> bool:
    return column.dtype.is_integer() and column.null_count() > 0


def _floats(column: pl.Series) -> pl.Series:
    told = column.cast(pl.String)
    small = ((column.abs() < _SMALL) & (column != 0)).arg_true()
    return told.scatter(small, [repr(value) for value in column.gather(small).to_list()])


def _truths(column: pl.Series) -> pl.Series:
    return column.replace_strict({True: "True", False: "False"}, return_dtype=pl.String)


def _refuse(column: pl.Series, dtype: pl.DataType, *, where: str, alone: bool) -> None:
    if alone and column.null_count():
        fault = "a missing value, which would be an empty line"
    elif not (dtype.is_integer() or dtype.is_float() or dtype in _OTHERS):
        fault = f"the type {str(dtype).lower()}"
    elif _as_floats(column) and (column.cast(pl.Float64).abs() >= _EXACT).any():
        fault = "a whole number of 2**53 or more beside a missing one"
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
