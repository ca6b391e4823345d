"""What runs leave under logs/runs."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest

from heddle.domain.errors import ConfigError, DataContractError, HeddleError
from heddle.pipeline.lineage import StageState
from heddle.pipeline.log_settings import LogSettings
from heddle.presentation import cli
from heddle.presentation.run_log import RunLog

STATES = (StageState(name="a"), StageState(name="b", reasons=("never ran", "waits for c")))


def opened(root: Path, said: list[str], **settings) -> RunLog:
    told = LogSettings(format="json", **settings)
    return RunLog(root, told, lambda: {"heddle": "1"}, said.append)


def lines(root: Path) -> list[dict]:
    (path,) = root.glob("logs/runs/*/run.log")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_finished_run_has_told_of_itself_and_of_each_stage(finished):
    """One file for the run, one for each stage: the worker's, and those on their own."""
    (folder,) = (finished / "logs/runs").iterdir()
    stages = ("read", "left", "right", "both", "said")
    assert {path.stem for path in folder.iterdir()} == {"run", *stages}
    run = (folder / "run.log").read_text()
    assert [run.count(f"done stage={stage} outcome=ran seconds=") for stage in stages] == [1] * 5
    assert "left: never ran; waits for read" in run
    assert 'begin stage=left why="never ran"' in run
    assert "exit_code=0" in run.splitlines()[-1]
    right = (folder / "right.log").read_text()
    info = json.loads((finished / "data/right/right_metadata.json").read_text())
    assert f"wrote version=right rows=60 columns=4 content_hash={info['content_hash']}" in right
    assert "read version=v0 rows=60" in right
    assert "step name=lowered seconds=" in right
    assert "wrote path=reports/said.json" in (folder / "said.log").read_text()


def test_a_run_that_runs_nothing_leaves_nothing(tmp_path):
    """Not for a notice either, nor when it is interrupted or what it is told is refused."""
    said: list[str] = []
    with opened(tmp_path, said) as log:
        log.notice("mended")
        log.done("a", "cached", 0.0)
    with pytest.raises(KeyboardInterrupt), opened(tmp_path, said):
        raise KeyboardInterrupt
    with pytest.raises(ConfigError), opened(tmp_path, said):
        raise ConfigError("dvc.yaml was edited")
    assert (list(tmp_path.iterdir()), said) == ([], [])


def test_a_run_tells_what_it_stands_on_and_what_became_of_its_stages(tmp_path, monkeypatch):
    """The stages' processes are told where to log, as long as it lasts."""
    monkeypatch.setenv("HEDDLE_LOG_LEVEL", "30")
    with opened(tmp_path, [], level="debug") as log:
        log.notice("mended")
        with log.stage(STATES[1], STATES):
            folder = Path(os.environ["HEDDLE_LOG_FOLDER"])
            assert (folder.parent, os.environ["HEDDLE_LOG_LEVEL"]) == (tmp_path / "logs/runs", "10")
        log.done("b", "ran", 0.5)
    assert ("HEDDLE_LOG_FOLDER" in os.environ, os.environ["HEDDLE_LOG_LEVEL"]) == (False, "30")
    found = lines(tmp_path)
    assert [line["event"] for line in found] == ["run", "mended", "begin", "done", "end"]
    assert found[0]["heddle"] == "1"
    assert (found[0]["fresh"], found[0]["stale"]) == (["a"], {"b": ["never ran", "waits for c"]})
    assert (found[3]["outcome"], found[4]["exit_code"]) == ("ran", 0)


@pytest.mark.parametrize(
    ("fault", "code", "traced"),
    [
        (DataContractError("is wrong"), 3, False),
        (HeddleError("broke", where="b (DVC)"), 1, True),
        (ZeroDivisionError("ours"), 1, True),
    ],
)
def test_a_failure_is_told_once_with_a_traceback_when_it_is_a_bug(tmp_path, fault, code, traced):
    """In a stage, and outside of one."""
    said: list[str] = []
    with (
        pytest.raises(type(fault)),
        opened(tmp_path / "in", said) as log,
        log.stage(STATES[1], STATES),
    ):
        raise fault
    with pytest.raises(type(fault)), opened(tmp_path / "out", said):
        raise fault
    assert len(said) == 1
    assert said[0].startswith("the log of b: ")
    assert said[0].endswith("/run.log")
    for place, event in (("in", "failed"), ("out", "error")):
        found = lines(tmp_path / place)
        (told,) = [line for line in found if "error" in line]
        assert (told["event"], told["error"], "traceback" in told) == (event, str(fault), traced)
        assert found[-1]["exit_code"] == code


def test_of_two_stages_that_fail_each_is_told_once(tmp_path):
    """Also where the one that failed first is raised."""
    faults = {"a": DataContractError("first"), "b": ConfigError("second")}
    log = opened(tmp_path, [])
    for state in STATES:
        with suppress(HeddleError), log.stage(state, STATES):
            raise faults[state.name]
    with pytest.raises(DataContractError), log:
        raise faults["a"]
    told = [(line["event"], line["error"]) for line in lines(tmp_path) if "error" in line]
    assert told == [("failed", "first"), ("failed", "second")]


def test_a_log_that_cannot_be_kept_is_told_once_and_fails_nothing(tmp_path):
    """The stages are told to keep none."""
    (tmp_path / "logs").touch()
    said: list[str] = []
    with opened(tmp_path, said) as log, log.stage(STATES[1], STATES):
        assert os.environ["HEDDLE_LOG_FOLDER"] == ""
    assert len(said) == 1
    assert said[0].startswith(f"no log is kept: {tmp_path}/logs/runs/")


def test_a_run_in_this_process_names_the_log_of_the_stage_that_failed(done, capsys, monkeypatch):
    """Level and format change no stage and are not remembered; the answer in JSON stays one."""
    monkeypatch.chdir(done)
    words = ("logging_utils.format=json", "+logging_utils.level=debug", "logging_utils.keep=1")
    assert cli.run(["run", "--json", *words]) == 0
    assert [stage["outcome"] for stage in json.loads(capsys.readouterr().out)] == ["cached"] * 5
    assert json.loads((done / ".heddle/last_run.json").read_text()) == {"overrides": []}
    path = done / "steps/lowered.py"
    body = (
        "__import__('logging').getLogger(__name__).debug('https://me:it@host/')\n    return 1 / 0 #"
    )
    path.write_text(path.read_text().replace("return", body, 1))
    assert cli.run(["run", "right", "--json", *words]) == 1
    (folder,) = (done / "logs/runs").iterdir()
    told = capsys.readouterr()
    assert f"the log of right: logs/runs/{folder.name}/right.log" in told.err
    assert told.out == ""
    right = [json.loads(line) for line in (folder / "right.log").read_text().splitlines()]
    assert "ZeroDivisionError" in right[-1]["traceback"]
    assert [line["event"] for line in right if line.get("logger") == "steps.lowered"] == [
        "https://…@host/"
    ]
    failed = next(line for line in lines(done) if line["event"] == "failed")
    assert (failed["stage"], failed["exit_code"]) == ("right", 1)
    assert lines(done)[0]["stale"]["right"] == ["code steps/lowered.py changed"]
