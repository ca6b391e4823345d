"""The hospital project's data versions, as they should be and as the reference has them."""

from __future__ import annotations

import runpy
from hashlib import md5
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from heddle.domain.errors import DataContractError
from heddle.infrastructure.dvc_lock import Digests
from heddle.infrastructure.hydra_config import compose_config
from heddle.pipeline.catalog import Catalog
from heddle.pipeline.lineage import Recorded, states
from heddle.pipeline.plan import Plan
from heddle.pipeline.run_step import apply_step
from heddle.pipeline.stages import Stage

drg = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("drg_runs.py"))))
slow = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("drg_slowly.py"))))

KEY, MEASURES, TARGET = drg.KEY, drg.MEASURES, drg.TARGET
RATIO = ["facility_drg_count", "year_drg_count", "ratio_drg_facility_vs_year"]
BIN = "yearly_discharge_bin"
TOTALS = [f"sum_total_{m}" for m in ("mean_profit", "mean_cost", "median_profit", "median_cost")]
LAGS, ROLLING = [f"{c}_lag1" for c in MEASURES], [f"{c}_rolling2" for c in MEASURES]
ROWS = 3000


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    return drg.copied(tmp_path_factory.mktemp("drg"))


def run(project: Path, semantics: str, *overrides: str, last: str = "v14"):
    return drg.versions(project, f"semantics={semantics}", *overrides, last=last)


def files(root: Path) -> dict[str, bytes]:
    found = sorted((root / "data").glob("*/*.*"))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def correct_run(project) -> tuple[dict[str, pl.DataFrame], dict[str, bytes]]:
    made = run(project, "correct", f"ingestion.rows={ROWS}")
    return made, files(project)  # as they were before another run wrote there


@pytest.fixture(scope="module")
def correct(correct_run) -> dict[str, pl.DataFrame]:
    return correct_run[0]


@pytest.fixture(scope="module")
def reference(project) -> dict[str, pl.DataFrame]:
    return run(project, "reference", f"ingestion.rows={ROWS}")


def test_the_reference_has_the_columns_that_are_known_of_it(reference):
    """Names and order of v8 to v13, and how many there are of every version."""
    v8 = ["index", *KEY, *MEASURES]
    assert reference["v8"].columns == v8
    assert reference["v9"].columns == [*v8, *RATIO]
    assert reference["v10"].columns == [*v8, *RATIO, BIN]
    assert reference["v11"].columns == [*v8, *RATIO, BIN, *LAGS]
    assert reference["v12"].columns == [*v8, *RATIO, BIN, *LAGS, *ROLLING]
    v13 = ["index", *KEY, TARGET, *RATIO, BIN, *LAGS, *ROLLING]
    assert reference["v13"].columns == v13
    widths = [14, 14, 11, 12, 13, 14, 15, 16, 17, 17, 19, 22, 23, 38, 53, 39, 39]
    chain = [name for name in reference if name != "frequent_drgs"]
    assert [reference[name].width for name in chain] == widths
    assert {str(t) for t in reference["v8"].drop("index", *KEY).dtypes} == {"Float64"}


def test_the_correct_versions_have_no_index_and_only_the_past(correct):
    """True totals beside the double-weighted ones; case mix and size lagged; years since."""
    v8 = [*KEY, *MEASURES, *TOTALS]
    assert correct["v8"].columns == v8
    assert correct["v10"].columns == [*v8, *RATIO, BIN]
    lagged = [f"{c}_lag1" for c in (*MEASURES, *TOTALS, *RATIO, BIN)]
    rolled = [*ROLLING, *(f"{c}_rolling2" for c in TOTALS)]
    since = "years_since_last"
    assert set(correct["v11"].columns) == {*v8, *RATIO, BIN, *lagged, since}
    assert set(correct["v12"].columns) == {*correct["v11"].columns, *rolled}
    targets = [TARGET, "sum_total_mean_profit"]
    assert set(correct["v13"].columns) == {*KEY, *targets, *lagged, since, *rolled}
    assert correct["v13"].width == 48


def test_both_have_the_same_rows_up_to_v6_and_relate_them_as_declared(correct, reference):
    """Profits and totals add none; a row of v8 is a year, facility and DRG of v7."""
    for made in (correct, reference):
        assert {made[f"v{n}"].height for n in (0, 1, 2, 3, 4, 5, 6)} == {ROWS}
        assert made["v7"].height < ROWS
        groups = made["v7"].unique(KEY)
        assert [made[f"v{n}"].height for n in (8, 9, 10, 11)] == [groups.height] * 4
        assert_frame_equal(made["v8"].select(KEY), groups.select(KEY).sort(KEY))
    series = reference["v8"].unique(KEY[1:]).height
    assert reference["v12"].height == reference["v13"].height == reference["v11"].height - series
    assert correct["v12"].height == correct["v11"].height
    assert correct["v13"].height < correct["v12"].height


