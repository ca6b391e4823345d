"""Contracts that are like another: its columns, less some, plus their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heddle.domain.errors import ConfigError

__all__ = ["inherited"]

_LIKE, _WITHOUT = "like", "without"


def inherited(versions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the declared contracts with their columns written out.

    `like: v1` takes the columns of v1 as they come out there, `without: [a, b]` leaves some of
    them away; `columns` adds, or declares one anew. Nothing else is taken over.

    >>> inherited({
    ...     "v1": {"columns": {"a": {"type": "int"}, "b": {"type": "int"}}},
    ...     "v2": {"like": "v1", "without": ["b"], "columns": {"c": {"type": "float"}}},
    ... })["v2"]
    {'columns': {'a': {'type': 'int'}, 'c': {'type': 'float'}}}

    Args:
        versions: data version -> its contract, as read from YAML.

    Raises:
        ConfigError: a version or a column that is not there, versions that are like each other.
    """
    done: dict[str, Any] = {}
    for name in versions:
        _write_out(name, versions, done, ())
    return {name: done[name] for name in versions}


def _write_out(
    name: str, versions: Mapping[str, Any], done: dict[str, Any], path: tuple[str, ...]
) -> Mapping[str, Any]:
    where = f"data_versions.{name}"
    if name in path:
        drawn = " -> ".join((*path[path.index(name) :], name))
        raise ConfigError(f"contracts are like each other: {drawn}", where=where)
    if name in done:
        return _mapping(done[name], where)
    told = versions[name]
    if isinstance(told, Mapping) and (_LIKE in told or _WITHOUT in told):
        model: Any = told.get(_LIKE)
        if model not in versions:
            what = f"like {model!r}, which is not declared"
            raise ConfigError(what, where=where, wanted=str(model), known=versions)
        columns = dict(_write_out(model, versions, done, (*path, name)).get("columns") or {})
        for gone in told.get(_WITHOUT) or ():
            if columns.pop(gone, None) is None:
                what = f"without {gone!r}, which {model} does not have"
                raise ConfigError(what, where=where, wanted=str(gone), known=columns)
        kept = {key: value for key, value in told.items() if key not in (_LIKE, _WITHOUT)}
        own = _mapping(told.get("columns", {}), f"{where}.columns")
        told = {**kept, "columns": {**columns, **own}}
    done[name] = told
    return told if isinstance(told, Mapping) else {}


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"must be a mapping, not {value!r}", where=where)
    return value
