"""What there is of the real hospital files, through the project's own stages."""

from __future__ import annotations

import csv
import runpy
from pathlib import Path
from statistics import fmean, median
from types import SimpleNamespace

import pytest

drg = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("drg_runs.py"))))

COSTS = drg.REAL / "cost_transparency_2021_6drg_moderate.csv"
DISCHARGES = drg.REAL / "sparcs_2016_sample_1000.csv"

pytestmark = pytest.mark.skipif(
    not (COSTS.exists() and DISCHARGES.exists()), reason="the real files are not on this machine"
)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_slice_of_the_cost_table_goes_through_profits_and_totals(tmp_path, capsys):
    """Twelve of the fourteen columns, one year, a charge below cost in 28 of 870 rows."""
    root = drg.copied(tmp_path)
    made = drg.versions(root, "ingestion=file", f"ingestion.path={COSTS}", last="v6")
    told = " ".join(capsys.readouterr().err.split())
    for how in ("Mean", "Median"):
        assert f"column '{how} Cost' is above '{how} Charge' in 28 of 870 rows (3.2 %" in told
    raw = rows_of(COSTS)
    assert made["v0"].columns == list(raw[0])
    assert {name: frame.shape for name, frame in made.items()} == {
        "v0": (870, 12), "v1": (870, 12), "v2": (870, 10), "v3": (870, 11), "v4": (870, 12),
        "v5": (870, 13), "v5_1": (870, 14), "v5_2": (870, 15), "v6": (870, 16),
    }  # fmt: skip
    assert made["v2"].columns == [
        *("year", "facility_id", "facility_name", "apr_drg_code", "apr_severity_of_illness_code"),
        *("discharges", "mean_charge", "median_charge", "mean_cost", "median_cost"),
    ]
    for row, told_row in zip(made["v6"].rows(named=True), raw, strict=True):
        cases = int(told_row["Discharges"])
        profits = {
            how.lower(): float(told_row[f"{how} Charge"]) - float(told_row[f"{how} Cost"])
            for how in ("Mean", "Median")
        }
        assert (row["facility_id"], row["discharges"]) == (int(told_row["Facility Id"]), cases)
        for how, profit in profits.items():
            assert row[f"{how}_profit"] == pytest.approx(profit)
            assert row[f"total_{how}_profit"] == pytest.approx(profit * cases)
            cost = float(told_row[f"{how.title()} Cost"])
            assert row[f"total_{how}_cost"] == pytest.approx(cost * cases)


def test_the_slice_goes_on_as_far_as_one_year_can(tmp_path):
    """Six common DRGs of one severity: a row of v8 is a row of v7, and has no past."""
    root = drg.copied(tmp_path)
    overrides = ["ingestion=file", f"ingestion.path={COSTS}", "semantics=reference"]
    made = drg.versions(root, *overrides, last="v11")
    assert made["frequent_drgs"]["total"].sum() == made["v7"]["discharges"].sum()
    assert made["v8"].height == made["v7"].height > 500
    assert set(made["v8"]["severity_2_portion"]) == {1.0}
    assert made["v11"]["sum_discharges_lag1"].null_count() == made["v11"].height


def test_single_discharges_are_counted_to_the_cost_table(tmp_path):
    """1,000 patients of 2016: the cost table under its headers, and all up to v6 of it."""
    root = drg.copied(tmp_path)
    overrides = ["pipeline=discharges", "ingestion=discharges", f"ingestion.path={DISCHARGES}"]
    made = drg.versions(root, *overrides, last="v6")
    assert made["discharges"].shape == (1000, 35)
    assert {"Row", "Health Service Area", "Total Costs"} <= set(made["discharges"].columns)
    groups: dict[tuple[int, ...], list[dict[str, str]]] = {}
    code, severity = "APR DRG Code", "APR Severity of Illness Code"
    for row in rows_of(DISCHARGES):
        if row["Facility Id"]:  # three are kept back
            facility = int(row["Facility Id"].replace(",", ""))
            groups.setdefault((facility, int(row[code]), int(row[severity])), []).append(row)
    assert set(made["v0"].columns) < set(drg.sample(1).columns)
    v1 = made["v1"]
    assert v1.height == len(groups) == 943
    assert v1["discharges"].sum() == 997
    assert set(v1["year"]) == {2016}
    for row in v1.rows(named=True):
        key = (row["facility_id"], row["apr_drg_code"], row["apr_severity_of_illness_code"])
        patients = groups[key]
        charges, costs = (
            [float(p[f"Total {what}"].replace(",", "")) for p in patients]
            for what in ("Charges", "Costs")
        )
        assert row["discharges"] == len(patients)
        assert row["mean_charge"] == pytest.approx(fmean(charges))
        assert row["median_charge"] == pytest.approx(median(charges))
        assert row["mean_cost"] == pytest.approx(fmean(costs))
        assert row["median_cost"] == pytest.approx(median(costs))
    assert made["v6"].shape == (943, 16)
