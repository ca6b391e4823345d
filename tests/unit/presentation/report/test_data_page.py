"""The page about data versions: what it shows, and that it is as closed as the report."""

import re

import polars as pl
import pytest

from heddle.infrastructure.memory import MemoryTables
from heddle.presentation.report.data_page import data_page
from heddle.presentation.report.pipeline_graph import StageNode

GRAPH = (
    StageNode("v0_ingest", "", (), ("v0",)),
    StageNode("v0_profit", "", ("v0",), ("v1",)),
)
RAW = pl.DataFrame({"cost": [1.0, None, 3.0], "name": ["a", "b", "<script>"]})


@pytest.fixture(scope="module")
def versions():
    tables = MemoryTables()
    made = RAW.with_columns(profit=pl.col("cost") * 2).head(2)
    return [tables.write("v0", RAW, {"stage": "v0_ingest"}), tables.write("v1", made, {})]


def words(page):
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_it_tells_sizes_gaps_and_what_each_stage_did(versions):
    """Per version, per column, and from one version to the next."""
    said = words(data_page(versions[::-1], GRAPH, "shop"))
    assert "Project shop" in said
    assert "2 data versions · v1 has 2 rows" in said
    assert "v0_profit: v0 → v1, \N{MINUS SIGN}1 rows, 3 columns differ" in said
    assert "profit added float64" in said
    assert "most are missing in cost of v0: 1" in said
    assert "2 stages in 2 layers" in said


def test_names_that_changed_and_figures_stand_where_one_looks():
    """A renamed column under both names; each bar with its figure."""
    tables = MemoryTables()
    told = [tables.write("v0", RAW, {}), tables.write("v1", RAW.rename({"cost": "price"}), {})]
    page = data_page(told, GRAPH, "shop")
    assert "v0_profit: v0 → v1, as many rows, 1 column renamed" in words(page)
    assert "cost → price renamed float64" in words(page)
    assert '"text":["3 rows","3 rows"]' in page.replace(" ", "").replace("3rows", "3 rows")


def test_the_same_descriptions_give_the_same_bytes_and_no_mark_up_of_the_data(versions):
    """A value that looks like mark-up is text; no clock, no path."""
    one = data_page(versions, GRAPH, "shop")
    assert one == data_page(versions, GRAPH, "shop")
    assert "<script>" not in re.sub(r"<script[^>]*>.*?</script>", "", one, flags=re.DOTALL)


def test_without_versions_or_gaps_it_says_so(versions):
    """Sentences stand where there is nothing to draw."""
    assert "No data version has been published yet" in words(data_page([], GRAPH, "shop"))
    whole = MemoryTables().write("v0", RAW.drop_nulls(), {})
    said = words(data_page([whole], (), "shop"))
    assert "No cell of any version is missing" in said
    assert "No stage makes one data version out of another" in said
