"""The page Batch."""

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest
from tests.saved_project import rows

from heddle.domain.errors import DataContractError
from heddle.presentation.dashboard.batch import Work, applies, columns_of, head, predicted
from heddle.presentation.dashboard.place import Place
from heddle.serving.batch import Batch, predict_file


def given(name, content):
    """Return work on a file of this name."""
    work = Work(name, "upload-1")
    work.source.write_bytes(content)
    return work


def table(bad=2):
    """Return the text of some flats, the first ones of which are no flats."""
    made = rows(3, 20).drop("price").with_row_index("flat")
    return made.with_columns(
        size=pl.when(pl.col("flat") < bad).then(-1.0).otherwise(pl.col("size"))
    ).write_csv()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_good_rows_are_predicted_as_the_command_does_and_bad_ones_listed(place, tmp_path, ending):
    """The same bytes; keys are copied."""
    work = given("flats.csv", table().encode())
    done = predicted(place.model, work, ending, ["flat"])
    assert (done.rows, done.predicted, done.bad) == (20, 18, 2)
    source, out = tmp_path / "flats.csv", tmp_path / f"out.{ending}"
    source.write_bytes(work.source.read_bytes())
    predict_file(place.model, source, out, Batch(on_error="skip", keys=("flat",)))
    assert done.out.read_bytes() == out.read_bytes()
    assert done.errors.read_bytes() == (tmp_path / f"out.{ending}.errors.csv").read_bytes()
    assert head(done.out).height == 18
    assert head(done.errors)["reason"].to_list() == ["'-1.0 is not above 0"] * 2


def test_a_file_that_is_no_table_of_the_model_is_refused(place):
    """By its own name."""
    with pytest.raises(DataContractError, match=r"flats\.csv: .*'size'"):
        predicted(place.model, given("flats.csv", b"a,b\n1,2\n"), "csv", [])
    empty = given("empty.csv", b"")
    with pytest.raises(DataContractError, match=r"empty\.csv"):
        columns_of(empty.source)


def test_a_name_from_elsewhere_is_made_safe():
    """It stays within the session's folder, and can be told from others."""
    assert Work("../../etc/my flats (1).CSV", "1").source.name == "my_flats_1_.csv"
    assert Work("...csv", "1").source.parent.is_dir()
    work = Work("a.csv", "1")
    folder = work.source.parent
    del work
    assert not folder.exists()


def test_only_models_that_predict_rows_have_the_page(place, tmp_path):
    """Without a model there is none."""
    assert applies(place)
    assert not applies(Place(tmp_path))


def test_the_page_takes_a_file_and_tells_what_became_of_it(flats):
    """Counts, the first rows, and why others were left out."""

    def script(root):
        from heddle.presentation.dashboard import batch
        from heddle.presentation.dashboard.place import place_of

        batch.show(place_of(root))

    page = AppTest.from_function(script, kwargs={"root": str(flats)}, default_timeout=30).run()
    page.file_uploader[0].upload("flats.csv", table().encode(), "text/csv").run()
    page.multiselect(key="batch_keys").select("flat")
    page.button(key="batch_ask").click().run()
    assert not page.exception
    assert [(one.label, one.value) for one in page.metric] == [
        ("Rows", "20"),
        ("Predicted", "18"),
        ("Left out", "2"),
        ("Flagged", "0"),
    ]
    tables = [one.value for one in page.dataframe]
    assert list(tables[1].columns)[:3] == ["line", "flat", "prediction"]
    assert set(tables[2]["reason"]) == {"-1.0 is not above 0"}
