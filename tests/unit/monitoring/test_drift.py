"""Rows like those of training raise no alarm; each kind of change raises its own."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError, DataContractError
from heddle.monitoring.drift import Limits, drift, psi

ROWS = 2000
NAMES = ("size", "age", "place")


def rows(seed: int, n: int = ROWS) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    age = rng.integers(1, 52, n).astype(float)
    age[rng.random(n) < 0.02] = np.nan
    return pl.DataFrame(
        {
            "size": rng.lognormal(7, 0.6, n),
            "age": age,
            "place": rng.choice(["inland", "bay", "ocean"], n, p=[0.5, 0.3, 0.2]),
        }
    )


def alarms(current: pl.DataFrame, limits: Limits | None = None) -> dict[str, set[str]]:
    found = drift(rows(1), current, NAMES, limits or Limits())
    return {c.column: {f.what for f in c.alarms} for c in found if c.alarms}


def test_rows_of_the_same_kind_are_no_alarm():
    """At most one in a hundred reports may cry wolf; here 40 bootstraps and 20 fresh tables."""
    reference = rows(1)
    for seed in range(40):
        assert alarms(reference.sample(800, with_replacement=True, seed=seed)) == {}
    assert sum(alarms(rows(100 + seed, 800)) != {} for seed in range(20)) <= 1


@pytest.mark.parametrize(
    ("what", "change", "expected"),
    [
        ("half a sd", pl.col("age") + 7.5, {"age": {"distribution", "unseen"}}),
        ("other unit", pl.col("size") / 10.764, {"size": {"distribution", "unseen"}}),
        ("far out", pl.when(pl.int_range(pl.len()) % 20 == 0).then(1e6).otherwise("size"), None),
        ("gaps", pl.when(pl.int_range(pl.len()) % 10 == 0).then(None).otherwise("age"), None),
        (
            "new",
            pl.when(pl.int_range(pl.len()) % 20 == 0).then(pl.lit("isle")).otherwise("place"),
            None,
        ),
    ],
)
def test_each_change_is_told_under_its_name(what, change, expected):
    """A shift, swapped units, values out of range, gaps, a new category."""
    name = {"half a sd": "age", "gaps": "age", "new": "place"}.get(what, "size")
    found = alarms(rows(2).with_columns(change.alias(name)))
    if expected is not None:
        assert found == expected
    else:
        wanted = "missing" if what == "gaps" else "unseen"
        assert list(found) == [name]
        assert wanted in found[name]


def test_the_words_say_from_what_to_what():
    """A person reads them without the figures beside."""
    current = rows(2).with_columns(
        place=pl.when(pl.int_range(pl.len()) < 100).then(pl.lit("isle")).otherwise("place")
    )
    (column,) = drift(rows(1), current, ["place"], Limits())
    told = {f.what: f.words for f in column.findings}
    assert told["unseen"] == "100 of 2,000 rows never seen: 'isle'"
    assert told["missing"] == "missing 0.0% -> 0.0%"
    assert told["distribution"].startswith("'new ones' 0.0% -> 5.0%, PSI 0.2")


def test_what_cannot_be_compared_is_refused():
    """A column that is not there, too few rows."""
    with pytest.raises(ConfigError, match="no column 'sice'; did you mean 'size'"):
        drift(rows(1), rows(2), ["sice"], Limits())
    with pytest.raises(DataContractError, match="9 current rows are too few to compare"):
        drift(rows(1), rows(2, 9), NAMES, Limits())
    with pytest.raises(ValueError, match="level"):
        Limits(level=1.0)
    with pytest.raises(ValueError, match="bins"):
        Limits(bins=1)


def test_a_column_that_was_never_or_is_never_known_is_judged_by_its_gaps():
    """No quantile of nothing."""
    empty = pl.Series("age", [None] * ROWS, dtype=pl.Float64)
    assert alarms(rows(2).with_columns(age=empty)) == {"age": {"missing"}}
    blank = pl.Series("place", [None] * ROWS, dtype=pl.String)
    assert alarms(rows(2).with_columns(place=blank)) == {"place": {"missing"}}


counts = st.lists(st.integers(0, 500), min_size=2, max_size=8)


@given(counts, st.randoms())
def test_the_index_is_zero_for_equals_never_negative_and_symmetric(one, random):
    """A divergence."""
    other = one[:]
    random.shuffle(other)
    assert psi(one, one) == 0
    assert psi(one, other) == pytest.approx(psi(other, one))
    assert psi(one, other) >= 0


def test_many_rare_categories_are_no_alarm():
    """Three hundred, most of them rare: few current rows have other ones, and some new ones."""
    draws = np.random.default_rng(0)
    weights = 1 / np.arange(1, 301) ** 1.2
    names = np.array([f"c{number}" for number in range(300)])

    def table(count: int, share: np.ndarray) -> pl.DataFrame:
        return pl.DataFrame({"code": draws.choice(names, count, p=share / share.sum())})

    reference, other = table(10_000, weights), weights.copy()
    other[50:100] *= 4
    for count in (100, 300):
        found = [drift(reference, table(count, weights), ["code"], Limits()) for _ in range(40)]
        assert sum(bool(one[0].alarms) for one in found) <= 1
    (moved,) = drift(reference, table(1000, other), ["code"], Limits())
    assert [f.what for f in moved.alarms] == ["distribution"]


def test_later_days_are_no_drift_but_missing_ones_are():
    """Time goes on: a day that no training row had is neither a new category nor out of range."""
    then = pl.DataFrame(
        {"day": pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 9, 1), eager=True)}
    )
    (later,) = drift(then, then.select(pl.col("day").dt.offset_by("1y")), ["day"], Limits())
    assert (later.kind, later.psi, later.unseen, later.alarms) == ("date", 0.0, 0.0, ())
    gone = then.select(pl.when(pl.int_range(pl.len()) % 4 > 0).then("day"))
    (lacking,) = drift(then, gone, ["day"], Limits())
    assert [finding.what for finding in lacking.alarms] == ["missing"]
