"""A contract is read from YAML with its mistakes named."""

import re

import pytest

from heddle.domain.errors import ConfigError
from heddle.validation.contract import read_contract

GOOD = {
    "description": "test",
    "rows": {"min": 1, "max": 9},
    "key": ["id"],
    "columns": {
        "id": {"type": "int"},
        "kind": {"type": "string", "categories": ["a", "b"]},
        "y": {"type": "float", "above": 0, "target": True},
    },
}


def test_a_contract_is_read_with_its_types():
    """Nested mappings become frozen values."""
    contract = read_contract(GOOD, "v0")
    assert contract.columns["kind"].categories == ("a", "b")
    assert (contract.rows.min, contract.rows.max, contract.key) == (1, 9, ("id",))
    assert contract.extra == "refuse"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colums": {}}, "data_versions.v0: unknown key 'colums'; did you mean 'columns'?"),
        ({"columns": {}}, "data_versions.v0: no column is declared"),
        ({"key": ["idd"]}, "key names ['idd'], columns are ['id', 'kind', 'y']"),
        ({"rows": {"min": 5, "max": 1}}, "0 <= min <= max must hold, but got min=5, max=1"),
        ({"columns": {"a": {"type": "flot"}}}, "columns.a.type: 'flot' is not a choice; did you"),
        ({"columns": {"a": {"type": "float", "min": "1"}}}, "columns.a.min: must be a number"),
        ({"columns": {"a": {"type": "string", "min": 1}}}, "are for numbers, not for a string"),
        ({"columns": {"a": {"type": "int", "categories": ["x"]}}}, "categories are for a string"),
        ({"columns": {"a": {"type": "int", "min": 2, "max": 1}}}, "min <= max must hold"),
        ({"columns": {"a": {"type": "int", "target": True, "nullable": True}}}, "cannot be null"),
        ({"columns": {"a": {"type": "int", "target": True, "optional": True}}}, "cannot be opti"),
        ({"columns": {"a": {"type": "float", "gaps": "notice"}}}, "of an int column, not of a flo"),
        ({"columns": {"a": {"type": "int", "zone": "UTC"}}}, "zone is that of a date column, not"),
        ({"columns": {"a": {"type": "date", "zone": "Mars/Base"}}}, "no time zone 'Mars/Base' is"),
        ({"sorted_by": ["z"]}, "sorted_by names ['z'], columns are ['id', "),
        ({"rows": {"keeps": 0.5}}, "keeps is a share from 0 to 1 of the rows of at_most"),
        ({"rows": {"at_most": "v1", "keeps": 1.5}}, "keeps is a share from 0 to 1 of the rows"),
        ({"rows": {"groups_of": "v1"}}, "groups_of, a version, and by, its columns, go together"),
        ({"rows": {"by": ["id"]}}, "groups_of, a version, and by, its columns, go together"),
        ({"orders": [{"lower": "id", "upper": "z"}]}, "orders names ['z'], columns are ['id', "),
        ({"orders": [{"lower": "id", "upper": "y", "share": 0}]}, "share must be above 0 and at"),
    ],
)
def test_a_mistake_in_a_contract_is_named(change, words):
    """File, key, what exists."""
    with pytest.raises(ConfigError, match=re.escape(words)):
        read_contract(GOOD | change, "v0")


def test_the_versions_that_rows_hang_on_are_told_once():
    """Whoever reads the contract can see what has to be read beside the table."""
    rows = {"same_as": "v1", "at_most": "v1", "groups_of": "v2", "by": ["id"]}
    assert read_contract(GOOD | {"rows": rows}, "v3").rows.versions == ("v1", "v2")
    assert read_contract(GOOD, "v0").rows.versions == ()
