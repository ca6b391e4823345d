"""A smaller table of whole groups, chosen by a seed and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw

from heddle.frames.columns import require
from heddle.frames.engines import settled
from heddle.frames.keys import key_text, with_digest
from heddle.frames.matching import keep_matching

__all__ = ["SampleGroups", "sample_groups"]

_STEP = "sample_groups"
_KEY, _DIGEST = "the key", "its digest"  # no sanitised name has a space
_DIGITS = 13  # of a digest decide about a fraction: 52 bits, what a double holds exactly


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleGroups:
    """What makes a group, and how many of them or which part of them to keep."""

    by: tuple[str, ...]
    groups: int | None = None  # so many, or all if there are fewer
    fraction: float | None = None  # of the groups, in (0, 1]; the number comes out about right
    seed: int

    def __post_init__(self) -> None:
        if not self.by:
            raise ValueError("`by` must name at least one column")
        if (self.groups is None) == (self.fraction is None):
            raise ValueError("give either `groups` or `fraction`")
        if self.groups is not None and self.groups < 1:
            raise ValueError(f"`groups` must be at least 1, not {self.groups}")
        if self.fraction is not None and not 0 < self.fraction <= 1:
            raise ValueError(f"`fraction` must be above 0 and at most 1, not {self.fraction}")


def sample_groups(frame: nw.LazyFrame[Any], cfg: SampleGroups) -> nw.LazyFrame[Any]:
    """Keep all rows of the chosen groups, in their order; null is a key like any other.

    >>> import polars as pl
    >>> sales = nw.from_native(pl.LazyFrame({"shop": ["a", "b", "c", "a"], "sum": [1, 2, 3, 4]}))
    >>> cfg = SampleGroups(by=("shop",), groups=1, seed=1)
    >>> sample_groups(sales, cfg).collect().rows()
    [('a', 1), ('a', 4)]

    Each group draws a number, the digest of seed and key: with `groups` the lowest win, with
    `fraction` those below it. So a group's draw is the same in any table, row order and engine,
    and with `fraction` it stays in or out whatever other groups come or go.

    Raises:
        DataContractError: a key column is not there, or of a type that is no key.
    """
    require(frame, cfg.by, where=_STEP)
    text = nw.concat_str(nw.lit(f"{cfg.seed};"), key_text(frame, cfg.by, where=_STEP))
    keyed = settled(frame.with_columns(text.alias(_KEY)))
    drawn = with_digest(keyed.select(_KEY).unique(), _DIGEST, _KEY)
    if cfg.groups is not None:
        chosen = drawn.sort(_DIGEST).head(cfg.groups)
    else:
        chosen = drawn.filter(nw.col(_DIGEST) < _below(cfg.fraction or 0.0))
    return keep_matching(keyed, chosen, [_KEY], where=_STEP).drop(_KEY)


def _below(fraction: float) -> str:
    """Return the text below which that fraction of all digests lies, as texts are ordered.

    >>> _below(0.5), _below(1.0)
    ('8000000000000', 'g')
    """
    return "g" if fraction == 1 else f"{int(fraction * 16**_DIGITS):0{_DIGITS}x}"
