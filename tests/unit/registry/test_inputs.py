"""What a row to predict has to bring, out of what is declared of the training rows."""

from __future__ import annotations

import re

import pytest

from heddle.domain.errors import ConfigError
from heddle.models.features import Features
from heddle.registry.inputs import input_columns

FEATURES = Features(numeric=("size",), categorical=("shore",))
CONTRACT = {
    "key": ["id"],
    "columns": {
        "id": {"type": "string"},
        "shore": {"type": "string", "categories": ["far", "near"]},
        "size": {"type": "float", "above": 0, "nullable": True},
        "price": {"type": "float", "target": True},
    },
}


def test_the_features_are_what_is_asked_for_in_their_order():
    """With everything that is declared of them; no key and no target."""
    found = input_columns(CONTRACT, FEATURES, "v1")
    assert list(found) == ["size", "shore"]
    assert found["size"].nullable
    assert found["shore"].categories == ("far", "near")


def test_a_code_may_be_a_whole_number():
    """An id is a number to its file and a name to a model."""
    columns = {"size": {"type": "int"}, "shore": {"type": "int"}}
    found = input_columns({"columns": columns}, FEATURES, "v1")
    assert [column.type for column in found.values()] == ["int", "int"]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (
            {"sise": {"type": "float"}, "shore": {"type": "string"}},
            "data_versions.v1: feature 'size' is not declared; did you mean 'sise'?",
        ),
        (
            {"size": {"type": "string"}, "shore": {"type": "string"}},
            "data_versions.v1.size: a numeric feature cannot be a string column",
        ),
        (
            {"size": {"type": "int"}, "shore": {"type": "bool"}},
            "data_versions.v1.shore: a categorical feature cannot be a bool column",
        ),
    ],
)
def test_a_feature_that_is_not_what_was_declared_is_refused(columns, words):
    """Before anything is fitted."""
    with pytest.raises(ConfigError, match=re.escape(words)):
        input_columns({"columns": columns}, FEATURES, "v1")