def test_v0_keeps_the_headers_and_v1_sanitises_them(correct):
    """Nothing else changes."""
    assert correct["v0"].columns[:4] == ["Year", "Facility Id", "Facility Name", "APR DRG Code"]
    assert correct["v1"].columns[:4] == ["year", "facility_id", "facility_name", "apr_drg_code"]
    assert correct["v1"].rows() == correct["v0"].rows()


def test_profits_and_totals_are_those_of_their_names(correct):
    """Row by row."""
    v6, c = correct["v6"], pl.col
    assert_frame_equal(
        v6.select("median_profit", "mean_profit", "total_mean_profit", "total_median_profit"),
        v6.select(
            median_profit=c("median_charge") - c("median_cost"),
            mean_profit=c("mean_charge") - c("mean_cost"),
            total_mean_profit=(c("mean_charge") - c("mean_cost")) * c("discharges"),
            total_median_profit=(c("median_charge") - c("median_cost")) * c("discharges"),
        ),
    )
    assert_frame_equal(
        v6.select("total_median_cost", "total_mean_cost"),
        v6.select(
            total_median_cost=c("median_cost") * c("discharges"),
            total_mean_cost=c("mean_cost") * c("discharges"),
        ),
    )


def test_the_reference_agrees_with_its_description_read_aloud(reference):
    """Every cell of v8 to v13 beside plain Python, row by row."""
    told = slow.reference(reference["v0"].rows(named=True))
    for name in ("v8", "v10", "v11", "v12", "v13"):
        made, wanted = reference[name], pl.DataFrame(told[name])
        assert_frame_equal(
            made, wanted.select(made.columns), check_dtypes=False, rel_tol=1e-9, abs_tol=1e-6
        )


def test_a_second_run_writes_the_same_bytes(project, correct):
    """Metadata too: a version that does not change changes no file."""
    files = sorted((project / "data").rglob("*.*"))
    before = {path: path.read_bytes() for path in files}
    run(project, "correct", f"ingestion.rows={ROWS}")
    after = {path: path.read_bytes() for path in files}
    run(project, "reference", f"ingestion.rows={ROWS}", last="v8")
    assert len(files) == 2 * 18
    assert [p.name for p in files if before[p] != after[p]] == []
    changed = {p.parent.name for p in files if p.read_bytes() != before[p]}
    assert {"v8"} <= changed <= {"frequent_drgs", "v7", "v8"}


@pytest.mark.parametrize(
    ("override", "stage", "first"),
    [
        ("transformations.median_profit.right=mean_cost", "v2_median_profit", "v3"),
        ("transformations.lag_columns.order=row", "v10_lag_columns", "v11"),
    ],
)
def test_a_change_concerns_its_stage_and_what_is_made_of_it(override, stage, first):
    """One entry of params.yaml differs; DVC's graph leads from it to the later versions alone."""
    plain, other = drg.planned(), drg.planned(override)
    changed = [name for name in plain.entries if plain.entries[name] != other.entries[name]]
    assert changed == [stage]
    rerun = set(changed)
    for one in plain.stages:  # each after those that it reads
        if any(set(one.reads) & set(s.outputs) for s in plain.stages if s.name in rerun):
            rerun.add(one.name)
    chain = [
        "v0",
        "v1",
        "v2",
        "v3",
        "v4",
        "v5",
        "v5_1",
        "v5_2",
        "v6",
        *(f"v{n}" for n in range(7, 15)),
    ]
    made = {v for s in plain.stages if s.name in rerun for v in s.outputs}
    assert [v for v in chain if v in made] == chain[chain.index(first) :]


def test_csv_keeps_the_same_tables(tmp_path, correct):
    """`data_storage=csv`: types come back, floats to the last bit."""
    root = drg.copied(tmp_path)
    made = run(root, "correct", f"ingestion.rows={ROWS}", "data_storage=csv", last="v13")
    assert (root / "data" / "v13" / "v13.csv").is_file()
    for name in ("v0", "v7", "v13"):
        assert made[name].equals(correct[name])


