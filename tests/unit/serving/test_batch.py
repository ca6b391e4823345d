"""Scoring files: every row is predicted or told, and the same input gives the same bytes."""

import os
from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heddle.domain.errors import (
    BusyError,
    ConfigError,
    DataContractError,
    IntegrityError,
    ResourceError,
)
from heddle.infrastructure.memory import SilentProgress
from heddle.serving import batch as batch_module
from heddle.serving.batch import Batch, predict_file
from heddle.serving.escape import escaped
from heddle.serving.journal import Part, desk_of
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
    found = predict_file(model, source, out, Batch(on_error="skip"))
    assert pl.read_csv(out)["line"].to_list() == [2, 6]
    assert (found.predicted, found.bad) == (2, 3)
    assert found.errors == tmp_path / "out.csv.errors.csv"
    assert pl.read_csv(found.errors).rows() == [
        (3, "size", "'abc' is no number"),
        (4, "size", "'-5 is not above 0"),
        (5, "shore", "is missing"),
    ]
    source.write_text(GOOD)
    assert predict_file(model, source, out, Batch(on_error="skip")).errors is None
    assert not (tmp_path / "out.csv.errors.csv").exists()


def test_only_bad_rows_are_refused_though_skipped(model, tmp_path):
    """An empty result is no result."""
    (tmp_path / "in.csv").write_text("size,shore\nabc,far\n")
    with pytest.raises(DataContractError, match="No row is left to predict"):
        predict_file(model, tmp_path / "in.csv", tmp_path / "out.csv", Batch(on_error="skip"))


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


def written(place, count, name="in.csv", groups=None):
    """A file of `count` rows: every seventh bad, every fifth of a strange category."""
    rows = {
        "size": ["x" if i % 7 == 3 else f"{i + 1}" for i in range(count)],
        "shore": ["moon" if i % 5 == 2 else "far" for i in range(count)],
        "Row No": [f"r{i}" for i in range(count)],
    }
    if name.endswith(".csv"):
        pl.DataFrame(rows).write_csv(place / name)
    else:
        sizes = pl.Series("size", [-1.0 if v == "x" else float(v) for v in rows["size"]])
        frame = pl.DataFrame(rows).with_columns(sizes)
        frame.write_parquet(place / name, row_group_size=groups)
    return place / name


def files_of(out):
    """The bytes of an output and of its list of bad rows."""
    errors = out.with_name(f"{out.name}.errors.csv")
    return out.read_bytes(), errors.read_bytes() if errors.exists() else b""


@settings(deadline=None, max_examples=25)
@given(
    sizes=st.tuples(*[st.integers(1, most) for most in (30, 60, 40, 40)]),
    name=st.sampled_from(["in.csv", "in.parquet"]),
    suffix=st.sampled_from(["csv", "parquet"]),
)
def test_pieces_change_nothing(model, tmp_path_factory, sizes, name, suffix):
    """Bytes read at a time and row groups of the input are a matter of memory, not of results."""
    count, read, rows, groups = sizes
    place = tmp_path_factory.mktemp("pieces")
    a, b = place / f"a.{suffix}", place / f"b.{suffix}"
    whole = Batch(on_error="skip", keys=("Row No",), rows=rows)
    parts = Batch(on_error="skip", keys=("Row No",), rows=rows, read=read)
    first = predict_file(model, written(place, count, name), a, whole)
    second = predict_file(model, written(place, count, name, groups), b, parts)
    assert files_of(a) == files_of(b)
    assert (first.bad, first.flagged, first.flags) == (second.bad, second.flagged, second.flags)
    assert first.bad == sum(i % 7 == 3 for i in range(count))


@given(rows=st.integers(1, 40))
@settings(deadline=None, max_examples=10)
def test_blocks_change_no_row(model, tmp_path_factory, rows):
    """Rows that are predicted together are predicted as they are alone; lines and keys stay."""
    place = tmp_path_factory.mktemp("blocks")
    source = written(place, 30)
    out = place / "out.csv"
    predict_file(model, source, out, Batch(on_error="skip", keys=("row_no",), rows=rows))
    found = pl.read_csv(out)
    assert found.columns == [
        *("line", "row_no", "prediction", "lower", "upper", "model", "flags"),
    ]
    good = [i for i in range(30) if i % 7 != 3]
    assert found["line"].to_list() == [i + 2 for i in good]
    assert found["row_no"].to_list() == [f"r{i}" for i in good]
    predict_file(model, source, place / "whole.csv", Batch(on_error="skip", keys=("row_no",)))
    assert files_of(out) == files_of(place / "whole.csv")
    bad = pl.read_csv(place / "out.csv.errors.csv")
    assert bad["line"].to_list() == [i + 2 for i in range(30) if i % 7 == 3]


