"""What every log of predictions does, asked of SQLite and of memory."""

import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from heddle.domain.entities import Outcome, Prediction
from heddle.domain.errors import BusyError, ConfigError, IntegrityError, ResourceError
from heddle.infrastructure import sqlite_predictions
from heddle.infrastructure.memory_predictions import MemoryPredictions
from heddle.infrastructure.sqlite_predictions import SqlitePredictions

NOW = datetime(2024, 3, 1, 22, 15, 3, 250, tzinfo=UTC)
ONE = Prediction(
    series="ABC",
    as_of=date(2024, 3, 1),
    target_session=date(2024, 3, 8),
    horizon=5,
    price=100.1,
    predicted_return=0.1 + 0.2,  # no short decimal: what is kept is the number itself
    predicted_price=101.0,
    lower_return=-0.05,
    upper_return=None,
    lower_price=95.0,
    upper_price=None,
    direction="up",
    model_name="m",
    model_version="3",
    model_digest="d" * 64,
    data_hash="h",
    generated_at=NOW,
)
OTHERS = [
    replace(ONE, series="XYZ"),
    replace(ONE, as_of=date(2024, 3, 4)),
    replace(ONE, model_name="n"),
    replace(ONE, model_version="4"),
    replace(ONE, model_digest="e" * 64),
]


def outcome(of: Prediction, value: float = 0.02) -> Outcome:
    return Outcome(id=of.id, realised_return=value, realised_price=102.0, realised_at=NOW)


class PredictionLogContract:
    """The contract; a subclass gives the log."""

    @pytest.fixture
    def log(self, tmp_path) -> Any:
        raise NotImplementedError

    def test_what_was_added_is_found_as_it_was(self, log):
        """Every field, to the last bit; nothing for an id that was never kept."""
        assert log.add([ONE]) == 1
        assert log.find(ONE.id) == ONE
        assert log.find("0" * 16) is None

    def test_an_empty_log_holds_nothing(self, log):
        """Nobody has to make one first."""
        assert list(log.all()) == []
        assert log.find(ONE.id) is None
        assert log.add([]) == 0
        assert log.fill([]) == 0

    def test_a_prediction_is_kept_once_and_the_first_stays(self, log):
        """The same series, session and model: what was said first was said."""
        log.add([ONE])
        assert log.add([replace(ONE, predicted_return=9.9), *OTHERS, OTHERS[0]]) == len(OTHERS)
        assert log.find(ONE.id) == ONE
        assert len({one.id for one in (ONE, *OTHERS)}) == len(OTHERS) + 1

    def test_they_come_in_the_order_of_their_sessions(self, log):
        """Whatever the order in which they were added."""
        later = replace(ONE, as_of=date(2024, 3, 5))
        earlier = replace(ONE, as_of=date(2024, 2, 29))
        second = replace(ONE, model_version="4", generated_at=NOW + timedelta(seconds=1))
        log.add([later, second, ONE, earlier])
        assert list(log.all()) == [earlier, ONE, second, later]

    def test_an_outcome_is_filled_in_once(self, log):
        """What came stays as it was first seen; nothing else of the prediction changes."""
        log.add([ONE, OTHERS[0]])
        assert log.fill([outcome(ONE), outcome(ONE, 0.5)]) == 1
        assert log.fill([outcome(ONE, 0.7)]) == 0
        known = {"realised_return": 0.02, "realised_price": 102.0, "realised_at": NOW}
        assert log.find(ONE.id) == replace(ONE, **known)
        assert log.find(OTHERS[0].id) == OTHERS[0]
        assert log.add([ONE]) == 0, "asked again, the outcome stays"
        assert log.find(ONE.id).realised_return == 0.02

    def test_an_outcome_of_nothing_is_refused_and_fills_nothing(self, log):
        """All or nothing."""
        with pytest.raises(ConfigError, match=r"no prediction '[0-9a-f]{16}' is kept\. `heddle p"):
            log.fill([outcome(ONE)])
        log.add([ONE])
        with pytest.raises(ConfigError, match=f"no prediction {OTHERS[0].id!r} is kept"):
            log.fill([outcome(ONE), outcome(OTHERS[0])])
        assert log.find(ONE.id).realised_at is None


class TestMemoryPredictions(PredictionLogContract):
    @pytest.fixture
    def log(self, tmp_path):
        return MemoryPredictions()


class TestSqlitePredictions(PredictionLogContract):
    @pytest.fixture
    def file(self, tmp_path):
        return tmp_path / "a folder?" / "predictions.db"

    @pytest.fixture
    def log(self, file):
        return SqlitePredictions(file)

    def test_reading_writes_nothing(self, log, file):
        """No file and no folder, until there is something to keep."""
        log.all()
        log.find("x")
        assert not file.parent.exists()

    def test_another_process_reads_what_was_kept(self, log, file):
        """It is on the disk when the call returns."""
        log.add([ONE])
        assert SqlitePredictions(file).find(ONE.id) == ONE

    def test_a_killed_writer_leaves_all_or_nothing(self, log, file):
        """The process dies between two rows of one call."""
        log.add([ONE])
        code = f"""
import os, sqlite3
rows = sqlite3.connect({str(file)!r})
rows.execute("pragma cache_size = 1")
rows.execute("update predictions set series = 'half'")
os._exit(9)
"""
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
        assert list(log.all()) == [ONE]

    def test_a_file_of_something_else_is_refused(self, log, file):
        """It is told what is there, and left as it is."""
        file.parent.mkdir()
        file.write_bytes(b"no database, but long enough to be looked at as one" * 9)
        with pytest.raises(IntegrityError, match="is not a file of predictions: file is not a"):
            log.all()
        file.unlink()
        with sqlite3.connect(file) as rows:
            rows.execute("pragma user_version = 7")
        rows.close()
        with pytest.raises(IntegrityError, match=r"format 7, expected 1\. Nothing was written"):
            log.add([ONE])

    def test_a_place_that_cannot_be_written_is_told(self, log, file):
        """As lack of room, with what to do."""
        file.parent.write_text("a file where the folder should be")
        with pytest.raises(ResourceError, match=r"predictions cannot be kept: .*permissions"):
            log.add([ONE])

    def test_somebody_who_writes_at_the_same_time_is_waited_for_and_then_named(
        self, log, file, monkeypatch
    ):
        """Exit code 6, nothing lost."""
        monkeypatch.setattr(sqlite_predictions, "_PATIENCE", 0.01)
        log.add([ONE])
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("begin exclusive")
        with pytest.raises(BusyError, match="somebody else writes predictions"):
            log.add(OTHERS)
        other.execute("rollback")
        other.close()
        assert log.add(OTHERS) == len(OTHERS)
