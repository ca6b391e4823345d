"""Hospital files that are not what was declared: refused in one line, or noticed and used."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from heddle.domain.errors import DataContractError, IntegrityError

drg = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("drg_runs.py"))))

YEAR, FACILITY, CODE = "Year", "Facility Id", "APR DRG Code"
SEVERITY, CASES = "APR Severity of Illness Code", "Discharges"
KEY = f"key {YEAR}, {FACILITY}, {CODE}, {SEVERITY} is not unique"


@pytest.fixture(scope="module")
def good() -> pl.DataFrame:
    return drg.sample(400)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return drg.copied(tmp_path)


def first(column: str, value: object) -> object:
    """Put a value into the first row."""
    return lambda f: f.with_columns(
        pl.when(pl.int_range(pl.len()) == 0).then(value).otherwise(pl.col(column)).alias(column)
    )


def text(column: str, value: str) -> object:
    """Put a text into the third row."""
    cell = pl.when(pl.int_range(pl.len()) == 2).then(pl.lit(value))
    return lambda f: f.with_columns(cell.otherwise(pl.col(column).cast(pl.String)).alias(column))


def swapped(frame: pl.DataFrame) -> pl.DataFrame:
    """Charges under the header of costs, and the other way round."""
    pairs = {"Mean Charge": "Mean Cost", "Median Charge": "Median Cost"}
    names = {**pairs, **{new: old for old, new in pairs.items()}}
    return frame.select(pl.col(names.get(name, name)).alias(name) for name in frame.columns)


REFUSED = {
    "the same row twice": (lambda f: pl.concat([f, f.head(1)]), KEY, "in line 402 (1 such row)"),
    "the same key with other figures": (
        lambda f: pl.concat([f, f.head(2).with_columns(pl.col(CASES) + 7)]),
        KEY, "(2 such rows)",
    ),
    "severity 0": (first(SEVERITY, 0), "goes down to 0, least is 1", "first in line 2"),
    "severity 5": (first(SEVERITY, 5), "goes up to 5, most is 4", "first in line 2"),
    "no discharges": (first(CASES, 0), f"column '{CASES}' goes down to 0, least is 1", "line 2"),
    "fewer than none": (first(CASES, -3), f"column '{CASES}' goes down to -3", "line 2"),
    "costs in place of charges": (
        swapped, "column 'Mean Cost' is above 'Mean Charge' in", "at most 10 % may be",
    ),
    "a charge of nothing": (first("Mean Charge", 0.0), "must be above 0", "line 2"),
    "a code as text": (text(CODE, "A04"), f"column '{CODE}', line 4: 'A04' is no number", "Mend"),
    "a code with a fraction": (text(CODE, "4.5"), "line 4: '4.5' is no whole number", "Mend"),
    "a facility written 1,458": (
        text(FACILITY, "1,458"), f"column '{FACILITY}', line 4: '1,458' is no number",
        "ingestion.options",
    ),
    "no year in any row": (
        lambda f: f.with_columns(pl.lit(None, pl.Int64).alias(YEAR)).select(f.columns),
        f"column '{YEAR}' is missing in all 400 rows", "Mend the data",
    ),
    "a year that was not yet": (first(YEAR, 20_170), "goes up to 20170, most is 2100", "line 2"),
    "no column of cases": (
        lambda f: f.drop(CASES), f"column '{CASES}' is missing, there are {YEAR}, ", "Mend",
    ),
    "headers sanitised already": (
        lambda f: f.rename(lambda name: name.lower().replace(" ", "_")),
        "none of the declared columns ('Year', 'Facility Id', ", "is a header there?",
    ),
    "hardly any row": (lambda f: f.head(9), "has 9 rows, declared are 50 to 100,000,000", "Mend"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_file_is_refused_and_nothing_is_published(project, good, name):
    """Where, what, how many, what to do."""
    change, *said = REFUSED[name]
    with pytest.raises(DataContractError) as caught:
        drg.versions(project, *drg.from_file(project, change(good)), last="v0")
    words = str(caught.value)
    assert caught.value.exit_code == 3
    assert words.startswith("raw.csv: ")
    assert "\n" not in words
    for part in said:
        assert part in words, words
    assert not (project / "data" / "v0").exists()


def test_the_reference_only_notices_a_row_that_stands_twice(project, good, capsys):
    """It looks for none, and figures that are compared with it must come from the same rows."""
    overrides = drg.from_file(project, pl.concat([good, good.head(1)]))
    made = drg.versions(project, *overrides, "semantics=reference", last="v1")
    assert made["v1"].height == good.height + 1
    assert f"v0: {KEY}: " in " ".join(capsys.readouterr().err.split())


def test_cost_above_charge_now_and_then_is_noticed(project, good, capsys):
    """Profit may be negative: a hospital can charge less than it spends."""
    change = first("Mean Cost", good["Mean Charge"][0] + 1)
    made = drg.versions(project, *drg.from_file(project, change(good)), last="v4")
    told = " ".join(capsys.readouterr().err.split())
    assert "column 'Mean Cost' is above 'Mean Charge' in 1 of 400 rows (0.25 %, first" in told
    assert made["v4"]["mean_profit"][0] == pytest.approx(-1)


def test_codes_with_leading_zeros_are_the_same_codes(project, good):
    """And so are codes in quotes, with blanks around them, or written 4.0."""
    padded = good.with_columns(
        pl.col(CODE).cast(pl.String).str.zfill(3),
        pl.col(FACILITY).cast(pl.String).str.zfill(6),
        pl.col(SEVERITY).cast(pl.Float64).cast(pl.String),
        pl.format(" {} ", YEAR).alias(YEAR),
    )
    one = drg.versions(project, *drg.from_file(project, good), last="v0")["v0"]
    two = drg.versions(project, *drg.from_file(project, padded), last="v0")["v0"]
    assert one.equals(two)


def test_medical_or_surgical_may_be_missing(project, good):
    """No later version needs it; with it, it is kept as far as the reference keeps it."""
    few = good.drop("APR Medical Surgical Code", "APR Medical Surgical Description")
    made = drg.versions(project, *drg.from_file(project, few), last="v7")
    assert made["v0"].columns == few.columns
    assert "apr_medical_surgical_code" not in made["v7"].columns
    full = drg.versions(project, *drg.from_file(project, good), last="v7")["v7"]
    assert "apr_medical_surgical_code" in full.columns
    assert full.drop("apr_medical_surgical_code").equals(made["v7"])


def test_a_year_that_no_hospital_has_is_noticed_or_refused(project, good, capsys):
    """A newer download has such years; the snapshot of 2024 has not."""
    overrides = drg.from_file(project, good.filter(pl.col(YEAR) != 2013))
    drg.versions(project, *overrides, last="v0")
    told = " ".join(capsys.readouterr().err.split())
    assert f"v0: column '{YEAR}' goes from 2009 to 2017, no row has 2013" in told
    with pytest.raises(DataContractError) as caught:
        drg.versions(project, *overrides, "expectations=snapshot_2024", last="v0")
    assert "no row has 2013" in str(caught.value)
    assert re.search(r"has \d+ rows, declared are 1,081,672", str(caught.value))


def test_a_version_edited_by_hand_is_refused_by_the_stage_that_reads_it(project, good):
    """Its bytes are not those that its stage wrote, and the way on is told."""
    drg.versions(project, *drg.from_file(project, good), last="v7")
    path = project / "data" / "v7" / "v7.parquet"
    pl.read_parquet(path).with_columns(pl.col("discharges") + 1).write_parquet(path)
    plan = drg.planned("ingestion=file", "ingestion.path=raw.csv")
    with pytest.raises(IntegrityError, match=r"v7\.parquet: holds .*, recorded was .*--force"):
        drg.stage(project, plan, "v7_agg_severities")