def test_the_first_of_many_bad_rows_are_named_whatever_the_blocks(model, tmp_path):
    """They are counted to the end of the file."""
    source = written(tmp_path, 70)
    said = set()
    for rows in (1, 3, 100):
        with pytest.raises(DataContractError) as caught:
            predict_file(model, source, tmp_path / "out.csv", Batch(rows=rows))
        said.add(str(caught.value))
    assert len(said) == 1
    assert "10 of 70 rows cannot be predicted: line 5, " in said.pop()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv"]


class Stopped(SilentProgress):
    """Someone who presses Ctrl-C after some blocks."""

    def __init__(self, after):
        super().__init__()
        self.after = after

    def advance(self, steps=1, note=""):
        self.after -= 1
        if self.after < 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["in.csv", "in.parquet"])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_interrupted_run_goes_on_where_it_stopped(model, tmp_path, name, suffix):
    """Again and again, to the same bytes; an old output stays until then."""
    source = written(tmp_path, 40, name)
    batch = Batch(on_error="skip", rows=6, read=20)
    whole = predict_file(model, source, tmp_path / f"whole.{suffix}", batch)
    out = tmp_path / f"out.{suffix}"
    out.write_text("old")
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            predict_file(model, source, out, batch, progress=Stopped(after=2))
        assert out.read_text() == "old"
    folder = tmp_path / f".out.{suffix}.heddle-predict"
    torn = folder / "journal.jsonl"
    torn.write_text(torn.read_text()[:-9])  # killed while it wrote: that part is made again
    told = SilentProgress()
    found = predict_file(model, source, out, batch, progress=told)
    assert found.resumed == 24
    assert f"out.{suffix}: goes on after row 24 of 40" in told.notices
    assert files_of(out) == files_of(tmp_path / f"whole.{suffix}")
    assert (found.bad, found.flags) == (whole.bad, whole.flags)
    assert [p.name for p in folder.iterdir()] == ["done.json"]


def test_a_part_that_is_not_as_it_was_noted_is_made_again(model, tmp_path):
    """A loss of power may leave a part empty."""
    source, out = written(tmp_path, 40), tmp_path / "out.csv"
    batch = Batch(on_error="skip", rows=6)
    with pytest.raises(KeyboardInterrupt):
        predict_file(model, source, out, batch, progress=Stopped(after=4))
    (tmp_path / ".out.csv.heddle-predict" / "000001.rows").write_text("")
    assert predict_file(model, source, out, batch).resumed == 6
    assert len(pl.read_csv(out)) == 34


def test_parts_of_another_run_are_swept_and_said(model, tmp_path):
    """Another input, other options: nothing of them is used."""
    source, out = written(tmp_path, 40), tmp_path / "out.csv"
    with pytest.raises(KeyboardInterrupt):
        predict_file(model, source, out, Batch(on_error="skip", rows=6), progress=Stopped(after=2))
    written(tmp_path, 20)
    told = SilentProgress()
    found = predict_file(model, source, out, Batch(on_error="skip", rows=5), progress=told)
    assert (found.rows, found.resumed) == (20, 0)
    words = "out.csv: swept the parts of an interrupted run of other input, options"
    assert told.notices == [words]


def test_what_is_done_is_not_done_again(model, tmp_path):
    """Nothing is read; another time, output or model is another matter, and so is --force."""
    source, out = written(tmp_path, 20), tmp_path / "out.csv"
    batch = Batch(on_error="skip")
    first = predict_file(model, source, out, batch)
    before = out.stat()
    again = predict_file(model, source, out, batch)
    assert again == replace(first, done=True)
    assert out.stat() == before
    source.write_bytes(source.read_bytes())  # another time, the same bytes
    assert predict_file(model, source, out, batch).done
    assert not predict_file(model, source, out, replace(batch, force=True)).done
    assert not predict_file(replace(model, label="price/2"), source, out, batch).done
    assert not predict_file(model, source, out, batch).done
    (tmp_path / "out.csv.errors.csv").unlink()
    assert not predict_file(model, source, out, batch).done
    out.write_text("edited")
    assert not predict_file(model, source, out, batch).done
    written(tmp_path, 21)
    assert predict_file(model, source, out, batch).rows == 21


