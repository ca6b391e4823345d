"""The hospital chain as one Polars program: a CSV in, v13 out, nothing written in between.

What somebody writes who knows Polars and wants this one table: no version, no hash, no check.
It computes what `projects/drg` does by its default semantics.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
from polars import col

KEYS = ["year", "facility_id", "apr_drg_code"]
SERIES = ["facility_id", "apr_drg_code"]
MEANS = ["mean_charge", "mean_cost", "mean_profit", "total_mean_profit", "total_mean_cost"]
MEDIANS = [name.replace("mean", "median") for name in MEANS]
TOTALS = ["total_mean_profit", "total_mean_cost", "total_median_profit", "total_median_cost"]
PORTIONS = [f"severity_{k}_portion" for k in (1, 2, 3, 4)]
MEASURES = ["sum_discharges", *PORTIONS, *(f"w_{name}" for name in (*MEANS, *MEDIANS))]
MEASURES += [f"sum_{name}" for name in TOTALS]
OF_THE_YEAR = ["facility_drg_count", "year_drg_count", "ratio_drg_facility_vs_year"]
OF_THE_YEAR += ["yearly_discharge_bin"]
TARGETS = ["w_total_median_profit", "sum_total_mean_profit"]
TRAIN_UNTIL, MORE_THAN = 2011, 1666


def main(source: Path, target: Path) -> None:
    groups = with_bins(with_ratio(aggregated(with_profits(read(source)))))
    made = with_past(groups)
    known_later = [name for name in (*MEASURES, *OF_THE_YEAR) if name not in TARGETS]
    made.drop(known_later).write_parquet(target)


def read(source: Path) -> pl.LazyFrame:
    lazy = pl.scan_csv(source)
    names = {n: n.lower().replace(" ", "_") for n in lazy.collect_schema().names()}
    kept = [new for new in names.values() if not new.endswith("description")]
    return lazy.rename(names).select(kept)


def with_profits(rows: pl.LazyFrame) -> pl.DataFrame:
    """Profits, totals, and only DRGs that are frequent before the first year that is predicted."""
    rows = rows.with_columns(
        (col(f"{kind}_charge") - col(f"{kind}_cost")).alias(f"{kind}_profit")
        for kind in ("median", "mean")
    )
    rows = rows.with_columns(
        (col(name.removeprefix("total_")) * col("discharges")).alias(name) for name in TOTALS
    )
    table = rows.collect()
    training = table.filter(col("year") <= TRAIN_UNTIL)
    weighed = training.group_by("apr_drg_code").agg(col("discharges").sum())
    frequent = weighed.filter(col("discharges") > MORE_THAN)
    return table.join(frequent, on="apr_drg_code", how="semi")


def aggregated(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per year, facility and DRG: portions, weighted means, lower weighted medians."""
    weight, severity = col("discharges"), col("apr_severity_of_illness_code")
    rows = rows.sort(KEYS)
    first = pl.any_horizontal(col(key) != col(key).shift() for key in KEYS).fill_null(value=True)
    rows = rows.with_columns(group=first.cum_sum())
    total = col("sum_discharges")
    made = rows.group_by("group", maintain_order=True).agg(
        *(col(key).first() for key in KEYS),
        weight.sum().cast(pl.Float64).alias("sum_discharges"),
        *(weight.filter(severity == k).sum().alias(PORTIONS[k - 1]) for k in (1, 2, 3, 4)),
        *((col(name) * weight).sum().alias(f"w_{name}") for name in MEANS),
        *(col(name).sum().alias(f"sum_{name}") for name in TOTALS),
    )
    weighted = [*PORTIONS, *(f"w_{name}" for name in MEANS)]
    made = made.with_columns(col(name) / total for name in weighted)
    medians = [median(rows, name).alias(f"w_{name}") for name in MEDIANS]
    return made.with_columns(medians).select(*KEYS, *MEASURES)


def median(rows: pl.DataFrame, name: str) -> pl.Series:
    """For each group in order the smallest value at which the running weight is half or more."""
    weight, running = col("discharges"), col("discharges").cum_sum()
    new = (col("group") != col("group").shift()).fill_null(value=True)
    before = pl.when(new).then(running - weight).forward_fill()
    upto = pl.when(new.shift(-1, fill_value=True)).then(running).backward_fill()
    enough = (running - before) * 2 >= upto - before
    ordered = rows.lazy().select("group", name, "discharges").sort("group", name)
    found = ordered.filter(enough).unique("group", keep="first", maintain_order=True)
    return found.collect().get_column(name)


def with_ratio(groups: pl.DataFrame) -> pl.DataFrame:
    drgs = col("apr_drg_code").n_unique().cast(pl.Int64)
    here = groups.group_by("year", "facility_id").agg(drgs.alias("facility_drg_count"))
    counts = here.join(groups.group_by("year").agg(drgs.alias("year_drg_count")), on="year")
    ratio = col("facility_drg_count") / col("year_drg_count")
    counts = counts.with_columns(ratio.alias("ratio_drg_facility_vs_year"))
    return groups.join(counts, on=["year", "facility_id"], how="left", maintain_order="left")


def with_bins(groups: pl.DataFrame) -> pl.DataFrame:
    here = groups.group_by("year", "facility_id").agg(total=col("sum_discharges").sum())
    edges = [col("total").quantile(q, "linear").over("year") for q in (0.2, 0.4, 0.6, 0.8)]
    label = pl.sum_horizontal((col("total") > edge).cast(pl.Int64) for edge in edges)
    here = here.select("year", "facility_id", label.alias("yearly_discharge_bin"))
    return groups.join(here, on=["year", "facility_id"], how="left", maintain_order="left")


def with_past(groups: pl.DataFrame) -> pl.DataFrame:
    """The year before, and the mean of the two years before; rows without either are dropped."""
    rows = groups.sort(*SERIES, "year")
    same = [pl.all_horizontal(col(k) == col(k).shift(n) for k in SERIES) for n in (1, 2)]
    gap = [pl.when(same[n - 1]).then(col("year") - col("year").shift(n)) for n in (1, 2)]
    rows = rows.with_columns(gap[0].alias("years_since_last"), gap[1].alias("gap_2"))
    near = col("years_since_last").fill_null(9)
    one_before = near == 1
    rows = rows.with_columns(
        *(
            pl.when(one_before).then(col(n).shift()).alias(f"{n}_lag1")
            for n in (*MEASURES, *OF_THE_YEAR)
        ),
        *(
            pl.when(col("gap_2").fill_null(9) == 2)
            .then(
                pl.when(one_before)
                .then((col(n).shift(2) + col(n).shift()) / 2)
                .otherwise(col(n).shift(2))
            )
            .when(near <= 2)
            .then(col(n).shift())
            .alias(f"{n}_rolling2")
            for n in MEASURES
        ),
    ).drop("gap_2")
    return rows.filter(near <= 2)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
