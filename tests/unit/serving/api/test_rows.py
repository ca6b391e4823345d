"""Rows as they are asked: every type, strictly."""

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.evaluation.intervals import Interval
from heddle.registry.manifest import HistoryFacts, Manifest, Split
from heddle.serving.api.refused import Refused
from heddle.serving.api.rows import RowReader
from heddle.serving.api.settings import Settings
from heddle.serving.flags import flags
from heddle.validation.contract import Column

COLUMNS = {
    "size": Column(type="float", nullable=True),
    "rooms": Column(type="int", min=1),
    "sold": Column(type="bool"),
    "built": Column(type="date"),
    "kind": Column(type="string"),
    "note": Column(type="string", optional=True, nullable=True),
}
ROW = {"size": 1, "rooms": 2, "sold": True, "built": "2020-02-29", "kind": "Flat"}


def manifest(columns=None, seen=None, history=None):
    return Manifest(
        name="m",
        best_model="ridge",
        parameters={},
        target="y",
        columns=columns or COLUMNS,
        seen=seen or {},
        metric="mae",
        metrics={},
        interval=Interval(level=0.9, half=1.0),
        split=Split(hash="h", strategy="random", seed=1, train_rows=1, test_rows=1),
        data={},
        config_hash="c",
        libraries={},
        history=history,
    )


def read(*rows, told=None, **settings):
    return RowReader(told or manifest(), Settings(**settings)).read({"instances": list(rows)})


def faults(*rows, told=None, **settings):
    with pytest.raises(Refused) as fault:
        read(*rows, told=told, **settings)
    return list(fault.value.faults)


def test_each_type_is_read():
    """As the model takes it; what is optional may be left out."""
    told = read(ROW)
    assert told["size"] == [1.0]
    assert type(told["size"][0]) is float
    assert told["rooms"] == [2]
    assert told["sold"] == [True]
    assert [day.isoformat() for day in told["built"]] == ["2020-02-29"]
    assert (told["kind"], told["note"]) == (["Flat"], [None])


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("rooms", 2.5, "must be a whole number"),
        ("rooms", True, "must be a whole number"),
        ("rooms", 2**63, "is too large for 64 bits"),
        ("rooms", 0, "is below 1"),
        ("sold", 1, "must be true or false"),
        ("sold", "true", "must be true or false"),
        ("built", "2021-02-29", "must be a date, as 2024-02-29"),
        ("built", "20200229", "must be a date, as 2024-02-29"),
        ("built", 20200229, "must be a date, as 2024-02-29"),
        ("built", "2020-02-29T00:00:00", "must be a date, as 2024-02-29"),
        ("kind", None, "must not be null"),
        ("kind", ["Flat"], "must be text"),
        ("note", 1, "must be text"),
        ("size", 10**400, "is too large for a float without loss (2^53)"),
    ],
)
def test_another_type_is_refused(name, value, reason):
    """With its path and what would be taken."""
    assert faults(ROW, {**ROW, name: value}) == [(f"instances[1].{name}", reason)]


@pytest.mark.parametrize(("value", "read_as"), [(3.0, 3), (-0.0, 0), (2**62, 2**62)])
def test_a_whole_number_may_be_written_as_json_writes_it(value, read_as):
    """JSON has one kind of number; nothing is rounded."""
    told = manifest({"n": Column(type="int")})
    assert read({"n": value}, told=told)["n"] == [read_as]


def test_words_that_differ_in_case_alone_are_not_guessed_at():
    """`a` and `A` are two categories; a third spelling is none."""
    told = manifest({"kind": Column(type="string", categories=("a", "A", "Bay"))})
    assert read({"kind": "a"}, {"kind": "A"}, {"kind": "BAY"}, told=told)["kind"] == [
        "a",
        "A",
        "Bay",
    ]
    two = manifest({"kind": Column(type="string", categories=("ab", "AB"))})
    assert faults({"kind": "Ab"}, told=two) == [("instances[0].kind", "is none of 'ab', 'AB'")]


def test_of_many_categories_a_reason_names_eight():
    """An answer is no catalogue."""
    told = manifest({"kind": Column(type="string", categories=tuple("abcdefghij"))})
    ((_, reason),) = faults({"kind": "z"}, told=told)
    assert reason.endswith("'h' and 2 more")


def test_categories_of_training_rows_alone_only_flag():
    """Nothing declares them; unless the policy refuses."""
    told = manifest({"kind": Column(type="string")}, {"kind": {"categories": ["a"]}})
    reader = RowReader(told, Settings())
    columns = reader.read({"instances": [{"kind": "A"}, {"kind": "z"}]})
    assert reader.remarks(columns, 2) == ["", "unknown_category:kind"]
    words = [("instances[0].kind", "lies outside the training rows")]
    assert faults({"kind": "z"}, told=told, outside="refuse") == words


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "size": st.none() | st.floats(-10, 10),
                "code": st.integers(0, 5),
                "kind": st.none() | st.sampled_from(["a", "b", "z"]),
            }
        ),
        min_size=1,
        max_size=8,
    )
)
def test_remarks_are_those_of_a_file(rows):
    """Word for word, for any rows."""
    columns = {
        "size": Column(type="float", nullable=True),
        "code": Column(type="int"),
        "kind": Column(type="string", nullable=True),
    }
    seen = {
        "size": {"min": -1.0, "max": 5.0},
        "code": {"categories": ["1", "2"]},
        "kind": {"categories": ["a", "b"]},
    }
    reader = RowReader(manifest(columns, seen), Settings())
    told = reader.remarks(reader.read(json.loads(json.dumps({"instances": rows}))), len(rows))
    schema = {"size": pl.Float64, "code": pl.Int64, "kind": pl.String}
    assert told == flags(pl.DataFrame(rows, schema=schema), seen).to_list()


def days(*numbers):
    return [{"day": f"2024-01-{number:02}", "close": 1.0} for number in numbers]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (days(1, 2, 3), ("instances", "must hold at least 4 rows: the model looks back so far")),
        (days(1, 2, 2, 3), ("instances[2].day", "must be later than the one before")),
        (days(1, 3, 2, 4), ("instances[2].day", "must be later than the one before")),
    ],
)
def test_a_history_must_reach_back_and_rise(rows, expected):
    """As many rows as the model looks back on, and the one that it predicts from."""
    columns = {"day": Column(type="date"), "close": Column(type="float")}
    told = manifest(columns, history=HistoryFacts(lookback=3, time="day", horizon=1))
    assert faults(*rows, told=told) == [expected]
    assert len(read(*days(1, 2, 3, 4), told=told)["close"]) == 4
