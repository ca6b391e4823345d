"""What a new download says otherwise about days that were known already.

Prices are told adjusted for splits, and one column for dividends, too, so that a split or a
dividend moves all earlier days by one factor: that is news, no revision. Nor is a volume of the
last session that was kept, if it is otherwise by a little: exchanges count late trades, and who
asked an hour after the close was told before that. Anything else is a revision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from heddle.infrastructure.sources.yahoo_chart import PRICES, Split

__all__ = ["LATE", "Differences", "differences"]

_SAME = 1e-6  # of a price: floats of four bytes are told
_STEADY = 1e-5  # of a factor: less than the smallest dividend moves it
_SCALED_VOLUME = 1e-3  # of a volume: whole shares are told after a split
_LEAST = 5  # sessions: events that follow one another faster are taken for a revision
_SHOWN = 3
LATE = 0.1  # of the volume of the last session that was kept: late trades; of its prices nothing

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Differences:
    """What is otherwise; both may be empty."""

    revised: Mapping[date, str]  # session -> what of it, in the order of days
    news: tuple[str, ...]  # splits, dividends and late trades, in words

    @property
    def words(self) -> str:
        """The revised sessions: how many, and the first of them.

        >>> Differences({date(2024, 1, 2): "close 1 -> 2"}, ()).words
        '1 session: 2024-01-02 (close 1 -> 2)'
        """
        count = len(self.revised)
        shown = [f"{day} ({what})" for day, what in list(self.revised.items())[:_SHOWN]]
        more = f" and {count - _SHOWN:,} more, the last {max(self.revised)}"
        told = f"{count:,} session{'s' * (count > 1)}: {', '.join(shown)}"
        return told + more * (count > _SHOWN)


def differences(
    old: pl.DataFrame,
    new: pl.DataFrame,
    *,
    splits: Sequence[Split] = (),
    since: date | None = None,
    until: date | None = None,
) -> Differences:
    """Compare two tables of bars on the days that both were to hold.

    Args:
        old: bars by `session`.
        new: the same of a later time.
        splits: those that `old` could not know.
        since: the first day that `new` was to hold.
        until: the last one.
    """
    held: list[date] = old["session"].sort().to_list()
    first = max(held[0], since or held[0])
    last = min(held[-1], until or held[-1])
    inside = pl.col("session").is_between(first, last)
    was, now = (t.filter(inside).sort("session") for t in (old, new))
    both = was.join(now, on="session", suffix="_now", maintain_order="left")
    scale = _scale(both["session"], splits)
    revised = dict.fromkeys(_missing(was, now), "gone")
    revised |= dict.fromkeys(_missing(now, was), "not there before")
    changed, late = _changed(both, scale, newest=held[-1])
    revised |= changed
    steady = ~both["session"].is_in(list(revised))
    adjusted, news = _adjusted(both.filter(steady), scale[steady.to_numpy()])
    revised |= adjusted
    told = [_of_split(split) for split in splits if both.height and split.day > first]
    return Differences(dict(sorted(revised.items())), (*told, *news, *late))


def _missing(one: pl.DataFrame, other: pl.DataFrame) -> list[date]:
    return one.join(other, on="session", how="anti")["session"].to_list()


def _scale(days: pl.Series, splits: Sequence[Split]) -> Floats:
    """Return by what the splits multiply the prices of each day."""
    scale = np.ones(len(days))
    for split in splits:
        scale[(days < split.day).to_numpy()] /= split.ratio
    return scale


def _changed(
    both: pl.DataFrame, scale: Floats, *, newest: date
) -> tuple[dict[date, str], list[str]]:
    """Return the days of which a raw price or the volume is otherwise, and the first that is.

    Besides them come words for a volume of the newest day that late trades explain.
    """
    days = both["session"].to_list()
    found: dict[date, str] = {}
    late: list[str] = []
    for name in ("volume", *reversed(PRICES)):  # the first price has the last word
        was, now = both[name], both[f"{name}_now"]
        power = -1.0 if name == "volume" else 1.0
        wanted = was.cast(pl.Float64).to_numpy() * scale**power
        room = np.where(scale == 1, 0.0 if name == "volume" else _SAME, _rough(name))
        seen = now.cast(pl.Float64).to_numpy()
        same = np.abs(seen - wanted) <= room * np.abs(wanted)
        same |= was.is_null().to_numpy() & now.is_null().to_numpy()
        for place in np.flatnonzero(~same).tolist():
            words = f"{name} {_shown(was[place])} -> {_shown(now[place])}"
            gap = abs(seen[place] - wanted[place])
            if name == "volume" and days[place] == newest and gap <= LATE * wanted[place]:
                late = [f"{words} on {newest}, the last session that was kept: late trades"]
            else:
                found[days[place]] = words
    return found, [] if newest in found else late


def _rough(name: str) -> float:
    return _SCALED_VOLUME if name == "volume" else 10 * _SAME


def _adjusted(both: pl.DataFrame, scale: Floats) -> tuple[dict[date, str], list[str]]:
    """Return adjusted closes that moved by themselves, and words for those that moved together."""
    days = both["session"].to_list()
    was, now = both["adj_close"], both["adj_close_now"]
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = now.to_numpy() / (was.to_numpy() * scale)
    told = np.isfinite(factor)
    odd = np.flatnonzero(~told & was.ne_missing(now).to_numpy()).tolist()
    places = np.flatnonzero(told)
    factor = factor[places]
    pieces = _pieces(factor)
    stood = False  # whether days before these have not moved: no event does that
    for start, end in pieces:
        moved = not _one(factor[end - 1])
        if (moved and stood) or (end - start < _LEAST and end < factor.size):
            odd += places[start:end].tolist()
        stood |= not moved
    if odd:
        words = {days[p]: f"adj_close {_shown(was[p])} -> {_shown(now[p])}" for p in sorted(odd)}
        return words, []
    return {}, [
        f"adj_close of sessions up to {days[places[end - 1]]} is {factor[end - 1]:.6g} times "
        "what it was: a dividend or another adjustment since"
        for _, end in pieces
        if not _one(factor[end - 1])
    ]


def _pieces(factor: Floats) -> list[tuple[int, int]]:
    """Return from where to where the factor is steady, as ranges of rows."""
    if not factor.size:
        return []
    breaks, reference = [factor.size], factor[-1]
    for place in range(factor.size - 2, -1, -1):
        if not abs(factor[place] / reference - 1) <= _STEADY:
            breaks.append(place + 1)
            reference = factor[place]
    breaks.append(0)
    return list(pairwise(reversed(breaks)))


def _one(factor: float) -> bool:
    return abs(factor - 1) <= _STEADY


def _of_split(split: Split) -> str:
    return (
        f"a split of {split.ratio:g} to 1 on {split.day}: earlier prices are told divided "
        f"by {split.ratio:g}"
    )


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.8g}"