def test_pandas_csv_writes_the_files_of_pandas(tmp_path, reference):
    """`data_storage=pandas_csv`: the bytes of its `to_csv(index=False)`, version by version."""
    root = drg.copied(tmp_path)
    run(root, "reference", f"ingestion.rows={ROWS}", "data_storage=pandas_csv", last="v13")
    for name in ("v0", "v7", "v8", "v10", "v11", "v12", "v13"):
        theirs = reference[name].to_pandas().to_csv(index=False, lineterminator="\n").encode()
        assert (root / "data" / name / f"{name}.csv").read_bytes() == theirs


def test_duckdb_makes_the_same_files(tmp_path, correct_run):
    """`engine=duckdb`: the bytes of every version and of its metadata; no stage is stale."""
    pytest.importorskip("duckdb", reason="duckdb is an extra that is not installed")
    root, told = drg.copied(tmp_path), ("semantics=correct", f"ingestion.rows={ROWS}")
    made, here = drg.versions(root, *told, "engine=duckdb", last="v14"), correct_run[1]
    there = files(root)
    assert there.keys() == here.keys()
    assert [path for path in here if there[path] != here[path]] == []
    plan = drg.planned(*told)
    polars = {path: md5(written).hexdigest() for path, written in here.items()}
    lock = {s.name: recorded(plan, s, polars) for s in plan.stages if made.keys() & {*s.outputs}}
    now = states(drg.planned(*told, "engine=duckdb"), lock, Digests(root, tmp_path / "seen.json"))
    assert len(lock) == len(made)
    assert [state for state in now if state.name in lock and state.stale] == []


def recorded(plan: Plan, stage: Stage, digests: dict[str, str]) -> Recorded:
    """What DVC would have recorded of a stage that wrote files of these digests."""
    reads = [path for version in stage.reads for path in plan.paths(version)]
    writes = [path for version in stage.outputs for path in plan.paths(version)]
    return Recorded(
        entry=plan.entries[stage.name],
        reads={path: digests[path] for path in reads},
        writes={path: digests[path] for path in writes},
    )


def test_v14_is_whole_series_of_v13(correct):
    """About a tenth of them, chosen by their key."""
    v13, v14 = correct["v13"], correct["v14"]
    chosen = v14.unique(KEY[1:]).height
    assert 0 < chosen < 0.25 * v13.unique(KEY[1:]).height
    assert_frame_equal(v13.join(v14.select(KEY[1:]).unique(), on=KEY[1:], how="semi"), v14)


def test_the_snapshot_is_an_expectation_with_a_name(project):
    """Exact rows and columns; another file is refused by both."""
    declared = compose_config(project, ["expectations=snapshot_2024", "semantics=reference"])
    told = {
        name: (contract["rows"]["min"], contract["rows"]["max"], contract["width"])
        for name, contract in declared["data_versions"].items()
        if "width" in contract
    }
    rows = {"v7": 1_039_994, "v8": 358_435, "v9": 358_435, "v10": 358_435, "v11": 358_435}
    rows |= {"v12": 309_684, "v13": 309_684}
    widths = [14, 14, 11, 12, 13, 14, 15, 16, 17, 17, 19, 22, 23, 38, 53, 39]
    names = ["v0", "v1", "v2", "v3", "v4", "v5", "v5_1", "v5_2", "v6", *rows]
    n = {name: rows.get(name, 1_081_672) for name in names}
    assert told == {v: (n[v], n[v], w) for v, w in zip(names, widths, strict=True)}
    contracts = declared["data_versions"]
    assert {v: len(contracts[v]["columns"]) for v in names} == dict(zip(names, widths, strict=True))
    with pytest.raises(DataContractError, match="has 60 rows, declared are 1,081,672"):
        run(project, "reference", "expectations=snapshot_2024", "ingestion.rows=60", last="v0")


def test_the_cost_table_can_be_counted_from_discharges_instead():
    """The same chain behind another beginning."""
    other = drg.planned("pipeline=discharges", "ingestion=discharges").stages
    declared = {stage.name: stage for stage in drg.planned("semantics=correct").stages}
    assert [stage.name for stage in other][:2] == ["discharges_ingest_data", "v0_ingest_data"]
    assert other[1].steps == ("drop_unknown_facilities", "count_discharges")
    assert [s for s in other if s.name != "v0_ingest_data"][1:] == [
        stage for name, stage in declared.items() if name != "v0_ingest_data"
    ]


# What the two semantics differ in, on tables small enough to see.


