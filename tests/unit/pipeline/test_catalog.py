"""Steps by name, in declared packages only."""

from __future__ import annotations

import sys

import pytest

from heddle.domain.errors import ConfigError
from heddle.pipeline.catalog import Catalog


def project(folder, **steps):
    (folder / "steps").mkdir(parents=True)
    for name, text in steps.items():
        (folder / "steps" / f"{name}.py").write_text(text)
    return Catalog(folder)


STEP = "import polars as pl\n\n\ndef {0}(frame: pl.DataFrame) -> pl.DataFrame:\n    return {1}\n"


@pytest.mark.parametrize("name", ["os", "../x", "a.b", "__init__", "_private", "", "steps", "x/y"])
def test_only_names_of_steps_are_found(tmp_path, name):
    """The folders are listed, nothing is imported to find out."""
    catalog = project(tmp_path, lowered="", _private="", __init__="")
    with pytest.raises(ConfigError, match=f"no step {name!r}"):
        catalog.step(name)


def test_a_near_name_is_offered_and_two_homes_are_refused(tmp_path):
    """A project cannot silently replace a step of the library."""
    catalog = project(tmp_path, combine_columns="", lowered="")
    with pytest.raises(ConfigError, match=r"did you mean 'lowered'\?"):
        catalog.step("lowerd")
    with pytest.raises(ConfigError, match=r"stands in steps and in heddle\.transformations"):
        catalog.step("combine_columns")


def test_two_projects_in_one_process_have_each_their_own_steps(tmp_path):
    """And one may be returned to."""
    one = project(tmp_path / "one", same=STEP.format("same", 1), only="X = 1")
    two = project(tmp_path / "two", same=STEP.format("same", 2))
    assert [c.step("same").function(None) for c in (one, two, one)] == [1, 2, 1]
    two.step("same")
    assert not (tmp_path / "one" / "steps" / "__pycache__").exists()
    with pytest.raises(ConfigError, match="no step 'only'"):
        two.step("only")
    sys.path[:] = [p for p in sys.path if not p.startswith(str(tmp_path))]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def broken(:", "steps/broken.py: SyntaxError"),
        ("import not_there", "steps/broken.py: ModuleNotFoundError: No module named 'not_there'"),
        ("1 / 0", "steps/broken.py: ZeroDivisionError"),
        ("x = 1", "broken.py: defines no function 'broken'"),
        ("def broken(frame): ...", "broken.py: parameter 'frame' of 'broken' has no annotation"),
        ("def broken(frame: 'Nope'): ...", "broken.py: an annotation cannot be read"),
    ],
)
def test_a_broken_step_is_a_clear_error(tmp_path, text, said):
    """The file and the reason."""
    with pytest.raises(ConfigError) as caught:
        project(tmp_path, broken=text).step("broken")
    assert said in str(caught.value)


def test_every_step_of_the_library_is_found_and_annotated(tmp_path):
    """Under its own name."""
    catalog = Catalog(tmp_path)
    for name in ("combine_columns", "add_row_key", "ingest", "split_rows"):
        step = catalog.step(name)
        assert step.function.__name__ == name
        assert step.config is not None
