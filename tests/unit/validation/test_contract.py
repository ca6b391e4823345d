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
    ],
)
def test_a_mistake_in_a_contract_is_named(change, words):
    """File, key, what exists."""
    with pytest.raises(ConfigError, match=re.escape(words)):
        read_contract(GOOD | change, "v0")