def test_a_file_that_changes_meanwhile_is_not_predicted(model, tmp_path):
    """Its first rows would be of one file and its last of another."""
    source, out = written(tmp_path, 20), tmp_path / "out.csv"

    class Meddler(SilentProgress):
        def advance(self, steps=1, note=""):
            os.utime(source, (1, 1))

    with pytest.raises(IntegrityError, match=r"in\.csv: was changed while it was read"):
        predict_file(model, source, out, Batch(on_error="skip"), progress=Meddler())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv"]


def test_two_runs_do_not_write_one_output(model, tmp_path):
    """The second is told."""
    out = tmp_path / "out.csv"
    with desk_of(out), pytest.raises(BusyError, match="another process is predicting into this"):
        predict_file(model, written(tmp_path, 5), out)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("row", r"no column 'row'; did you mean 'row_no'\?"),
        ("line", "a key cannot be called 'line': the output has a column of that name"),
        ("many", "column 'many' cannot be a key: it holds List"),
    ],
)
def test_keys_that_cannot_be_copied_are_refused(model, tmp_path, key, words):
    """And nothing is left beside the output."""
    source = written(tmp_path, 5, "in.parquet")
    frame = pl.read_parquet(source).with_columns(line=1, many=[1])
    frame.with_columns(pl.concat_list("many")).write_parquet(source)
    with pytest.raises(ConfigError, match=words):
        predict_file(model, source, tmp_path / "o.csv", Batch(on_error="skip", keys=(key,)))
    assert [p.name for p in tmp_path.iterdir()] == ["in.parquet"]


def test_key_columns_keep_their_types(model, tmp_path):
    """Numbers, days and words of a Parquet file; categories come as words."""
    source, out = tmp_path / "in.parquet", tmp_path / "out.parquet"
    keys = {
        "id": pl.Series([7, 8], dtype=pl.UInt16),
        "day": pl.Series([date(2024, 1, 2), None]),
        "kind": pl.Series(["x", "y"], dtype=pl.Categorical),
    }
    rows = pl.DataFrame({"size": [1, 2], "shore": ["far", "near"], **keys})
    rows.write_parquet(source)
    predict_file(model, source, out, Batch(keys=("kind", "id", "day")))
    found = pl.read_parquet(out)
    assert found.columns[:4] == ["line", "kind", "id", "day"]
    assert found.select(*keys).equals(rows.select(*keys).with_columns(pl.col("kind").cast(str)))


def test_what_has_to_be_held_in_memory_is_said(model, tmp_path, monkeypatch):
    """Of a large file of a format that is not read piece by piece."""
    monkeypatch.setattr(batch_module, "_LARGE", 10)
    source = tmp_path / "in.json"
    source.write_text('[{"size": 30, "shore": "far"}, {"size": 40, "shore": "near"}]')
    told = SilentProgress()
    assert predict_file(model, source, tmp_path / "o.csv", progress=told).rows == 2
    assert told.notices == [
        "in.json: has 61 bytes and is held in memory as a whole; CSV and Parquet are not"
    ]


def test_the_same_input_gives_the_same_bytes(model, tmp_path):
    """Twice over the same output, with a progress bar or without."""
    (tmp_path / "in.csv").write_text(GOOD)
    out = tmp_path / "out.parquet"
    predict_file(model, tmp_path / "in.csv", out)
    before = out.read_bytes()
    predict_file(model, tmp_path / "in.csv", out, Batch(force=True), progress=SilentProgress())
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("source", "out", "words"),
    [
        ("absent.csv", "out.csv", r"no file '.*absent\.csv'.* Known: in\.csv$"),
        ("in.csv", "out.xlsx", r"\.parquet or \.csv, not as '\.xlsx'"),
        ("in.csv", "out", "not as 'a bare name'"),
        ("in.csv", "in.csv", "would replace the input"),
    ],
)
def test_mistakes_in_the_call_are_refused(model, tmp_path, source, out, words):
    """Before anything is read; files alone are named, and none that is hidden."""
    (tmp_path / "in.csv").write_text(GOOD)
    (tmp_path / ".out.csv.heddle-predict").mkdir()
    with pytest.raises(ConfigError, match=words):
        predict_file(model, tmp_path / source, tmp_path / out)


@given(text=st.text())
def test_no_cell_of_a_report_is_a_formula(text):
    """A spreadsheet shows what was in the file and runs none of it."""
    cell = escaped(text)
    assert cell.endswith(text)
    assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_journal_that_cannot_be_written_is_told(tmp_path):
    """The parts stay, and so does what was noted of them."""
    part = Part(rows=1, good=1, bad=0, flagged=0, flags={})
    with desk_of(tmp_path / "out.csv") as desk:
        desk.folder.rmdir()
        with pytest.raises(ResourceError, match=r"cannot write: .* it goes on from here"):
            desk.add(part)
