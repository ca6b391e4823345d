"""Weighted figures of groups, against the definitions read aloud."""

from __future__ import annotations

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError, DataContractError
from heddle.domain.typed import build
from heddle.transformations.aggregate_weighted import (
    AggregateWeighted,
    Portions,
    aggregate_weighted,
)

SCHEMA = {
    "shop": pl.Int64,
    "ware": pl.String,
    "grade": pl.Int64,
    "cases": pl.Int64,
    "cost": pl.Float64,
    "price": pl.Int64,
}
WHOLE = st.none() | st.integers(0, 4)
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(1, 2),
        st.sampled_from("ab"),
        st.none() | st.integers(0, 3),
        WHOLE,
        st.none() | st.integers(-3, 3).map(float),
        st.none() | st.integers(-3, 3),
    ),
    max_size=14,
)
PORTIONS = Portions(column="grade", values=(1, 2), name="grade_{}_portion")


def config(**settings: object) -> AggregateWeighted:
    usual = {"by": ("shop", "ware"), "weight": "cases", "total": "all", "medians": ("price",)}
    return AggregateWeighted(**{**usual, "means": ("cost",), **settings})


def made(table: pl.DataFrame, cfg: AggregateWeighted) -> pl.DataFrame:
    return aggregate_weighted(nw.from_native(table.lazy()), cfg).collect().to_native()


def slow_mean(pairs, *, count):
    under = sum(w for v, w in pairs if count or v is not None)
    over = sum(v * w for v, w in pairs if v is not None)
    return over / under if under else None


def slow_median(pairs, *, count):
    if not count:
        pairs = [(v, w) for v, w in pairs if v is not None]
    running, total = 0, sum(w for _, w in pairs)
    for value, weight in sorted(pairs, key=lambda pair: (pair[0] is None, pair[0] or 0)):
        running += weight
        if 2 * running >= total:
            return value
    return None


def slow(rows, *, count):
    """Group by group: key, weight, portions of grades 1 and 2, mean cost, median price, sum."""
    out = []
    for key in sorted({row[:2] for row in rows}, key=lambda k: (k[0] is not None, k[0] or 0, k[1])):
        group = [(g, w or 0, c, p) for *k, g, w, c, p in rows if tuple(k) == key]
        total = sum(w for _, w, _, _ in group)
        at = [sum(w for g, w, _, _ in group if g == grade) for grade in (1, 2)]
        out.append(
            (
                *key,
                float(total),
                *(part / total if total else 0.0 for part in at),
                slow_mean([(c, w) for _, w, c, _ in group], count=count),
                slow_median([(p, w) for _, w, _, p in group], count=count),
                sum(c for _, _, c, _ in group if c is not None),
            )
        )
    return out


@given(ROWS, st.sampled_from(["skip", "count"]), st.randoms())
def test_figures_are_those_of_the_definitions(rows, null_weight, chance):
    """Whatever the order of the rows, which stay as they were."""
    cfg = config(portions=PORTIONS, null_weight=null_weight, sums={"plain": "cost"})
    wanted = slow(rows, count=null_weight == "count")
    for _ in range(2):
        table = pl.DataFrame(rows, SCHEMA, orient="row")
        assert made(table, cfg).rows() == wanted
        assert table.rows() == rows
        chance.shuffle(rows)


TENTHS = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 9), st.integers(-5, 5)), max_size=20)


@given(TENTHS, st.sampled_from([0.1, 1e-7, 3e11]))
def test_fractions_weigh_as_whole_numbers_do(rows, unit):
    """Five tenths of ten tenths are half of them, though no sum of doubles says so exactly."""
    schema = {"shop": pl.Int64, "cases": pl.Int64, "price": pl.Int64}
    table = pl.DataFrame(rows, schema, orient="row")
    cfg = config(by=("shop",), means=())
    parts = table.with_columns(pl.col("cases") * unit)
    assert made(parts, cfg)["w_price"].to_list() == made(table, cfg)["w_price"].to_list()


def test_a_small_group_is_not_lost_beside_a_large_one():
    """Running sums over all groups would drown it."""
    table = pl.DataFrame({"shop": [1, 2, 2, 2], "cases": [1e18, 0.1, 0.1, 0.3], "price": 1})
    table = table.with_columns(price=pl.Series([5, 1, 2, 3]))
    assert made(table, config(by=("shop",), means=()))["w_price"].to_list() == [5, 3]


