"""Whether a model may take another's place: whoever asks must not notice by being refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heddle.domain.errors import DataContractError
from heddle.registry.manifest import Manifest

__all__ = ["refuse_another_contract"]


def refuse_another_contract(serves: Manifest, comes: Manifest, *, label: str) -> None:
    """Refuse a model that asks for other rows than the one that serves, or predicts another thing.

    Raises:
        DataContractError: naming the first difference, and both sides of it.
    """
    if serves.schema_hash == comes.schema_hash:
        return
    now, then = serves.asks, comes.asks
    first = next(key for key in (*now, *then) if now.get(key) != then.get(key))
    more = sum(now.get(key) != then.get(key) for key in {*now, *then}) - 1
    was, new = now.get(first), then.get(first)
    raise DataContractError(
        f"another contract than of the model that serves: {first} is"
        f" {_words(new, was)}, it was {_words(was, new)}"
        f"{f'; and {more} more' if more else ''}",
        where=label,
        todo="Clients would be refused. Start another server, or allow it: --allow-schema-change.",
    )


def _words(one: Any, other: Any) -> str:
    """Return one side of a difference: of a column, only what differs."""
    if one is None:
        return "absent"
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return "there" if isinstance(one, Mapping) else repr(one)
    told = {key: value for key, value in one.items() if value != other.get(key)}
    return ", ".join(f"{key} {value!r}" for key, value in told.items())[:200]
