"""The reference's versions in plain Python, from their description, as slow as it is obvious."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

Row = dict[str, Any]

MEANS = ("mean_charge", "mean_cost", "mean_profit", "total_mean_profit", "total_mean_cost")
MEDIANS = (
    *("median_charge", "median_cost", "median_profit"),
    *("total_median_profit", "total_median_cost"),
)
MEASURES = [
    *("sum_discharges", *(f"severity_{k}_portion" for k in (1, 2, 3, 4))),
    *(f"w_{name}" for name in (*MEANS, *MEDIANS)),
]
TARGET = "w_total_median_profit"


def reference(raw: list[Row]) -> dict[str, list[Row]]:
    """Return v8, v10, v11, v12 and v13 of the raw file's rows."""
    v8 = _severities_together(_frequent([_priced(row) for row in raw]))
    v10 = _sized(_mixed(v8))
    v11 = _lagged(v10)
    v12 = [row for row in _rolled(v11) if all(v is not None for k, v in row.items() if _past(k))]
    gone = [name for name in MEASURES if name != TARGET]
    v13 = [{k: v for k, v in row.items() if k not in gone} for row in v12]
    return {"v8": v8, "v10": v10, "v11": v11, "v12": v12, "v13": v13}


def _past(name: str) -> bool:
    return name.endswith("_rolling2")


def _priced(raw: Row) -> Row:
    row = {name.lower().replace(" ", "_"): value for name, value in raw.items()}
    for how in ("median", "mean"):
        row[f"{how}_profit"] = row[f"{how}_charge"] - row[f"{how}_cost"]
        row[f"total_{how}_profit"] = row[f"{how}_profit"] * row["discharges"]
        row[f"total_{how}_cost"] = row[f"{how}_cost"] * row["discharges"]
    return row


def _frequent(rows: list[Row]) -> list[Row]:
    total: dict[int, int] = defaultdict(int)
    for row in rows:
        total[row["apr_drg_code"]] += row["discharges"]
    return [row for row in rows if total[row["apr_drg_code"]] > 5000]


def _severities_together(rows: list[Row]) -> list[Row]:
    groups: dict[tuple[int, int, int], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["year"], row["facility_id"], row["apr_drg_code"]].append(row)
    made = []
    for index, (key, group) in enumerate(sorted(groups.items())):
        cases = sum(row["discharges"] for row in group)
        one: Row = {"index": index, "year": key[0], "facility_id": key[1], "apr_drg_code": key[2]}
        one["sum_discharges"] = float(cases)
        for k in (1, 2, 3, 4):
            at = [r["discharges"] for r in group if r["apr_severity_of_illness_code"] == k]
            one[f"severity_{k}_portion"] = sum(at) / cases
        for name in MEANS:
            one[f"w_{name}"] = sum(row[name] * row["discharges"] for row in group) / cases
        for name in MEDIANS:
            running = 0
            for row in sorted(group, key=lambda row: row[name]):
                running += row["discharges"]
                if running >= cases / 2:
                    one[f"w_{name}"] = row[name]
                    break
        made.append(one)
    return made


def _mixed(rows: list[Row]) -> list[Row]:
    here: dict[tuple[int, int], set[int]] = defaultdict(set)
    all_drgs: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        here[row["year"], row["facility_id"]].add(row["apr_drg_code"])
        all_drgs[row["year"]].add(row["apr_drg_code"])
    return [
        {
            **row,
            "facility_drg_count": (a := len(here[row["year"], row["facility_id"]])),
            "year_drg_count": (b := len(all_drgs[row["year"]])),
            "ratio_drg_facility_vs_year": a / b,
        }
        for row in rows
    ]


def _sized(rows: list[Row]) -> list[Row]:
    totals: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for row in rows:
        totals[row["year"]][row["facility_id"]] += row["sum_discharges"]
    made = []
    for row in rows:
        sizes = totals[row["year"]]
        edges = np.unique(np.quantile(list(sizes.values()), [0, 0.2, 0.4, 0.6, 0.8, 1]))
        place = int(np.searchsorted(edges, sizes[row["facility_id"]], side="left"))
        made.append({**row, "yearly_discharge_bin": max(0, place - 1)})
    return made


def _series(rows: list[Row]) -> list[list[Row]]:
    series: dict[tuple[int, int], list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda r: (r["facility_id"], r["apr_drg_code"], r["year"])):
        series[row["facility_id"], row["apr_drg_code"]].append(row)
    return list(series.values())


def _lagged(rows: list[Row]) -> list[Row]:
    made = []
    for series in _series(rows):
        for place, row in enumerate(series):
            before = series[place - 1] if place else dict.fromkeys(MEASURES)
            made.append({**row, **{f"{name}_lag1": before[name] for name in MEASURES}})
    return made


def _rolled(rows: list[Row]) -> list[Row]:
    made = []
    for series in _series(rows):
        for place, row in enumerate(series):
            past = series[max(0, place - 2) : place]
            means = {
                f"{name}_rolling2": sum(r[name] for r in past) / len(past) if past else None
                for name in MEASURES
            }
            made.append({**row, **means})
    return made
