"""One step by hand: which tables it takes, what it leaves behind, what it refuses."""

import os

import pytest

from heddle.infrastructure.run_locks import project_lock, stage_alive
from heddle.presentation.universal_step import main

STEP = "setup.script_base_name=lowered"


def told(root, capsys, *words):
    code = main(root, list(words))
    said = capsys.readouterr()
    return code, said.out + said.err


@pytest.mark.parametrize(
    "words",
    [
        (STEP,),
        (f"+{STEP}",),
        (STEP, "transformations=lowered", "data_versions=v0"),
        (STEP, "data_versions.data_version_input=v0", "data_versions.data_version_output=right"),
    ],
)
def test_a_step_runs_on_the_versions_of_its_stage_or_on_those_named(done, capsys, words):
    """A plus before the key is the same key; a version alone chooses the stage's output."""
    (done / "data/right/right.parquet").unlink()
    assert told(done, capsys, *words) == (0, "lowered: wrote right\n")
    assert (done / "data/right/right.parquet").exists()


def test_what_the_stage_would_write_is_written(done, capsys, hashes):
    """To the byte: DVC finds nothing changed."""
    before = hashes(done)
    (done / "data/right/right_metadata.json").unlink()
    assert told(done, capsys, STEP)[0] == 0
    assert hashes(done) == before


def test_another_output_is_a_version_of_its_own(done, capsys):
    """The declared one stays as it is."""
    before = (done / "data/right/right.parquet").read_bytes()
    more = ("data_versions=left", "data_versions.data_version_output=by_hand")
    code, said = told(done, capsys, "setup.script_base_name=each", *more)
    assert (code, said) == (0, "each: wrote by_hand\n")
    assert (done / "data/by_hand/by_hand_metadata.json").exists()
    assert (done / "data/right/right.parquet").read_bytes() == before


def test_output_that_is_held_back_is_made_and_checked_only(done, capsys, hashes):
    """Its size is told, no file of the project changes; its log lies where those of runs do."""
    before = hashes(done)
    words = ("io_policy.WRITE_OUTPUT=false", "logging_utils.level=debug")
    code, said = told(done, capsys, STEP, *words)
    assert code == 0
    assert said.startswith("lowered: ")
    assert said.endswith(" columns, not written\n")
    assert hashes(done) == before
    log = max((done / "logs/runs").iterdir()) / "right.log"
    assert "DEBUG   contracts" in log.read_text()


def test_documents_that_are_held_back_are_as_they_were(done, capsys, hashes):
    """To the byte and the time of the file; where there was none, there is none."""
    before, place = hashes(done), done / "reports/said.json"
    since = place.stat().st_mtime_ns
    words = ("setup.script_base_name=counted", "io_policy.WRITE_OUTPUT=false")
    code, said = told(done, capsys, *words)
    assert (code, said) == (0, "counted: reports/said.json, not written\n")
    assert hashes(done) == before
    assert place.stat().st_mtime_ns == since
    place.unlink()
    assert told(done, capsys, *words)[0] == 0
    assert not place.exists()


def test_a_source_reads_no_version(done, capsys):
    """READ_INPUT=false is what it does anyway."""
    code, said = told(done, capsys, "setup.script_base_name=ingest", "io_policy.READ_INPUT=false")
    assert (code, said.splitlines()[-1]) == (0, "ingest: wrote v0")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("transformations=lowered",), "no step is named. Add setup.script_base_name=STEP."),
        (("setup.script_base_name=lowerd",), "no step 'lowerd'; did you mean 'lowered'?"),
        ((STEP, "data_versions=left"), "no stage runs 'lowered' on 'left' (declared: on v0)"),
        ((STEP, "io_policy.WRITE_OUTPUT=banana"), "must be true or false, not 'banana'"),
        ((STEP, "io_policy.READ_INPUT=false"), "takes 1 tables, 0 given"),
        ((STEP, "lowered"), "'lowered' is not key=value"),
    ],
)
def test_a_mistake_is_one_line(done, capsys, words, said):
    """Exit 2, with the way out."""
    code, line = told(done, capsys, *words)
    assert code == 2
    assert line.startswith("error: ")
    assert line.count("\n") == 1
    assert said in line


def test_nothing_is_done_while_somebody_else_is_at_work(done, capsys, hashes):
    """A run is named by its process; a stage of plain DVC is waited for a moment."""
    before, logs = hashes(done), len(list((done / "logs/runs").iterdir()))
    for held, who in (
        (project_lock, f"process {os.getpid()} is running this project"),
        (stage_alive, "a stage that another program started is still at work"),
    ):
        with held(done):
            told_busy = told(done, capsys, STEP)
        words = f"error: lowered: {done}: {who}. Wait for it to end, then run again.\n"
        assert told_busy == (6, words)
    assert (hashes(done), len(list((done / "logs/runs").iterdir()))) == (before, logs)


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("KeyboardInterrupt", 7, "lowered was interrupted; run again to go on\n"),
        ("MemoryError", 5, "error: lowered: out of memory; use fewer rows or cores\n"),
        ("OSError(28, 'No space left on device')", 5, "error: lowered: [Errno 28] No space left"),
    ],
)
def test_what_a_stage_words_a_step_by_hand_words_too(done, capsys, fault, code, words):
    """Published or held back, the old output stays, and nobody holds the project any more."""
    table, path = done / "data/right/right.parquet", done / "steps/lowered.py"
    before = table.read_bytes()
    path.write_text(path.read_text().replace("return", f"raise {fault}\n    return", 1))
    for more in ((), ("io_policy.WRITE_OUTPUT=false",)):
        ended, said = told(done, capsys, STEP, *more)
        assert (ended, words in said, "Traceback" in said) == (code, True, False)
        assert table.read_bytes() == before
    with project_lock(done):
        pass


def test_without_words_it_says_how_it_is_used(done, capsys):
    """Help is asked for with 0, and given with 2 to who asks for nothing."""
    assert told(done, capsys)[0] == 2
    code, said = told(done, capsys, "--help")
    assert code == 0
    assert "io_policy.WRITE_OUTPUT=false" in said
