"""How many rows there may be, in figures and by the versions that a table is made of."""

import polars as pl
import pytest

from heddle.domain.errors import ConfigError
from heddle.validation.contract import Contract, read_contract
from heddle.validation.findings import check, findings
from heddle.validation.row_counts import row_counts

BEFORE = pl.DataFrame({"year": [1, 1, 2, 2], "place": [7, 7, 7, None]})


def contract(rows: dict[str, object]) -> Contract:
    """A table of one column with this many rows."""
    return read_contract({"columns": {"a": {"type": "int"}}, "rows": rows}, "v2")


@pytest.mark.parametrize(
    ("rows", "height", "words"),
    [
        ({"min": 9}, 2, "has 2 rows, declared are 9 to any number"),
        ({"min": 1000, "max": 1000}, 2, "has 2 rows, declared are 1,000"),
        ({"same_as": "v1"}, 3, "has 3 rows, v1 has 4: as many are declared"),
        ({"same_as": "v1"}, 5, "has 5 rows, v1 has 4: as many are declared"),
        ({"at_most": "v1"}, 5, "has 5 rows, v1 has 4: at most as many are declared"),
        ({"at_most": "v1", "keeps": 0.9}, 3, "has 3 rows, v1 has 4: at least 0.9 of them are"),
        (
            {"groups_of": "v1", "by": ["year", "place"]},
            4,
            "has 4 rows, v1 has 3 groups of year, place: as many are declared",
        ),
    ],
)
def test_another_number_of_rows_is_found(rows, height, words):
    """Both numbers are told, and what is declared."""
    (found,) = findings(pl.DataFrame({"a": range(height)}), contract(rows), others={"v1": BEFORE})
    assert (found.rule, found.severity) == ("rows", "refuse")
    assert words in found.words


@pytest.mark.parametrize(
    ("rows", "height"),
    [
        ({"min": 3, "max": 3}, 3),
        ({"same_as": "v1"}, 4),
        ({"at_most": "v1", "keeps": 0.75}, 3),
        ({"at_most": "v1"}, 1),
        ({"groups_of": "v1", "by": ["year"]}, 2),
        ({"groups_of": "v1", "by": ["place", "year"]}, 3),
        ({"same_as": "v1", "min": 4, "max": 4}, 4),
    ],
)
def test_the_declared_number_of_rows_passes(rows, height):
    """Figures and relations hold together; null is a value of a group."""
    assert findings(pl.DataFrame({"a": range(height)}), contract(rows), others={"v1": BEFORE}) == []


def test_each_rule_that_is_broken_is_told():
    """An exact number does not hide the relation."""
    wanted = contract({"same_as": "v1", "min": 5, "max": 5}).rows
    found = row_counts(pl.DataFrame({"a": range(2)}), wanted, {"v1": BEFORE})
    assert [f.words for f in found] == [
        "has 2 rows, declared are 5",
        "has 2 rows, v1 has 4: as many are declared",
    ]


def test_a_version_that_is_not_read_cannot_decide():
    """The nearest that is read is told."""
    words = r"declared by 'v1', which the stage does not read; did you mean 'v11'\? Known: v11"
    with pytest.raises(ConfigError, match=words):
        check(pl.DataFrame({"a": [1]}), contract({"same_as": "v1"}), "v2", others={"v11": BEFORE})


def test_groups_of_a_column_that_is_not_there_are_told():
    """With the nearest."""
    words = "declared by groups of 'yeer', which v1 has not; did you mean 'year'"
    wanted = contract({"groups_of": "v1", "by": ["yeer"]})
    with pytest.raises(ConfigError, match=words):
        check(pl.DataFrame({"a": [1]}), wanted, "v2", others={"v1": BEFORE})
