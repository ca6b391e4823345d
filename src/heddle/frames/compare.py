"""What differs between two data versions, told from their descriptions alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from heddle.domain.entities import TableInfo

__all__ = ["ColumnChange", "Comparison", "compare"]

_QUANTILES = ("p05", "p25", "p50", "p75", "p95")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnChange:
    """What became of a column; `before` or `after` is empty where it does not exist."""

    name: str
    change: Literal["added", "removed", "retyped", "changed", "renamed"]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    shift: float | None = None  # how far its quantiles moved, in widths of its middle 90 %
    was: str = ""  # its name before, when it is renamed


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two data versions beside each other."""

    before: str
    after: str
    rows: tuple[int, int]
    same: tuple[str, ...]  # columns with equal type and values, whatever the order of rows
    changes: tuple[ColumnChange, ...]  # in the order of `after`, then what was removed
    reordered: bool  # the columns that both have stand in another order

    @property
    def equal(self) -> bool:
        """Whether both hold the same table, but for the order of rows and columns."""
        return self.rows[0] == self.rows[1] and not self.changes


def compare(before: TableInfo, after: TableInfo) -> Comparison:
    """Compare schema, rows and the distribution of each column.

    A column whose hash is the same holds the same values; one that is gone and one that is new, and
    that no other equals, are one that was renamed. Of the others, numbers tell their
    `shift`: the largest move of a quantile (5, 25, 50, 75, 95 %) over the distance from the 5 % to
    the 95 % quantile of `before`; None where that is zero or unknown.
    """
    old, new = before.columns, after.columns
    shared = [name for name in new if name in old]
    same = tuple(name for name in shared if _equal(old[name], new[name]))
    was = _renamed(old, new)
    changes = [
        _change(name, old.get(was.get(name, name), {}), new[name], was.get(name, ""))
        for name in new
        if name not in same
    ]
    gone = [name for name in old if name not in new and name not in was.values()]
    changes += [_change(name, old[name], {}) for name in gone]
    return Comparison(
        before=before.version,
        after=after.version,
        rows=(before.rows, after.rows),
        same=same,
        changes=tuple(changes),
        reordered=shared != [name for name in old if name in new],
    )


def _equal(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one[key] == other[key] for key in ("type", "hash"))


def _renamed(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, str]:
    """Return `{name: name before}` where just one column that is gone is what a new one is."""
    gone, come = [n for n in old if n not in new], [n for n in new if n not in old]
    found = {name: [was for was in gone if _equal(old[was], new[name])] for name in come}
    twins = {name: [other for other in come if _equal(new[other], new[name])] for name in come}
    return {name: found[name][0] for name in come if len(found[name]) == len(twins[name]) == 1}


def _change(
    name: str, old: Mapping[str, Any], new: Mapping[str, Any], was: str = ""
) -> ColumnChange:
    kind: Literal["added", "removed", "retyped", "changed", "renamed"] = "changed"
    if was:
        kind = "renamed"
    elif not old or not new:
        kind = "removed" if old else "added"
    elif old["type"] != new["type"]:
        kind = "retyped"
    shift = _shift(old, new) if old and new else None
    return ColumnChange(name=name, change=kind, before=old, after=new, shift=shift, was=was)


def _shift(old: Mapping[str, Any], new: Mapping[str, Any]) -> float | None:
    one, other = _quantiles(old), _quantiles(new)
    if not one or not other:
        return None
    width = one[-1] - one[0]
    return max(abs(b - a) for a, b in zip(one, other, strict=True)) / width if width else None


def _quantiles(facts: Mapping[str, Any]) -> list[float]:
    """Return all five, or none where the column has none."""
    found = [facts.get(key) for key in _QUANTILES]
    known = [float(value) for value in found if isinstance(value, (int, float))]
    return known if len(known) == len(found) else []
