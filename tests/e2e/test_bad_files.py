"""Files that are not what was declared: one line, the right exit code, nothing lost."""

from __future__ import annotations

import runpy
import shutil
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from heddle.presentation.cli import run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning"),  # pygtrie under DVC
]

raw_files = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("raw_files.py"))))
TARGET, census, tarball = raw_files.TARGET, raw_files.census, raw_files.tarball
with_cell, with_column = raw_files.with_cell, raw_files.with_column
without_column = raw_files.without_column

MEND = "Mend the data, or its contract in configs/data_versions."


@pytest.fixture(scope="module")
def started(tmp_path_factory, finished_clone: Path) -> Path:
    """A copy of the finished project: all its old versions must outlive whatever comes here."""
    root = tmp_path_factory.mktemp("files") / "heddle"
    left_out = shutil.ignore_patterns("mlruns")
    shutil.copytree(finished_clone, root, symlinks=True, ignore=left_out)
    return root / "projects" / "housing"


def outputs(project: Path) -> dict[str, str]:
    """What lies below data, models and reports, by its bytes."""
    files = [p for top in ("data", "models", "reports") for p in (project / top).rglob("*")]
    return {str(p): sha256(p.read_bytes()).hexdigest() for p in files if p.is_file()}


def errors(told: str) -> list[str]:
    """The lines for the user: one, and never a traceback."""
    assert "Traceback" not in told, told
    return [line for line in told.splitlines() if "error" in line.casefold()]


