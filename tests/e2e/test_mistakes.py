"""Mistakes in words and configuration: found before anything is written, with the way out."""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from heddle.presentation.cli import run

pytestmark = pytest.mark.slow

STAGE = "pipeline.stages.v1_ratios"
SPACE = "model_candidates.hist_gradient_boosting"


def everything(root: Path) -> dict[str, str]:
    """Every file of the clone by its bytes, but for git's own and what speeds up the next plan."""
    return {
        str(p): sha256(p.read_bytes()).hexdigest()
        for p in root.rglob("*")
        if p.is_file() and not {".git", ".venv", ".heddle", "__pycache__"} & set(p.parts)
    }


def refused(capfd, project: Path, *words: str) -> str:
    """Run the command line, without a new process; return its one line."""
    code = run(["run", "-C", str(project), *words])
    told = capfd.readouterr().err
    assert code == 2, told
    assert told.startswith("error: ")
    assert told.count("\n") == 1, told
    return told


@pytest.fixture(scope="module")
def untouched(finished_clone: Path) -> tuple[Path, dict[str, str]]:
    """The finished clone and its bytes, which no mistake here may change."""
    return finished_clone, everything(finished_clone)


@pytest.fixture(scope="module")
def never_ran(fresh_clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone whose configuration a test spoils and mends."""
    copy = tmp_path_factory.mktemp("clone") / "heddle"
    return Path(shutil.copytree(fresh_clone, copy, symlinks=True))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        # unknown names, each with the nearest one that exists
        ("v0_ingets", ["no stage 'v0_ingets'; did you mean 'v0_ingest'? Known: v0_ingest, v1_rat"]),
        (f"{STAGE}.step=scale_colums", [f"{STAGE}: no step 'scale_colums'", "combine_columns"]),
        (f"{STAGE}.step=[rooms_per_houshold]", ["did you mean 'rooms_per_household'? Known: "]),
        ("ingestion=fil", ["configs/ingestion: ", "did you mean 'file'? Known: file, "]),
        ("splt=random", ["no key or group 'splt'; did you mean 'split'? Known: "]),
        ("ml_experiments.tune.trails=3", ["no key 'ml_experiments.tune.trails'", "mean 'trials'?"]),
        ("+split.fold=3", ["split: unknown key 'fold'; did you mean 'folds'? Known: strategy, "]),
        (f"{STAGE}.reads=v7", [f"{STAGE}: reads 'v7', which no stage writes", "Known: v0, v1"]),
        ("ml_experiments.metric=wmap", ["metric: no metric 'wmap'; did you mean 'wmape'?"]),
        (f"{SPACE}.estimator=hist", [f"{SPACE}: no estimator 'hist'", "Known: zero, mean, median"]),
        ("--frce", ["No such option: --frce", "--force"]),
        # values of the wrong type, or out of bounds
        ("split.folds=three", ["split.folds: must be a whole number, not 'three' (str)"]),
        ("split.folds=1", ["split: 2 <= folds <= 127 must hold, but got 1"]),
        ("ml_experiments.features.numeric=age", ["features.numeric: must be a list, not 'age'"]),
        (f"{SPACE}.space.max_features.low=x", [f"{SPACE}.space.max_features.low: must be a"]),
        ("imputation=meen", ["'meen' is not a choice; did you mean 'mean'? Known: auto, mean"]),
        ("data_versions.v0.columns.latitude.type=flot", ["'flot' is not a choice", "'float'?"]),
        # sources that cannot be read
        ("ingestion=file", ["ingestion.path: is not set. Add ingestion.path=FILE.csv"]),
        ("ingestion=file ingestion.path=dvc.yml", ["no file 'dvc.yml'; did you mean 'dvc.yaml'?"]),
        ("ingestion=url ingestion.url=ftp://x/y", ["'ftp' is not fetched. Known: http, https"]),
        ("ingestion.sha256=abc", ["ingestion: sha256 must be 64 hex digits or null, not 'abc'"]),
        ("hydra.run.dir=../x", ["sets what Heddle does not use of Hydra"]),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(untouched, capfd, words, said):
    """Exit 2; params.yaml, dvc.yaml and every other file are as they were."""
    root, before = untouched
    told = refused(capfd, root / "projects/housing", *words.split())
    for part in said:
        assert part in told
    assert everything(root) == before


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("split/stratified.yaml", ("folds: 5", "folds: [5"), ["stratified.yaml:", "is not YAML"]),
        ("split/stratified.yaml", ("seed: 42", "seed: 1\nseed: 2"), ["key 'seed' is said twice"]),
        ("data_versions/v0.yaml", ("nullable", "nulable"), ["'nulable'; did you mean 'nullable'?"]),
        ("config.yaml", ("project: housing", "project: 7"), ["project: must be text, not 7 (int)"]),
    ],
)
def test_a_file_of_the_configuration_that_is_wrong_is_named(never_ran, capfd, file, change, said):
    """The place, also of what is not YAML; in a clone that never ran, nothing is made."""
    path = never_ran / "projects/housing/configs" / file
    text = path.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change, 1))
    before = everything(never_ran)
    try:
        told = refused(capfd, never_ran / "projects/housing")
        assert everything(never_ran) == before
    finally:
        path.write_text(text)
    for part in said:
        assert part in told


def test_without_git_it_says_what_to_do(never_ran, capfd):
    """Exit 2 and nothing is written."""
    (never_ran / ".git").rename(never_ran / ".gone")
    before = everything(never_ran)
    try:
        told = refused(capfd, never_ran / "projects/housing")
        assert everything(never_ran) == before
    finally:
        (never_ran / ".gone").rename(never_ran / ".git")
    assert told == (
        f"error: {never_ran / 'projects/housing'}: is not in a git repository."
        " Run `git init` in it (or above), then this again.\n"
    )
