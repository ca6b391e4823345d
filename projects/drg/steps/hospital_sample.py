"""Made-up hospital rows with the schema, gaps, tails and kind of signal of the New York file.

Not real data: hospitals, groups of diagnoses and prices are invented. What it shares with the real
file is what a pipeline meets: fourteen columns under their headers, one row for each year,
hospital, group and severity; series with holes; rare groups, a few of them without a kind; totals
that a few large hospitals make; cost above charge now and then; effects that last, so that the
past tells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["hospital_sample"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_YEARS = np.arange(2009, 2018)
_SEVERITIES = ("Minor", "Moderate", "Major", "Extreme")
_FULL = 1_081_672  # rows, and the hospitals and groups that make them
_HOSPITALS, _GROUPS = 222, 318
_RARE_TOTAL, _RARE_SHARE = 5000, 0.0385  # a rare group: discharges of all years; share of all rows
_UNGROUPED = 900  # at most so many rows of the full file know no medical or surgical kind

# Standard deviations of log volume: hospital, group, their affinity, its trend per year, each year,
# severity within a group, and the single cell.
_HOSPITAL, _GROUP, _AFFINITY, _TREND, _YEAR, _PROFILE, _CELL = 0.9, 1.35, 0.9, 0.04, 0.22, 0.5, 0.6
_SEVERITY_VOLUME = np.array([0.3, 0.4, -0.25, -1.25])
_NO_SERVICE, _GAP, _LATE, _CLOSED = 0.12, 0.025, 0.05, 0.08  # shares of pairs, cells and hospitals
_NEW = 0.02  # share of groups that the classification takes in later

_TOWNS = (
    "Alder Falls", "Bellmere", "Cedar Point", "Dunmoor", "Eastwick", "Fairhaven", "Glenrock",
    "Harborview", "Inverness Lake", "Juniper Hill", "Kingsbridge", "Larchfield", "Millbrook",
    "Northgate", "Oakdale", "Pinecrest", "Quarry Bay", "Riverton", "Stonebridge", "Thornbury",
    "Underhill", "Valley Stream Park", "Westerly", "Yarrow",
)  # fmt: skip
_KINDS = (
    "General Hospital", "Medical Center", "Community Hospital", "Memorial Hospital",
    "University Hospital", "Women's Hospital", "Hospital, North Campus", "Hospital, South Campus",
    "Regional Medical Center", "Infirmary",
)  # fmt: skip
_ORGANS = (
    "Heart", "Lung", "Kidney", "Liver", "Stomach", "Bowel", "Pancreas", "Spine", "Hip", "Knee",
    "Shoulder", "Hand", "Foot", "Skin", "Blood", "Brain", "Nerve", "Eye", "Ear, Nose & Throat",
    "Thyroid", "Breast", "Bladder", "Newborn", "Delivery",
)  # fmt: skip
_MEDICAL = (
    "Infection", "Inflammation", "Failure", "Malignancy", "Pain", "Injury", "Disorder", "Poisoning",
)  # fmt: skip
_SURGICAL = (
    "Repair", "Replacement", "Transplant", "Removal", "Bypass", "Fusion", "Biopsy", "Grafting",
)  # fmt: skip


def hospital_sample(rows: int, seed: int) -> pl.DataFrame:
    """Return `rows` rows in the order of year, hospital, group and severity.

    A smaller file has fewer hospitals and groups, about as many of them rare as in the full one of
    1,081,672 rows; a larger file has more hospitals. The same arguments give the same rows.

    Args:
        rows: how many, at least 1.
        seed: of everything that is drawn.

    Returns:
        The fourteen columns of the file; numbers of cases, codes and years whole, money in US
        dollars with cents.
    """
    draw = np.random.default_rng(seed)
    share = rows / _FULL
    hospitals = max(3, round(_HOSPITALS * (share if share > 1 else share**0.5)))
    groups = max(5, round(_GROUPS * min(1.0, share**0.5)))
    cells = _cells(rows, hospitals, groups, draw)
    place = _place(cells, hospitals, draw)
    group = _group(cells, groups, max(1, round(_UNGROUPED * share)), draw)
    severity = pl.Series(_SEVERITIES).gather(cells.severity)
    money = _money(cells, hospitals, groups, draw)
    return pl.DataFrame({
        "Year": _YEARS[cells.year],
        "Facility Id": place["id"],
        "Facility Name": place["name"],
        "APR DRG Code": group["code"],
        "APR Severity of Illness Code": cells.severity + 1,
        "APR DRG Description": group["description"],
        "APR Severity of Illness Description": severity,
        "APR Medical Surgical Code": group["kind_code"],
        "APR Medical Surgical Description": group["kind"],
        "Discharges": cells.discharges,
        **money,
    })  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Cells:
    """Where each row stands, as positions; and how many cases it counts."""

    year: Ints
    hospital: Ints
    group: Ints
    severity: Ints
    discharges: Ints


def _cells(rows: int, hospitals: int, groups: int, draw: np.random.Generator) -> _Cells:
    """Choose the `rows` busiest of all combinations: those that had no case are not in the file."""
    volume = _volume(hospitals, groups, draw).ravel()
    chosen = np.argpartition(volume, volume.size - rows)[volume.size - rows :]
    chosen.sort()
    strength = volume[chosen].astype(np.float64)
    shape = (_YEARS.size, hospitals, groups, len(_SEVERITIES))
    year, hospital, group, severity = np.unravel_index(chosen, shape)
    weight = np.exp(strength - strength.min())
    cases = np.maximum(np.rint(weight * _scale(weight, group, groups)), 1.0)
    return _Cells(year, hospital, group, severity, cases.astype(np.int64))


def _volume(hospitals: int, groups: int, draw: np.random.Generator) -> NDArray[np.float32]:
    """Log volume of each year, hospital, group and severity; minus infinity where nothing is."""

    def noise(sd: float, *shape: int) -> NDArray[np.float32]:
        return np.float32(sd) * draw.standard_normal(shape, dtype=np.float32)

    years, levels = _YEARS.size, len(_SEVERITIES)
    common = noise(_GROUP, 1, groups)
    pair = noise(_HOSPITAL, hospitals, 1) + common + noise(_AFFINITY, hospitals, groups)
    pair[draw.random(pair.shape) < _NO_SERVICE] = -np.inf
    since = (np.arange(years, dtype=np.float32) - years // 2)[:, None, None]
    trend = since * noise(_TREND, hospitals, groups)
    yearly = pair + trend + noise(_YEAR, years, hospitals, groups)
    yearly[~_open(hospitals, draw)] = -np.inf
    for group, begins in _newcomers(common[0], draw):
        yearly[:begins, :, group] = -np.inf
    yearly[draw.random(yearly.shape, dtype=np.float32) < _GAP] = -np.inf
    profile = _SEVERITY_VOLUME.astype(np.float32) + noise(_PROFILE, groups, levels)
    cells = noise(_CELL, years, hospitals, groups, levels)
    cells += yearly[..., None]
    cells += profile
    return cells


def _open(hospitals: int, draw: np.random.Generator) -> NDArray[np.bool_]:
    """Whether a hospital reports in a year: some open late, some close."""
    years = np.arange(_YEARS.size)[:, None]
    some = draw.integers(1, _YEARS.size, size=(2, hospitals))
    begins = np.where(draw.random(hospitals) < _LATE, some[0], 0)
    ends = np.where(draw.random(hospitals) < _CLOSED, some[1], _YEARS.size)
    ends = np.where(ends <= begins, _YEARS.size, ends)
    return (years >= begins) & (years < ends)


def _newcomers(common: NDArray[np.float32], draw: np.random.Generator) -> list[tuple[int, int]]:
    """Return (group, its first year's position) of groups that came later; no rare ones."""
    frequent = np.argsort(-common)[: common.size // 2]
    count = max(1, round(_NEW * common.size)) if common.size >= 20 else 0
    chosen = draw.choice(frequent, count, replace=False)
    return list(zip(chosen.tolist(), draw.integers(1, 4, count).tolist(), strict=True))


def _scale(weight: Floats, group: Ints, groups: int) -> float:
    """Cases per unit of weight with which rare groups hold about their share of the rows."""
    totals = np.bincount(group, weight, groups)
    rows = np.bincount(group, minlength=groups)
    order = np.argsort(totals)
    rare = int(np.searchsorted(np.cumsum(rows[order]), _RARE_SHARE * weight.size))
    edge = totals[order[min(rare, groups - 1)]]
    return float(np.clip(_RARE_TOTAL / max(edge, 1.0), 1.0, 1000.0))


def _place(cells: _Cells, hospitals: int, draw: np.random.Generator) -> dict[str, object]:
    ids = 1 + np.sort(draw.choice(max(3500, 3 * hospitals), hospitals, replace=False))
    count = len(_TOWNS) * len(_KINDS)
    order = draw.permutation(count)
    names = []
    for i in range(2 * hospitals):  # the second half: what some are called later
        town, kind = divmod(int(order[i % count]), len(_KINDS))
        number = f" {i // count + 1}" if i >= count else ""
        names.append(f"{_TOWNS[town]} {_KINDS[kind]}{number}")
    renamed = np.where(draw.random(hospitals) < 0.05, draw.integers(1, 9, hospitals), 99)
    later = cells.year >= renamed[cells.hospital]
    name = pl.Series(names).gather(cells.hospital + hospitals * later)
    return {"id": ids[cells.hospital], "name": name}


def _group(
    cells: _Cells, groups: int, ungrouped: int, draw: np.random.Generator
) -> dict[str, object]:
    codes = 1 + np.sort(draw.choice(955, groups, replace=False))
    words = _MEDICAL + _SURGICAL
    order = draw.permutation(len(_ORGANS) * len(words))[:groups]
    described = [f"{_ORGANS[i // len(words)]} {words[i % len(words)]}" for i in order]
    surgical = order % len(words) >= len(_MEDICAL)
    kind = np.where(surgical, 1, 0)
    kind[_rarest(cells, groups, ungrouped)] = 2
    return {
        "code": codes[cells.group],
        "description": pl.Series(described).gather(cells.group),
        "kind_code": pl.Series(["M", "P", None]).gather(kind[cells.group]),
        "kind": pl.Series(["Medical", "Surgical", None]).gather(kind[cells.group]),
    }


def _rarest(cells: _Cells, groups: int, most: int) -> Ints:
    """Return the rarest groups, together at most `most` rows, but one if any is rare."""
    totals = np.bincount(cells.group, cells.discharges, groups)
    rows = np.bincount(cells.group, minlength=groups)
    order = np.argsort(rows, kind="stable")
    order = order[(rows[order] > 0) & (totals[order] <= _RARE_TOTAL)]
    few = int(np.searchsorted(np.cumsum(rows[order]), most, side="right"))
    return order[: max(1, few)]


def _money(
    cells: _Cells, hospitals: int, groups: int, draw: np.random.Generator
) -> dict[str, Floats]:
    """Mean and median charge and cost of a row, in US dollars."""
    rows = cells.discharges.size
    pair = draw.normal(0.0, 0.22, hospitals * groups)[cells.hospital * groups + cells.group]
    steps = np.array([0.0, 0.28, 0.66, 1.25]) + draw.normal(0.0, 0.08, (groups, 4))
    log_cost = (
        draw.normal(8.9, 0.75, groups)[cells.group]
        + draw.normal(0.0, 0.28, hospitals)[cells.hospital]
        + pair
        + steps[cells.group, cells.severity]
        + 0.03 * cells.year
    )
    few = 1.0 / np.sqrt(1.0 + cells.discharges / 3.0)
    log_cost += 0.45 * few * draw.standard_t(6, rows)
    markup = draw.normal(1.05, 0.36, hospitals)[cells.hospital] + 0.02 * cells.year
    log_charge = log_cost + np.maximum(markup, 0.12) + (0.05 + 0.3 * few) * draw.normal(size=rows)
    skew = np.where(cells.discharges > 1, np.abs(draw.normal(0.14, 0.12, rows)), 0.0)
    other = np.where(cells.discharges > 1, skew + draw.normal(0.0, 0.05, rows), 0.0)
    logs = {
        "Mean Charge": log_charge,
        "Median Charge": log_charge - other,
        "Mean Cost": log_cost,
        "Median Cost": log_cost - skew,
    }
    return {name: np.round(np.clip(np.exp(log), 8.0, 3e6), 2) for name, log in logs.items()}
