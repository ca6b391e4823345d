from io import StringIO

import polars as pl
from rich.console import Console

from heddle.frames.compare import compare
from heddle.infrastructure.memory import MemoryTables
from heddle.presentation.describe_data import difference, one_version, versions_table


def shown(table):
    console = Console(file=StringIO(), width=160)
    console.print(table)
    return console.file.getvalue()


def versions():
    tables = MemoryTables()
    old = pl.DataFrame({"key": range(1000), "cost": [float(i) for i in range(1000)]})
    new = old.head(900).with_columns(pl.col("cost") * 2, share=pl.lit(None, pl.Float64))
    return tables.write("v1", old, {}), tables.write("v2", new, {"stage": "v1_share"})


def test_each_version_is_a_line_and_each_column_too():
    """Rows, columns, gaps, who made it; types and quantiles."""
    _, made = versions()
    assert "900" in shown(versions_table([made]))
    assert "v1_share" in shown(versions_table([made]))
    lines = shown(one_version(made)).splitlines()
    assert lines[0].startswith("v2: 900 rows, content ")
    assert lines[-1].split()[:3] == ["share", "float64", "900"]


def test_years_are_written_as_years_and_a_new_name_beside_the_old_one():
    """2,013 would be a number of something."""
    tables = MemoryTables()
    old = pl.DataFrame({"Year": [2009, 2013, 2017], "cost": [1.0, 12013.0, 20000.0]})
    infos = [tables.write("v0", old, {}), tables.write("v1", old.rename({"Year": "year"}), {})]
    said = shown(one_version(infos[1])).splitlines()
    assert said[2].split() == ["year", "int64", "0", "3", "2009", "2013", "2017"]
    assert said[3].split()[-2:] == ["12,013", "20,000"]
    assert "Year -> year  renamed" in shown(difference(compare(*infos)))


def test_a_difference_tells_columns_by_what_became_of_them():
    """Figures before and after; what moved far is told as a shift."""
    lines = shown(difference(compare(*versions()))).splitlines()
    assert lines[0].startswith("v1 -> v2: 1,000 -> 900 rows, 0 columns unchanged")
    by_name = {line.split()[0]: line.split() for line in lines[2:]}
    assert by_name["cost"][1:3] == ["changed", "float64"]
    assert float(by_name["cost"][-1]) > 0.5
    assert by_name["share"][1:4] == ["added", "float64", "900"]
    assert "1,000 -> 900" in " ".join(by_name["key"])