def few(project: Path, semantics: str, rows: list[tuple[int, ...]], last: str = "v13"):
    """Run on rows of (year, facility, DRG, severity, cases, charge), cost being half of it."""
    frame = pl.DataFrame(
        [
            (y, f, f"Hospital {f}", d, s, "Group", "Level", "M", "Medical", n, c, c, c / 2, c / 2)
            for y, f, d, s, n, c in rows
        ],
        schema=drg.sample(1).schema,
        orient="row",
        strict=False,
    )  # fmt: skip
    overrides = [*drg.from_file(project, frame), "data_versions.v0.rows.min=1"]
    overrides += [
        "+data_versions.v12.rows.keeps=0",
        "+data_versions.v7.rows.keeps=0",
        "+data_versions.v13.rows.keeps=0",
    ]
    return run(project, semantics, *overrides, last=last)


HOLE = [(year, 1, 10, 1, 2000, 100.0 * (year - 2000)) for year in (2009, 2010, 2012, 2013)]


def test_the_row_before_is_not_always_the_year_before(tmp_path):
    """Without a row of 2011, the reference takes 2010 for the year before 2012."""
    root = drg.copied(tmp_path)
    lag = f"{TARGET}_lag1"
    totals = {y: 2000 * 100.0 * (y - 2000) / 2 for y in (2009, 2010, 2012, 2013)}
    by_row = few(root, "reference", HOLE)["v12"]
    assert by_row.select("year", lag, f"{TARGET}_rolling2").rows() == [
        (2010, totals[2009], totals[2009]),
        (2012, totals[2010], (totals[2009] + totals[2010]) / 2),
        (2013, totals[2012], (totals[2010] + totals[2012]) / 2),
    ]
    by_year = few(root, "correct", HOLE)["v12"]
    since = "years_since_last"
    assert by_year.select("year", lag, f"{TARGET}_rolling2", since).rows() == [
        (2009, None, None, None),
        (2010, totals[2009], totals[2009], 1),
        (2012, None, totals[2010], 2),
        (2013, totals[2012], totals[2012], 1),
    ]


def test_rows_without_history_leave_in_a_step_of_their_own(tmp_path):
    """The reference loses the first of a series while it computes a mean; 2012 is kept by both."""
    root = drg.copied(tmp_path)
    series = [*HOLE, (2017, 1, 10, 1, 2000, 900.0)]
    by_row, by_year = few(root, "reference", series), few(root, "correct", series)
    assert by_row["v12"]["year"].to_list() == [2010, 2012, 2013, 2017]
    assert by_year["v12"]["year"].to_list() == [2009, 2010, 2012, 2013, 2017]
    assert by_year["v13"]["year"].to_list() == [2010, 2012, 2013]  # nothing is known of 2015, 2016
    steps = {
        semantics: {
            name: [step["name"] for step in drg.planned(semantics).entries[name]["steps"]]
            for name in ("v11_rolling_columns", "v12_drop_non_lag_columns")
        }
        for semantics in ("semantics=correct", "semantics=reference")
    }
    filtering = "drop_rows_without_history"
    assert steps == {
        "semantics=correct": {
            "v11_rolling_columns": ["rolling_columns"],
            "v12_drop_non_lag_columns": [filtering, "drop_non_lag_columns"],
        },
        "semantics=reference": {
            "v11_rolling_columns": ["rolling_columns", filtering],
            "v12_drop_non_lag_columns": ["drop_non_lag_columns"],
        },
    }


def test_a_drg_is_rare_or_not_by_what_was_known(tmp_path):
    """One that grew from 2012 on, the first year predicted; exactly 5000 is rare."""
    root = drg.copied(tmp_path)
    rows = [(2010, 1, 10, 1, 1700, 50.0)]  # frequent before, 1700 in all
    rows += [(2011, 1, 20, 1, 1500, 50.0), (2012, 1, 20, 1, 9000, 50.0)]  # frequent since
    rows += [(2010, 1, 30, 1, 2500, 50.0), (2011, 1, 30, 1, 2500, 50.0)]  # 5000
    rows += [(2010, 1, 40, 1, 2501, 50.0), (2011, 1, 40, 1, 2500, 50.0)]  # 5001
    rows += [(2011, 1, 50, 1, 1666, 50.0)]
    kept = {s: few(root, s, rows, last="v7") for s in ("reference", "correct")}
    assert kept["reference"]["frequent_drgs"].rows() == [(20, 10_500), (40, 5001)]
    assert kept["correct"]["frequent_drgs"].rows() == [(10, 1700), (30, 5000), (40, 5001)]
    for made in kept.values():
        assert set(made["v7"]["apr_drg_code"]) == set(made["frequent_drgs"]["apr_drg_code"])


