"""The contract of the rows that a model is asked about, out of that of its training rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heddle.domain.errors import ConfigError
from heddle.models.assembly import Features
from heddle.validation.contract import Column, read_contract

__all__ = ["input_columns"]

_NUMBERS = {"float", "int", "bool"}
_CODES = {"string", "int"}  # an id is a whole number to its file, and a name to a model


def input_columns(
    contract: Mapping[str, Any], features: Features, version: str
) -> dict[str, Column]:
    """Return the declared columns that the model takes, in the order of the features.

    Raises:
        ConfigError: a feature that the contract does not declare, or as another type.
    """
    declared = read_contract(contract, version).columns
    for name in features.raw:
        if name not in declared:
            raise ConfigError(
                f"feature {name!r} is not declared",
                where=f"data_versions.{version}",
                wanted=name,
                known=declared,
            )
        allowed = _NUMBERS if name in features.numeric else _CODES
        if declared[name].type not in allowed:
            kind = "numeric" if name in features.numeric else "categorical"
            raise ConfigError(
                f"a {kind} feature cannot be a {declared[name].type} column",
                where=f"data_versions.{version}.{name}",
            )
    return {name: declared[name] for name in features.raw}
