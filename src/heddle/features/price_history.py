"""Features of a price history, worked out when they are wanted and never kept.

A feature of row t is a function of rows t - lookback … t of its own series, and of nothing else:
not of a later row, not of other series, not of how much history there is. Each window is added up
by itself (`heddle.features.rolling`), so this holds to the bit: what was computed on a prefix is
what the whole history gives there, and the last `lookback + 1` rows give today's features as a
batch over decades does. Exponential averages have no end by definition; here they are cut after
`settle` spans, where exp(-2 settle) of their weight is left (0.005 % at 5), and normalised.

No feature is a price level: a tree knows no price above those it was trained on, and a line fitted
to levels follows the trend. Prices and dollars come in as ratios, so that a split, another
currency, or twice the price give the same features, bit for bit where the factor is a power of 2.
What each name means is in the table of `heddle.features.price_formulas`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from heddle.domain.errors import ConfigError, DataContractError
from heddle.features import price_formulas as of
from heddle.features.bars import Bars, Formula
from heddle.features.rolling import Floats

__all__ = ["PriceHistory", "price_features", "price_features_at_end"]

_WHERE = "price history"
_PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceHistory:
    """Which columns hold the prices, and how far back each kind of feature looks, in rows."""

    reads: str = "v1"  # the data version with the full history
    time: str = "session"  # dates, or times of day, or whole numbers; rising in each series
    by: str | None = None  # tells the series of a panel apart; null: the table is one series
    open: str = "open"
    high: str = "high"
    low: str = "low"
    close: str = "close"
    volume: str = "volume"
    lags: tuple[int, ...] = (1, 2, 3, 5, 10, 20)  # of the return over one row
    spans: tuple[int, ...] = (1, 5, 10, 20)  # over which returns are taken
    windows: tuple[int, ...] = (5, 10, 20, 60)  # of rolling figures, at least 3
    ewm: tuple[int, ...] = (20,)  # spans of the exponentially weighted volatility
    rsi: int = 14
    macd: tuple[int, int, int] = (12, 26, 9)
    atr: int = 14
    bollinger: int = 20
    settle: int = 5  # spans after which an exponential average is cut
    calendar: bool = True  # weekday and end of month; `time` must be a date or a time of day
    others: tuple[str, ...] = ()  # columns that are no prices (rates, spreads); may begin late
    markets: tuple[str, ...] = ()  # prices besides (an index); may begin late

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            numbers = getattr(self, name)
            for n in numbers if isinstance(numbers, tuple) else (numbers,):
                if n < least:
                    raise ValueError(f"{name} >= {least} must hold, but got {n}")
        if self.macd[0] >= self.macd[1]:
            raise ValueError(f"macd is (fast, slow, signal) with fast < slow, not {self.macd}")
        named = [*self.columns, *self.names]
        if twice := sorted({n for n in named if named.count(n) > 1}):
            raise ValueError(f"named twice: {', '.join(twice)}")

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns that are read, those of the key first."""
        key = (self.time,) if self.by is None else (self.by, self.time)
        bars = (self.open, self.high, self.low, self.close, self.volume)
        return (*key, *bars, *self.others, *self.markets)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in their order.

        >>> len(PriceHistory().names), PriceHistory().names[:2]
        (66, ('return_lag_1', 'return_lag_2'))
        """
        return tuple(formula.name for formula in self.formulas())

    @property
    def lookback(self) -> int:
        """Rows before t that the features of t need: with fewer, one of them is null.

        >>> PriceHistory().lookback
        173
        """
        return max(formula.lookback for formula in self.formulas())

    def formulas(self) -> list[Formula]:
        """What is computed, in the order of `names`."""
        found = [
            *of.returns(self.lags, self.spans),
            *of.shapes(self.windows),
            *of.bands(self.windows, self.bollinger),
            *of.volatility(self.ewm, self.settle),
            *of.of_the_day(),
            *of.wilder(self.rsi, self.atr, self.settle),
            *of.macd(*self.macd, self.settle),
        ]
        if self.calendar:
            found += of.calendar()
        for column in self.others:
            found += of.others(column, self.spans)
        for column in self.markets:
            found += of.markets(column, self.spans)
        return found


_LEAST = {
    **dict.fromkeys(("lags", "spans", "ewm", "rsi", "macd", "atr", "settle"), 1),
    "windows": 3,
    "bollinger": 2,
}


def price_features(history: pl.DataFrame, spec: PriceHistory) -> pl.DataFrame:
    """Return the features of every row, in the order of the rows; null while a window is not full.

    The rows of several series may be mixed as they like, each series in the order of its time.

    Returns:
        Key column(s), then Float64 columns `spec.names`.

    Raises:
        ConfigError: `spec.calendar` over times that are no dates.
        DataContractError: a column is absent or no number; a price is null, not finite, zero or
            negative; a volume is null, not finite or negative; times are null, repeated or not
            rising; no series is long enough for all its features to be known in one row.
    """
    _complete(history, spec)
    numbers = dict(_numbers(history, spec))
    days = _days(history[spec.time]) if spec.calendar else np.empty(history.height, "M8[D]")
    formulas = spec.formulas()
    made = {formula.name: np.full(history.height, np.nan) for formula in formulas}
    for rows in _long_enough(_in_time(history, spec), formulas):
        prices = {name: numbers[getattr(spec, name)][rows] for name in (*_PRICES, "volume")}
        more = {name: numbers[name][rows] for name in (*spec.others, *spec.markets)}
        bars = Bars(prices, days[rows], more)
        for formula in formulas:
            made[formula.name][rows] = formula.of(bars)
    # each array is let go as soon as Polars has its values
    columns = (pl.Series(name, made.pop(name), nan_to_null=True) for name in spec.names)
    return history.select(_key(spec)).with_columns(columns)


def price_features_at_end(tail: pl.DataFrame, spec: PriceHistory) -> pl.DataFrame:
    """Return the features of the last row of each series.

    Rows before the last `spec.lookback + 1` of a series are not looked at, so a long history costs
    no more than a short one.

    Raises:
        DataContractError: as `price_features`.
    """
    _complete(tail, spec)
    rows = spec.lookback + 1
    if spec.by is None:
        return price_features(tail.tail(rows), spec).tail(1)
    last = tail.select(spec.columns).group_by(spec.by, maintain_order=True).tail(rows)
    return price_features(last, spec).group_by(spec.by, maintain_order=True).tail(1)


def _key(spec: PriceHistory) -> list[str]:
    return [spec.time] if spec.by is None else [spec.by, spec.time]


def _complete(history: pl.DataFrame, spec: PriceHistory) -> None:
    for name in spec.columns:
        if name not in history.columns:
            raise DataContractError(
                f"no column {name!r}", where=_WHERE, wanted=name, known=history.columns
            )
    for name in _key(spec):
        if nulls := history[name].null_count():
            raise DataContractError(
                f"column {name!r} is null in {nulls:,} {'row' if nulls == 1 else 'rows'}",
                where=_WHERE,
            )


def _numbers(history: pl.DataFrame, spec: PriceHistory) -> Iterator[tuple[str, Floats]]:
    prices = {getattr(spec, name) for name in _PRICES}
    for name in spec.columns[len(_key(spec)) :]:
        column = history[name]
        if not column.dtype.is_numeric():
            raise DataContractError(
                f"column {name!r} must be numbers, not {column.dtype}", where=_WHERE
            )
        values = column.cast(pl.Float64).to_numpy()
        if name in (*spec.others, *spec.markets):
            with np.errstate(invalid="ignore"):
                wrong = np.isinf(values) | ((values <= 0) if name in spec.markets else False)
        else:
            with np.errstate(invalid="ignore"):
                right = values > 0 if name in prices else values >= 0
            wrong = ~(right & np.isfinite(values))
        if wrong.any():
            raise _unfit(history, spec, name, np.flatnonzero(wrong))
        yield name, values


def _unfit(
    history: pl.DataFrame, spec: PriceHistory, name: str, rows: NDArray[np.intp]
) -> DataContractError:
    more = f", and so {len(rows) - 1:,} more" if len(rows) > 1 else ""
    said = "must be finite" if name in spec.others else "must be finite and above zero"
    if name == spec.volume:
        said = "must be finite and not negative"
    found = history[name][int(rows[0])]
    return DataContractError(
        f"{name} is {'null' if found is None else found} in the row of "
        f"{_named(history, spec, rows[0])}{more}; it {said}",
        where=_WHERE,
        todo="Drop or mend these rows in the source: nothing is filled here.",
    )


def _named(history: pl.DataFrame, spec: PriceHistory, row: Any) -> str:
    return ", ".join(f"{name}={history[name][int(row)]}" for name in _key(spec))


def _days(time: pl.Series) -> NDArray[Any]:
    if time.dtype not in (pl.Date, pl.Datetime):
        raise ConfigError(
            f"the calendar needs dates; {time.name!r} is {time.dtype}",
            where=_WHERE,
            todo="Set calendar to false, or make the column a date.",
        )
    return (time if time.dtype == pl.Date else time.dt.date()).to_numpy().astype("M8[D]")


def _in_time(history: pl.DataFrame, spec: PriceHistory) -> list[Any]:
    """Return the rows of each series: a slice or their numbers."""
    column = history[spec.time]
    if not (column.dtype.is_integer() or column.dtype in (pl.Date, pl.Datetime)):
        raise DataContractError(
            f"column {spec.time!r} must be dates, times or whole numbers, not {column.dtype}",
            where=_WHERE,
        )
    times = column.to_physical().cast(pl.Int64).to_numpy()
    series: list[Any] = [slice(0, history.height)]
    if spec.by is not None:
        numbered = pl.DataFrame({"series": history[spec.by]}).with_row_index("row")
        groups = numbered.group_by("series", maintain_order=True).agg("row")["row"]
        series = [rows.to_numpy() for rows in groups]
    for rows in series:
        wrong = np.flatnonzero(np.diff(times[rows]) <= 0)
        if len(wrong):
            places = np.arange(history.height)[rows]
            before, row = places[wrong[0]], places[wrong[0] + 1]
            twice = times[before] == times[row]
            after = "stands twice" if twice else f"comes after {column[int(before)]}"
            raise DataContractError(
                f"{_named(history, spec, row)} {after}",
                where=_WHERE,
                todo="Drop one of the rows." if twice else f"Sort the rows by {spec.time}.",
            )
    return series


def _long_enough(series: Sequence[Any], formulas: Sequence[Formula]) -> Sequence[Any]:
    lengths = [r.stop if isinstance(r, slice) else len(r) for r in series]
    longest = max(lengths, default=0)
    far = max(formulas, key=lambda formula: formula.lookback)
    if longest <= far.lookback:
        raise DataContractError(
            f"{far.name} needs {far.lookback + 1:,} rows; "
            f"the {'history' if len(series) < 2 else 'longest series'} has {longest:,}",
            where=_WHERE,
            todo="Fetch a longer history, or look less far back.",
        )
    return series