def test_a_total_counts_each_case_once_or_twice(tmp_path):
    """w_total_… weights by discharges what was multiplied by them; sum_total_… does not."""
    root = drg.copied(tmp_path)
    rows = [(2011, 1, 10, 1, 6000, 20.0), (2011, 1, 10, 2, 2000, 80.0)]  # profits 10 and 40
    v8 = few(root, "correct", rows, last="v8")["v8"]
    assert v8["sum_total_mean_profit"].to_list() == [6000 * 10 + 2000 * 40]
    twice = (6000 * 6000 * 10 + 2000 * 2000 * 40) / 8000
    assert v8["w_total_mean_profit"].to_list() == [twice]
    assert v8[TARGET].to_list() == [60_000]  # the total of the severity with most cases
    assert "sum_total_mean_profit" not in few(root, "reference", rows, last="v8")["v8"].columns


def test_an_unknown_price_keeps_its_weight_only_in_the_reference(project):
    """The file's contract lets no price be unknown; the step is configured for the day it does."""
    names = ["charge", "cost", "profit"]
    priced = [f"{how}_{name}" for how in ("mean", "median") for name in names]
    priced += [f"total_{how}_{name}" for how in ("mean", "median") for name in names[1:]]
    rows = {
        "year": [2012, 2012], "facility_id": [1, 1], "apr_drg_code": [10, 10],
        "apr_severity_of_illness_code": [1, 2], "discharges": [1, 3],
    }  # fmt: skip
    table = pl.DataFrame({**rows, **{name: [8.0, None] for name in priced}})
    step = Catalog(project).step("aggregate_weighted")
    made = {}
    for semantics in ("correct", "reference"):
        told = drg.planned(f"semantics={semantics}").entries["v7_agg_severities"]
        config = step.read_config(told["steps"][0]["with"], "agg_severities")
        made[semantics] = apply_step(step, [table], config).select("w_mean_cost", "w_median_cost")
    assert made["correct"].rows() == [(8.0, 8.0)]
    assert made["reference"].rows() == [(2.0, None)]


def changed(raw: pl.DataFrame, year: int) -> pl.DataFrame:
    """Other prices and case counts in one year, and a facility that treats nothing in it."""
    here = pl.col("Year") == year
    more = [
        pl.when(here).then(pl.col(c) * factor).otherwise(pl.col(c)).cast(raw.schema[c]).alias(c)
        for c, factor in (
            *(("Discharges", 3), ("Mean Charge", 1.7), ("Median Charge", 1.3)),
            *(("Mean Cost", 1.1), ("Median Cost", 0.9)),
        )
    ]
    gone = here & (pl.col("Facility Id") == raw["Facility Id"].min())
    return raw.with_columns(more).filter(~gone)


def features(made: pl.DataFrame) -> pl.DataFrame:
    return made.drop([c for c in (TARGET, "sum_total_mean_profit", "index") if c in made.columns])


@pytest.mark.parametrize("year", [2012, 2016])
def test_no_feature_knows_of_its_year_or_the_years_to_come(tmp_path, year):
    """Change a year: no row of it or before has another feature, but rows after it have.

    Which DRGs there are is decided on the years before the first that is predicted.
    """
    root, raw = drg.copied(tmp_path), drg.sample(1500)
    tables = []
    for frame in (raw, changed(raw, year)):
        overrides = [*drg.from_file(root, frame), "+data_versions.v13.rows.keeps=0"]
        tables.append(features(drg.versions(root, *overrides)["v13"]))
    one, two = (t.filter(pl.col("year") <= year) for t in tables)
    kept = one.join(two, on=KEY, how="semi")
    assert kept.height > 0.8 * one.height
    assert_frame_equal(kept, two.join(one, on=KEY, how="semi"))
    assert two.join(one, on=KEY, how="anti").is_empty()
    later = [t.filter(pl.col("year") == year + 1) for t in tables]
    assert not later[0].equals(later[1])


def test_the_features_of_the_reference_know_of_their_year(tmp_path):
    """Case mix, size and the set of DRGs: what the correct ones are there for."""
    root, raw = drg.copied(tmp_path), drg.sample(1500)
    tables = []
    for frame in (raw, changed(raw, 2016)):
        overrides = [*drg.from_file(root, frame), "semantics=reference"]
        made = features(drg.versions(root, *overrides)["v13"])
        tables.append(made.filter(pl.col("year") == 2016))
    both = tables[0].join(tables[1], on=KEY, suffix="_changed")
    differ = [c for c in (*RATIO, BIN) if not both[c].equals(both[f"{c}_changed"])]
    assert BIN in differ or RATIO[2] in differ
