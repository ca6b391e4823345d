"""The pages of docs/reference say what the source does."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def reference() -> dict[str, object]:
    return runpy.run_path(str(ROOT / "docs" / "make_reference.py"))


def test_the_pages_are_those_of_the_source(reference, capsys):
    """Every step with its keys, every module with its names; out of date is said."""
    assert reference["main"](["--check"]) == 0, capsys.readouterr().err
    steps = reference["steps_page"]()
    assert "## `lag_columns`" in steps
    assert "| `periods` | `int` | `1` | >= 1, so that the present never leaks |" in steps
    assert "`Contest`: A budget" in steps, "bases of another module are shown, too"
    assert "- `HeddleError`: What went wrong" in reference["python_page"]()


def test_a_page_that_is_out_of_date_is_refused_and_written_anew(reference, tmp_path, capsys):
    """The check writes nothing."""
    shutil.copytree(ROOT / "docs" / "reference", tmp_path / "reference")
    page = tmp_path / "reference" / "steps.md"
    page.write_text("old")
    main = reference["main"]
    main.__globals__.update(PAGES=tmp_path / "reference", ROOT=tmp_path)
    assert main(["--check"]) == 1
    said = "error: reference/steps.md is not what src/ says. Run `make format`.\n"
    assert capsys.readouterr().err == said
    assert page.read_text() == "old"
    assert main([]) == 0
    assert main(["--check"]) == 0
