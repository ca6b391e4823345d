"""The small project: its rows keep their contract, its README leaves no file out."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from heddle.pipeline.catalog import Catalog
from heddle.presentation.new.template_files import template_files
from heddle.validation.contract import read_contract
from heddle.validation.findings import check

MINIMAL = Path(__file__).parents[3] / "projects" / "minimal"


@pytest.fixture
def sample():
    before = list(sys.path)
    yield Catalog(MINIMAL).step("deliveries_sample").function
    sys.path[:] = before


def test_the_same_arguments_give_the_same_rows_and_these_keep_the_contract(sample):
    """Another seed gives others; some loads are not known, and one row is a table too."""
    text = (MINIMAL / "configs" / "data_versions" / "v0.yaml").read_text()
    rows = sample(600, 42)
    check(rows, read_contract(yaml.safe_load(text)["v0"], "v0"), "v0")
    assert sample(600, 42).equals(rows)
    assert not sample(600, 43).equals(rows)
    assert 0 < rows["load_kg"].null_count() < 100
    assert sample(1, 7).height == 1


def test_the_readme_has_a_line_for_each_file():
    """A stranger looks there first."""
    told = (MINIMAL / "README.md").read_text()
    lines = {line.split("|")[1] for line in told.splitlines() if line.startswith("| `")}
    files = [name for name in template_files(MINIMAL) if name.startswith("configs/")]
    assert len(files) > 8
    for name in (*files, "steps/", "params.yaml", "dvc.yaml", "MLproject", "dvc.lock"):
        assert any(f"`{name}`" in line for line in lines), name
