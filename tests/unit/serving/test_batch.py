"""Scoring files: every row is predicted or told, and the same input gives the same bytes."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError, DataContractError
from heddle.infrastructure.memory import SilentProgress
from heddle.serving.batch import predict_file
from heddle.serving.escape import escaped
from heddle.serving.loader import load_folder


@pytest.fixture(scope="module")
def model(saved):
    return load_folder(saved[0], expected=saved[1], label="price/1")


GOOD = "size,shore\n30,far\n,near\n90,far\n"
BAD = "size,shore\n30,far\nabc,near\n-5,=cmd\n90,\n50,far\n"


def test_a_file_is_predicted_row_by_row(model, tmp_path):
    """Line, prediction, interval, model: the numbers are those of the pipeline."""
    source, out = tmp_path / "in.csv", tmp_path / "out.parquet"
    source.write_text(GOOD)
    found = predict_file(model, source, out)
    rows = pl.read_parquet(out)
    expected = model.predict(
        pl.DataFrame({"size": [30, None, 90], "shore": ["far", "near", "far"]})
    )
    assert rows["line"].to_list() == [2, 3, 4]
    assert rows["prediction"].to_list() == pytest.approx(expected.tolist(), rel=1e-9)
    reach = 0.25 * abs(expected)
    assert rows["lower"].to_list() == pytest.approx((expected - reach).tolist(), rel=1e-9)
    assert rows["upper"].to_list() == pytest.approx((expected + reach).tolist(), rel=1e-9)
    assert rows["model"].unique().to_list() == ["price/1"]
    assert rows["flags"].to_list() == ["", "", ""]
    assert (found.rows, found.predicted, found.bad, found.flagged) == (3, 3, 0, 0)
    assert found.errors is None


def test_csv_and_parquet_outputs_tell_the_same(model, tmp_path):
    """Numbers survive the text."""
    source = tmp_path / "in.csv"
    source.write_text(GOOD)
    predict_file(model, source, tmp_path / "o.csv")
    predict_file(model, source, tmp_path / "o.parquet")
    text = pl.read_csv(tmp_path / "o.csv").with_columns(pl.col("flags").fill_null(""))
    assert text.equals(pl.read_parquet(tmp_path / "o.parquet"))


def test_bad_rows_fail_and_nothing_is_written(model, tmp_path):
    """The error names lines, columns and reasons; an old output stays."""
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(BAD)
    out.write_text("old")
    with pytest.raises(DataContractError, match=r"3 of 5 rows cannot be predicted: ") as caught:
        predict_file(model, source, out)
    words = str(caught.value)
    assert "line 3, column 'size': 'abc' is no number" in words
    assert "line 4, column 'size': -5 is not above 0" in words
    assert "line 5, column 'shore': is missing" in words
    assert "--on-error skip. Nothing was written." in words
    assert DataContractError.exit_code == 3
    assert out.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_skipped_rows_are_listed_with_line_and_reason(model, tmp_path):
    """Good rows keep their lines; the list of bad ones lies beside, and goes when all is well."""
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(BAD)
    found = predict_file(model, source, out, on_error="skip")
    assert pl.read_csv(out)["line"].to_list() == [2, 6]
    assert (found.predicted, found.bad) == (2, 3)
    assert found.errors == tmp_path / "out.csv.errors.csv"
    assert pl.read_csv(found.errors).rows() == [
        (3, "size", "'abc' is no number"),
        (4, "size", "'-5 is not above 0"),
        (5, "shore", "is missing"),
    ]
    source.write_text(GOOD)
    assert predict_file(model, source, out, on_error="skip").errors is None
    assert not (tmp_path / "out.csv.errors.csv").exists()


def test_only_bad_rows_are_refused_though_skipped(model, tmp_path):
    """An empty result is no result."""
    (tmp_path / "in.csv").write_text("size,shore\nabc,far\n")
    with pytest.raises(DataContractError, match="No row is left to predict"):
        predict_file(model, tmp_path / "in.csv", tmp_path / "out.csv", on_error="skip")


def test_unknown_categories_and_far_numbers_are_predicted_and_flagged(model, tmp_path):
    """A declared category that training never saw is unknown to the model too."""
    source, out = tmp_path / "in.csv", tmp_path / "out.parquet"
    source.write_text("size,shore\n30,moon\n30,isle\n900,far\n900,moon\n")
    found = predict_file(model, source, out)
    assert pl.read_parquet(out)["flags"].to_list() == [
        "unknown_category:shore",
        "unknown_category:shore",
        "outside_training:size",
        "outside_training:size;unknown_category:shore",
    ]
    assert found.flagged == 4
    assert found.flags == {"unknown_category:shore": 3, "outside_training:size": 2}


@pytest.mark.parametrize("header", ["shore,size,price,extra", "Shore,SIZE,Price,e x"])
def test_target_extra_and_reordered_columns_change_nothing(model, tmp_path, header):
    """Only what the model takes is looked at, by name."""
    (tmp_path / "a.csv").write_text("size,shore\n30,far\n90,near\n")
    (tmp_path / "b.csv").write_text(f"{header}\nfar,30,1,x\nnear,90,,y\n")
    predict_file(model, tmp_path / "a.csv", tmp_path / "a.parquet")
    predict_file(model, tmp_path / "b.csv", tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_missing_column_is_refused_with_a_guess(model, tmp_path):
    """No row can be used without it."""
    (tmp_path / "in.csv").write_text("siez,shore\n30,far\n")
    with pytest.raises(DataContractError, match=r"column 'size' is missing \(is it 'siez'\?\)"):
        predict_file(model, tmp_path / "in.csv", tmp_path / "out.csv")


@settings(deadline=None, max_examples=30)
@given(chunk=st.integers(1, 12), count=st.integers(1, 30))
def test_chunks_change_nothing(model, tmp_path_factory, chunk, count):
    """Rows at a time are a matter of memory, not of results."""
    place = tmp_path_factory.mktemp("chunks")
    lines = [
        f"{'x' if i % 7 == 3 else i + 1},{'moon' if i % 5 == 2 else 'far'}" for i in range(count)
    ]
    (place / "in.csv").write_text("\n".join(["size,shore", *lines]) + "\n")
    whole = predict_file(model, place / "in.csv", place / "a.csv", on_error="skip")
    parts = predict_file(model, place / "in.csv", place / "b.csv", on_error="skip", chunk=chunk)
    assert (place / "a.csv").read_bytes() == (place / "b.csv").read_bytes()
    assert (whole.bad, whole.flagged, whole.flags) == (parts.bad, parts.flagged, parts.flags)


def test_the_same_input_gives_the_same_bytes(model, tmp_path):
    """Twice over the same output, with a progress bar or without."""
    (tmp_path / "in.csv").write_text(GOOD)
    out = tmp_path / "out.parquet"
    predict_file(model, tmp_path / "in.csv", out)
    before = out.read_bytes()
    predict_file(model, tmp_path / "in.csv", out, progress=SilentProgress())
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("source", "out", "words"),
    [
        ("absent.csv", "out.csv", r"no file '.*absent\.csv'"),
        ("in.csv", "out.xlsx", r"\.parquet or \.csv, not as '\.xlsx'"),
        ("in.csv", "out", "not as 'a bare name'"),
        ("in.csv", "in.csv", "would replace the input"),
    ],
)
def test_mistakes_in_the_call_are_refused(model, tmp_path, source, out, words):
    """Before anything is read."""
    (tmp_path / "in.csv").write_text(GOOD)
    with pytest.raises(ConfigError, match=words):
        predict_file(model, tmp_path / source, tmp_path / out)


@given(text=st.text())
def test_no_cell_of_a_report_is_a_formula(text):
    """A spreadsheet shows what was in the file and runs none of it."""
    cell = escaped(text)
    assert cell.endswith(text)
    assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
