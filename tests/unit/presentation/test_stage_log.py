"""What a stage's process logs: its own words, those of libraries, and how it ended."""

from __future__ import annotations

import json
import logging
import warnings
from hashlib import sha256
from pathlib import Path

import pytest

from heddle.domain.errors import DataContractError
from heddle.infrastructure.log_files import words_for_stages
from heddle.pipeline.log_settings import LogSettings
from heddle.presentation.stage_log import stage_log

ENTRY = {
    "steps": [{"name": "x", "uses": "x", "with": {"by": 2, "unset": None}}],
    "reads": ["v1", "models/in.json"],
    "writes": ["reports/out.json"],
    "contracts": {},
    "code": {"steps/x.py": "abc"},
}


def logged(root: Path, *, level: int = 20, **more):
    (root / "models").mkdir(exist_ok=True)
    (root / "models/in.json").write_text("{}")
    words = words_for_stages(root / "logs", LogSettings(level=level, format="json"))
    return stage_log(root, "x", ENTRY, words=words, **more)


def lines(root: Path) -> list[dict]:
    return [json.loads(line) for line in (root / "logs/x.log").read_text().splitlines()]


def work(root: Path) -> None:
    with logged(root):
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        logging.getLogger("steps.x").info("mine")
        logging.getLogger("library.part").info("too much")
        (root / "reports").mkdir()
        (root / "reports/out.json").write_text("[]")


def test_a_stage_tells_configuration_documents_and_warnings(tmp_path):
    """A warning is shown as ever; afterwards all is as it was."""
    before = warnings.showwarning, [*logging.getLogger().handlers], logging.getLogger("steps").level
    with pytest.warns(DeprecationWarning, match="old"):
        work(tmp_path)
    now = warnings.showwarning, [*logging.getLogger().handlers], logging.getLogger("steps").level
    assert now == before
    found = lines(tmp_path)
    assert [line["event"].split(":")[0] for line in found] == [
        *("begin", "read", "DeprecationWarning", "mine", "wrote", "done")
    ]
    assert found[0]["steps"] == [{"name": "x", "uses": "x", "with": {"by": 2}}]
    assert found[1]["path"] == "models/in.json"
    assert found[4]["sha256"] == sha256(b"[]").hexdigest()


def test_what_libraries_say_on_standard_error_is_still_said_there(tmp_path, capsys, monkeypatch):
    """Whatever the log's level; unless somebody else hears it, or it is Heddle's own word."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    with logged(tmp_path, level=50):
        logging.getLogger("library.part").warning("careful")
        logging.getLogger("library.part").info("too much")
        logging.getLogger("heddle.x").warning("told in another way")
    assert capsys.readouterr().err == "careful\n"
    assert not (tmp_path / "logs").exists()


def test_how_a_stage_failed_is_told_with_its_traceback(tmp_path):
    """The error goes on up."""
    with pytest.raises(DataContractError), logged(tmp_path, level=30):
        raise DataContractError("no rows", where="v1")
    (told,) = lines(tmp_path)
    assert (told["event"], told["error"], told["exit_code"]) == ("failed", "v1: no rows", 3)
    assert told["traceback"].endswith("DataContractError: v1: no rows")


def test_an_interrupt_needs_no_traceback(tmp_path):
    """It is no fault."""
    with pytest.raises(KeyboardInterrupt), logged(tmp_path):
        raise KeyboardInterrupt
    assert lines(tmp_path)[-1]["event"] == "interrupted"
    assert "traceback" not in lines(tmp_path)[-1]


def test_what_was_never_ordered_leaves_nothing(tmp_path):
    """A stage that was begun ahead and forgotten, failing or not."""
    with logged(tmp_path, ordered=lambda: False):
        logging.getLogger("heddle.x").warning("early")
    with pytest.raises(ZeroDivisionError), logged(tmp_path, ordered=lambda: False):
        1 / 0  # noqa: B018
    assert not (tmp_path / "logs").exists()


def test_a_log_that_cannot_be_kept_fails_nothing(tmp_path, capsys, monkeypatch):
    """It is said once, and not by a stage of a run: the run says it."""
    monkeypatch.delenv("HEDDLE_DRIVER", raising=False)
    (tmp_path / "logs").touch()
    with logged(tmp_path):
        pass
    assert capsys.readouterr().err.count("note: no log is kept: ") == 1
    monkeypatch.setenv("HEDDLE_DRIVER", "1")
    with logged(tmp_path):
        pass
    assert capsys.readouterr().err == ""


def test_old_logs_go_only_as_far_as_somebody_says(tmp_path):
    """A stage of plain DVC knows no number of the configuration's, and keeps all."""
    entry, runs = {**ENTRY, "reads": [], "writes": []}, tmp_path / "logs/runs"
    for second in range(60):
        (runs / f"2020-01-01T00-00-{second:02d}.000Z").mkdir(parents=True)
    for day, words, left in ((1, {}, 61), (2, {"HEDDLE_LOG_KEEP": "3"}, 3)):
        folder = runs / f"2026-01-0{day}T00-00-00.000Z"
        with stage_log(tmp_path, "x", entry, words={"HEDDLE_LOG_FOLDER": str(folder), **words}):
            pass
        assert len(list(runs.iterdir())) == left