def test_the_columns_and_their_types():
    """Index, key, total, portions, means, medians, sums; also of a table without rows."""
    cfg = config(portions=PORTIONS, sums={"plain": "price"}, index="no", prefix="mid_")
    wanted = {
        "no": pl.Int64,
        "shop": pl.Int64,
        "ware": pl.String,
        "all": pl.Float64,
        "grade_1_portion": pl.Float64,
        "grade_2_portion": pl.Float64,
        "mid_cost": pl.Float64,
        "mid_price": pl.Int64,
        "plain": pl.Int64,
    }
    rows = [(2, "a", 1, 1, 1.0, 1), (1, "a", 1, 1, 1.0, 1), (1, "b", 1, 1, 1.0, 1)]
    found = made(pl.DataFrame(rows, SCHEMA, orient="row"), cfg)
    assert list(found.schema.items()) == list(wanted.items())
    assert found["no"].to_list() == [0, 1, 2]
    assert found.select("shop", "ware").rows() == [(1, "a"), (1, "b"), (2, "a")]
    empty = made(pl.DataFrame(schema=SCHEMA), cfg)
    assert empty.schema == found.schema
    assert empty.is_empty()


@pytest.mark.parametrize(
    ("prices", "cases", "skipped", "counted"),
    [
        ([10, 20, 30], [1, 1, 2], 20, 20),  # 2 of 4 is half: the lower of the middle
        ([10, 20], [3, 3], 10, 10),
        ([30, 10], [0, 0], 10, 10),  # no weight: the smallest
        ([10, None], [1, 3], 10, None),  # nulls hold most of the weight
        ([10, 20, None], [2, 1, 1], 10, 10),
        ([10, 20, None], [1, 1, 1], 10, 20),
        ([None, None], [1, 1], None, None),
    ],
)
def test_medians_by_hand(prices, cases, skipped, counted):
    """Lower, weighted, with both views of a null."""
    table = pl.DataFrame({"cases": cases, "price": pl.Series(prices, dtype=pl.Int64), "shop": 1})
    for null_weight, wanted in (("skip", skipped), ("count", counted)):
        cfg = config(by=("shop",), means=(), null_weight=null_weight)
        assert made(table, cfg)["w_price"].to_list() == [wanted]


def test_portions_may_sum_to_less_than_one():
    """A value that is not listed counts below the line only; of no weight each portion is 0."""
    table = pl.DataFrame(
        {"shop": [1, 1, 1, 2], "grade": [1, 2, 0, 1], "cases": [1, 2, 5, 0], "price": 1}
    )
    found = made(table, config(by=("shop",), means=("price",), medians=(), portions=PORTIONS))
    assert found.rows() == [(1, 8.0, 0.125, 0.25, 1.0), (2, 0.0, 0.0, 0.0, None)]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"means": ("cots",)},
            "aggregate_weighted: input has no column 'cots'; did you mean 'cost'",
        ),
        ({"sums": {"x": "y"}}, "input has no column 'y'"),
        ({"weight": "ware"}, "column 'ware' is String, not a number"),
        ({"means": ("ware",)}, "column 'ware' is String, not a number"),
        ({"portions": Portions(column="cost", values=(1,), name="{}")}, "not a whole number"),
    ],
)
def test_what_does_not_fit_the_table_is_refused(settings, words):
    """By name and type."""
    with pytest.raises(DataContractError, match=words):
        made(pl.DataFrame(schema=SCHEMA), config(**settings))


def test_a_negative_weight_is_refused():
    """No median is defined by it."""
    table = pl.DataFrame([(1, "a", 1, -3, 1.0, 1)], SCHEMA, orient="row")
    words = r"column 'cases' is a weight but goes down to -3\. Drop or mend the rows"
    with pytest.raises(DataContractError, match=words):
        made(table, config())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"by": ()}, "`by` must name at least one column"),
        ({"means": ("price",)}, "two columns would be called 'w_price'"),
        ({"sums": {"all": "cost"}}, "two columns would be called 'all'"),
        ({"index": "shop"}, "two columns would be called 'shop'"),
    ],
)
def test_columns_that_would_share_a_name_are_refused(settings, words):
    """Before anything is read."""
    with pytest.raises(ValueError, match=words):
        config(**settings)


def test_it_is_read_from_yaml():
    """Portions are a mapping there; their name must have a place for the value."""
    told = {"by": ["shop"], "weight": "cases", "total": "all", "sums": {"plain": "cost"}}
    portions = {"column": "grade", "values": [1, 2], "name": "grade_{}_portion"}
    cfg = build(AggregateWeighted, {**told, "portions": portions}, where="here")
    assert cfg.portions == PORTIONS
    assert cfg.made == ["shop", "all", "grade_1_portion", "grade_2_portion", "plain"]
    with pytest.raises(ConfigError, match=r"here.portions: `portions.name` needs {} where"):
        build(AggregateWeighted, {**told, "portions": {**portions, "name": "grade"}}, where="here")