# name -> content, what is said of it, more overrides
REFUSED = {
    "empty": (b"", ["input.csv: the file is empty", "Fetch it again"]),
    "blank": (b"\n \n", ["input.csv: the file is empty", "Export it again"]),
    "header_only": (census().splitlines()[0], ["a header and no rows", "export the file again"]),
    "missing_column": (
        without_column("households"),
        ["column 'households' is missing", "there are longitude, latitude", "Mend the file"],
    ),
    "misspelt_column": (
        census().replace("households", "housholds", 1),
        ["column 'households' is missing (is it 'housholds'?)", "Mend the file"],
    ),
    "extra_column": (
        with_column("town"),
        ["column 'town' not declared", "declare it, or set extra: keep"],
    ),
    "duplicate_header": (
        with_column("latitude"),
        ["line 1: header 'latitude' stands twice (columns 2 and 11)", "Rename or remove one"],
    ),
    "one_slug": (
        with_column("Median Income"),
        ["'median_income' (column 8) and 'Median Income' (column 11) both become", "Rename"],
    ),
    "text_in_numbers": (
        with_cell("total_rooms", "many", 201),
        ["column 'total_rooms', line 201: 'many' is no number", "Mend the file"],
    ),
    "half_a_line": (
        census()[:-40],
        ["line 201, the last, has", "of 10 fields: half a line", "cut short"],
    ),
    "half_a_cell": (census()[:-4], ["'ocean_proximity' holds", "first in line 201", MEND]),
    "wrong_delimiter": (
        census(),
        ["one column when cut at ';'; ',' would give 10", "ingestion.options.delimiter"],
        "ingestion.options.delimiter=';'",
    ),
    "strange_delimiter": (
        census().replace(",", "~"),
        ["none of the declared columns ('longitude', ", "is a header there?", "Mend the file"],
    ),
    "wrong_encoding": (
        census().replace("INLAND", "INLÄND").encode("latin-1"),
        ["is not utf-8 text (byte c4 at offset", "set ingestion.options.encoding"],
        "ingestion.options.encoding=utf-8",
    ),
    "other_encoding": (
        census().encode("utf-16"),
        ["begins with the byte-order mark of utf-16", "Set ingestion.options.encoding=utf-16"],
        "ingestion.options.encoding=latin-1",
    ),
    "nan_target": (
        with_cell(TARGET, "NaN", 5, 9),
        [f"target '{TARGET}', line 5: 'NaN' is not finite (2 such cells)", "Mend the file"],
    ),
    "inf_target": (with_cell(TARGET, "-inf", 3), ["line 3: '-inf' is not finite", "Mend"]),
    "huge_target": (with_cell(TARGET, "1e400", 3), ["line 3: '1e400' is infinite", "Mend"]),
    "no_target": (with_cell(TARGET, ""), [f"target '{TARGET}' is missing in all 200 rows", MEND]),
    "gap_in_target": (
        with_cell(TARGET, "", 7),
        [f"target '{TARGET}' must be known in every row", "(1 row, first in line 7)", MEND],
    ),
    "unknown_category": (
        with_cell("ocean_proximity", "LAKESIDE", 4),
        ["holds 'LAKESIDE', which is none of '<1H OCEAN', 'INLAND'", "first in line 4", MEND],
    ),
    "few_rows": (census(4), ["has 4 rows, declared are 100 to 1,000,000", MEND]),
    "tarball_without_members": (
        tarball({}),
        ["Parquet or JSON file is in the archive", "(nothing)"],
    ),
    "tarball_without_table": (
        tarball({"readme.txt": "hello"}),
        ["Parquet or JSON file is in the archive. Known: readme.txt", "ingestion.options.member"],
    ),
    "tarball_that_climbs": (
        tarball({"../housing.csv": census()}),
        ["member '../housing.csv' points outside the archive", "from where you trust it"],
    ),
    "tarball_cut_short": (
        tarball({"housing.csv": census()})[:-500],
        ["the archive is damaged or cut short", "Fetch it again"],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_file_is_refused_in_one_line_and_the_old_versions_stay(started, capfd, name):
    """Exit 3: where, what, what is there, what to do; byte for byte nothing else happens."""
    content, said, *more = REFUSED[name]
    before = outputs(started)
    raw = started / ("input.tgz" if name.startswith("tarball") else "input.csv")
    raw.write_bytes(content if isinstance(content, bytes) else content.encode())
    words = ["v0_ingest", "ingestion=file", f"ingestion.path={raw.name}", *more]
    code = run(["run", "-C", str(started), *words])  # the command line, without a new process
    raw.unlink()
    told = capfd.readouterr().err
    assert code == 3, told
    (line,) = errors(told)
    assert line.startswith("error: v0_ingest: "), line
    for part in said:
        assert part in line, line
    assert outputs(started) == before


def test_after_all_that_only_generated_files_differ(started, shell):
    """What git knows is as it was committed, but for what a run writes to be committed."""
    told = shell(started, "git status --porcelain").stdout
    changed = {Path(line[3:]).name for line in told.splitlines()}
    assert changed <= {"dvc.yaml", "params.yaml", "dvc.lock", "said.txt"}


def test_a_tarball_with_several_tables_gives_the_first_and_says_so(started, shell, tmp_path):
    """Which one was taken, which there are, how to choose; a name that is not there is refused."""
    raw = tmp_path / "two.tgz"
    raw.write_bytes(tarball({"a.csv": census(), "notes.txt": "", "b.csv": census(120)}))
    run = f"heddle run v0_ingest ingestion=file ingestion.path={raw}"
    before = outputs(started)
    wrong = shell(started, f"{run} ingestion.options.member=c.csv")
    assert wrong.returncode == 2, wrong.stderr
    (line,) = errors(wrong.stderr)
    assert line.startswith("error: v0_ingest: two.tgz: no member 'c.csv'; did you mean '")
    assert line.endswith("Known: a.csv, notes.txt, b.csv")
    assert outputs(started) == before
    told = shell(started, run)
    assert told.returncode == 0, told.stderr
    said = " ".join(told.stderr.split())
    assert "took 'a.csv', the first of 2 tables (also: b.csv); choose with" in said


def test_a_constant_column_is_noticed_and_no_model_learns_from_it(started, shell, tmp_path):
    """The file may be so; the first stage that learns refuses the column by its name."""
    raw = tmp_path / "constant.csv"
    raw.write_text(with_cell("housing_median_age", "10.0"))
    told = shell(
        started, f"heddle run imputation_study ingestion=file ingestion.path={raw} split=random"
    )
    assert told.returncode == 3, told.stderr
    assert "note: v0: column 'housing_median_age' holds 10.0 in all 200 rows" in told.stderr
    (line,) = errors(told.stderr)
    assert line.startswith("error: imputation_study: housing_median_age: has the same value in all")
    assert line.endswith("Leave it out of the features: nothing can be learned from it.")


def test_fewer_rows_than_folds_are_refused(started, shell, tmp_path):
    """The file keeps its contract, the split cannot be dealt."""
    raw = tmp_path / "short.csv"
    raw.write_text(census(110))
    split = (started / "data/split/split.parquet").read_bytes()
    told = shell(
        started,
        f"heddle run split ingestion=file ingestion.path={raw} split=random split.folds=120",
    )
    assert told.returncode == 3, told.stderr
    (line,) = errors(told.stderr)
    assert line.startswith("error: split: split: 110 rows are too few: the folds need 121.")
    assert line.endswith("Lower split.folds or bring more rows.")
    assert (started / "data/split/split.parquet").read_bytes() == split


def test_an_unknown_category_is_predicted_and_flagged(finished_clone, shell, tmp_path):
    """A new row is no reason to say nothing; that it is strange is said beside its price."""
    raw, out = tmp_path / "new.csv", tmp_path / "out.parquet"
    raw.write_text(with_cell("ocean_proximity", "LAKESIDE", 4))
    told = shell(finished_clone / "projects/housing", f"heddle predict {raw} -o {out}")
    assert told.returncode == 0, told.stderr
    made = pl.read_parquet(out)
    assert made.height == 200
    assert made["prediction"].is_finite().all()
    strange = made.filter(pl.col("flags").str.contains("unknown_category:ocean_proximity"))
    assert strange["line"].to_list() == [4]
    assert "unknown_category:ocean_proximity 1" in " ".join(told.stdout.split())


UNPREDICTED = {
    "column": (without_column("households"), 3, "column 'households' is missing"),
    "cell": (with_cell("total_rooms", "many", 6), 3, "line 6, column 'total_rooms': 'many' is no"),
    "empty": ("", 3, "the file is empty"),
    "absent": (None, 2, "no file"),
}


@pytest.mark.parametrize("name", UNPREDICTED)
def test_a_bad_file_to_predict_leaves_the_old_predictions(finished_clone, shell, tmp_path, name):
    """One line, and what was written before is what it was."""
    text, code, said = UNPREDICTED[name]
    raw, out = tmp_path / "new.csv", tmp_path / "out.csv"
    out.write_text("old")
    if text is not None:
        raw.write_text(text)
    told = shell(finished_clone / "projects/housing", f"heddle predict {raw} -o {out}")
    assert told.returncode == code, told.stderr
    (line,) = errors(told.stderr)
    assert line.startswith("error: ")
    assert said in line
    assert out.read_text() == "old"
    assert sorted(tmp_path.iterdir()) == sorted(p for p in (raw, out) if p.exists())
