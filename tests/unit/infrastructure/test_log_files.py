"""Files of logs: when they are written, which are kept, and that they never fail anything."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from heddle.domain.errors import ConfigError
from heddle.infrastructure.log_files import (
    LogFile,
    log_folder,
    place_of_stage,
    remove_old,
    words_for_stages,
)
from heddle.pipeline.log_settings import LogSettings

BEGUN = datetime(2026, 11, 21, 9, 5, 1, 250_000, UTC)


def logger(file: LogFile) -> logging.Logger:
    made = logging.Logger("heddle.test")  # noqa: LOG001
    made.addHandler(file)
    return made


def test_a_file_is_made_when_it_is_wanted_and_holds_what_waited(tmp_path):
    """And not before; what is below the level never."""
    wanted: list[bool] = []
    file = LogFile(tmp_path / "a/b/x.log", LogSettings(), ready=lambda: bool(wanted))
    log = logger(file)
    log.info("one")
    log.debug("no")
    assert list(tmp_path.iterdir()) == []
    wanted.append(True)
    log.info("two")
    file.close()
    words = [line.split()[-1] for line in file.path.read_text().splitlines()]
    assert words == ["one", "two"]


def test_what_cannot_be_said_is_left_out(tmp_path):
    """A library's word with too few arguments fails nothing."""
    file = LogFile(tmp_path / "x.log", LogSettings())
    logger(file).info("%s and %s", "one")
    logger(file).info("fine")
    file.close()
    assert file.path.read_text().endswith("fine\n")


@pytest.mark.parametrize("place", ["/dev/full", "{}/file/x.log", "{}/file/below/x.log"])
def test_a_file_that_cannot_be_written_is_told_once(tmp_path, place):
    """A full disk, or a file where a folder should be: one notice, no error."""
    (tmp_path / "file").touch()
    said: list[str] = []
    file = LogFile(Path(place.format(tmp_path)), LogSettings(), notice=said.append)
    log = logger(file)
    for word in ("one", "two", "three"):
        log.info(word)
    file.close()
    assert file.failed
    assert len(said) == 1
    assert said[0].startswith(f"no log is kept: {file.path}: ")


def test_the_newest_runs_are_kept_and_nothing_else_is_touched(tmp_path):
    """A note in an old run's folder, a folder of another name, a link: they stay."""
    runs = tmp_path / "logs/runs"
    made = [log_folder(tmp_path, BEGUN + timedelta(seconds=n)) for n in range(5)]
    others = [runs / "mine", runs / "2026-11-21T09-05-01.250Z.old"]
    for folder in (*made, *others):
        folder.mkdir(parents=True)
        (folder / "run.log").touch()
    (made[1] / "note.txt").touch()
    link = runs / "2020-01-01T00-00-00.000Z"
    link.symlink_to(others[0], target_is_directory=True)
    remove_old(runs, 2)
    assert set(runs.iterdir()) == {made[1], *made[3:], *others, link}
    assert [path.name for path in made[1].iterdir()] == ["note.txt"]
    assert (others[0] / "run.log").exists()
    for keep in (50, None):
        remove_old(runs, keep)
    assert made[3].exists()
    remove_old(tmp_path / "absent", 1)


def test_a_stage_is_told_where_and_how_to_log(tmp_path):
    """By the words of its run; where the run keeps no log, nor does it."""
    settings = LogSettings(level="10", format="json", keep=500)
    folder, told = place_of_stage(tmp_path, words_for_stages(tmp_path / "x", settings))
    assert (folder, told) == (tmp_path / "x", settings)
    words = words_for_stages(tmp_path, LogSettings(keep=None))
    assert place_of_stage(tmp_path, words)[1].keep is None
    assert place_of_stage(tmp_path, words_for_stages(None, settings))[0] is None


def test_without_a_run_the_environment_may_say_how(tmp_path):
    """A stage that plain DVC started removes no log unless it is told; wrong words are refused."""
    folder, told = place_of_stage(tmp_path, {"HEDDLE_LOG_LEVEL": "WARNING"})
    assert folder is not None
    assert folder.parent == tmp_path / "logs/runs"
    assert (told.number, told.format, told.keep) == (30, "text", None)
    assert place_of_stage(tmp_path, {"HEDDLE_LOG_KEEP": "7"})[1].keep == 7
    with pytest.raises(ConfigError, match=r"no level 'loud'\. Known: DEBUG, INFO"):
        place_of_stage(tmp_path, {"HEDDLE_LOG_LEVEL": "loud"})
    with pytest.raises(ConfigError, match=r"HEDDLE_LOG_\*\.keep: must be .*, not 'few'"):
        place_of_stage(tmp_path, {"HEDDLE_LOG_KEEP": "few"})
