"""Contracts say once what several versions have in common."""

import re

import pytest

from heddle.domain.errors import ConfigError
from heddle.validation.contract import read_contract
from heddle.validation.inherit import inherited

INT, FLOAT = {"type": "int"}, {"type": "float"}
BASE = {"columns": {"a": INT, "b": INT}, "key": ["a"], "rows": {"min": 5}, "description": "first"}


def test_columns_are_taken_over_along_a_chain():
    """Less what is left away, plus the own, in this order; declared anew, a column is the own."""
    versions = {
        "v3": {"like": "v2", "without": ["a"], "columns": {"d": INT}},
        "v1": BASE,
        "v2": {"like": "v1", "columns": {"c": INT, "b": FLOAT}},
    }
    made = inherited(versions)
    assert list(made) == ["v3", "v1", "v2"]
    assert list(made["v2"]["columns"].items()) == [("a", INT), ("b", FLOAT), ("c", INT)]
    assert list(made["v3"]["columns"]) == ["b", "c", "d"]
    assert made["v1"] == BASE
    assert versions["v3"]["like"] == "v2"
    assert read_contract(made["v3"], "v3").columns["b"].type == "float"


def test_nothing_but_columns_is_taken_over():
    """Rows, key and words belong to a version alone."""
    made = inherited({"v1": BASE, "v2": {"like": "v1", "key": ["b"]}})["v2"]
    assert made == {"key": ["b"], "columns": BASE["columns"]}


@pytest.mark.parametrize(
    ("versions", "words"),
    [
        (
            {"v10": BASE, "v2": {"like": "v1"}},
            "data_versions.v2: like 'v1', which is not declared; did you mean 'v10'?",
        ),
        (
            {"v1": BASE, "v2": {"like": "v1", "without": ["c"]}},
            "data_versions.v2: without 'c', which v1 does not have. Known: a, b",
        ),
        (
            {"v1": {"like": "v2"}, "v2": {"like": "v1"}},
            "data_versions.v1: contracts are like each other: v1 -> v2 -> v1",
        ),
        ({"v1": BASE, "v2": {"without": ["a"]}}, "data_versions.v2: like None, which is not"),
        ({"v1": BASE, "v2": {"like": "v1", "columns": []}}, "v2.columns: must be a mapping, not"),
    ],
)
def test_a_mistake_is_named(versions, words):
    """The version, and what there is."""
    with pytest.raises(ConfigError, match=re.escape(words)):
        inherited(versions)


def test_what_is_no_mapping_is_left_to_the_reader():
    """`read_contract` words it."""
    assert inherited({"v1": None, "v2": 3}) == {"v1": None, "v2": 3}
