"""What every log of requests does, asked of SQLite and of memory."""

import math
import signal
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from heddle.domain.entities import JoinedOutcomes, RequestRecord
from heddle.domain.errors import BusyError, ConfigError, IntegrityError, ResourceError
from heddle.infrastructure import request_file
from heddle.infrastructure.memory_requests import MemoryRequests
from heddle.infrastructure.sqlite_requests import SqliteRequests

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
ONE = RequestRecord(
    id=f"{1:032x}",
    at=NOON.isoformat(),
    model="m/3",
    digest="d" * 64,
    row={"size": 0.1 + 0.2, "rooms": 3, "kind": "ü\ud800\n", "open": True, "left": None},
    prediction=1e5 / 3,
    lower=1.5,
    upper=None,
    flags="size above training",
    latency_ms=1.25,
    redacted=("name", "street"),
)


def record(number: int, *, seconds: float = 0, **more: Any) -> RequestRecord:
    at = (NOON + timedelta(seconds=seconds)).isoformat()
    return replace(ONE, id=f"{number:032x}", at=at, **more)


def beside(number: int, asked: int, **more: Any) -> RequestRecord:
    """What another model says of a request; at the time of that, as a rule."""
    seconds = more.pop("seconds", asked)
    return record(number, seconds=seconds, beside=f"{asked:032x}", model="m/4", **more)


def ids(log: Any, **asked: Any) -> list[int]:
    return [int(one.id, 16) for one in log.rows(**asked)]


class RequestLogContract:
    """The contract; a subclass gives the log."""

    @pytest.fixture
    def log(self, tmp_path) -> Any:
        raise NotImplementedError

    def test_what_was_appended_is_found_as_it_was(self, log):
        """Every field, to the last bit; nothing for an id that was never kept."""
        assert log.append([ONE]) == 1
        assert log.find(ONE.id) == ONE
        assert log.find("0" * 32) is None
        assert log.count() == 1

    def test_an_empty_log_holds_nothing(self, log):
        """Nobody has to make one first."""
        assert log.append([]) == log.count() == log.sweep(ONE.at) == 0
        assert log.find(ONE.id) is None
        assert list(log.rows()) == []
        told = log.add_outcomes([(ONE.id, 1.0)])
        assert told == JoinedOutcomes(joined=0, known=0, replaced=0, unknown=(ONE.id,))

    def test_a_request_is_kept_once_and_the_first_stays(self, log):
        """A batch that is sent again after a fault doubles nothing."""
        log.append([ONE])
        assert log.append([replace(ONE, prediction=9.0), record(2), record(2)]) == 1
        assert log.find(ONE.id) == ONE
        assert log.count() == 2

    def test_rows_come_in_the_order_of_time(self, log):
        """Whatever the order in which they came, and the zone that their time is told in."""
        other = replace(record(4), at="2026-05-01T14:00:00.5+02:00")
        log.append([record(1, seconds=2), record(2, seconds=-1), other, record(3)])
        assert ids(log) == [2, 3, 4, 1]
        assert log.find(other.id).at == other.at

    def test_rows_of_a_model_and_a_time(self, log):
        """A name means all its versions; `since` is part of it, `until` is not."""
        models = ["m/3", "m/4", "n/3", "m/31", "mm/3"]
        log.append([record(i, seconds=i, model=model) for i, model in enumerate(models)])
        assert ids(log, model="m/3") == [0]
        assert ids(log, model="m") == [0, 1, 3]
        assert ids(log, model="x") == []
        span = {"since": record(0, seconds=1).at, "until": record(0, seconds=3).at}
        assert ids(log, **span) == [1, 2]
        assert ids(log, **span, model="m") == [1]
        assert ids(log, limit=2) == [3, 4], "the latest"
        assert ids(log, model="m", limit=1) == [3]
        assert ids(log, limit=0) == []

    def test_outcomes_are_joined(self, log):
        """By id; what is not there is counted and kept nowhere."""
        log.append([record(1), record(2)])
        told = log.add_outcomes([(record(1).id, 0.1 + 0.2), ("nobody", 5.0)])
        assert told == JoinedOutcomes(joined=1, known=0, replaced=0, unknown=("nobody",))
        assert log.find(record(1).id) == replace(record(1), outcome=0.1 + 0.2)
        assert [one.outcome for one in log.rows()] == [0.1 + 0.2, None]
        log.append([replace(record(3), id="nobody")])
        assert log.find("nobody").outcome is None

    def test_an_outcome_told_again_changes_nothing(self, log):
        """The same value is known, another is named and not taken over."""
        log.append([record(1), record(2)])
        one, two = record(1).id, record(2).id
        log.add_outcomes([(one, 5)])
        told = log.add_outcomes([(one, 5.0), (two, 1.0), (two, 1.0), (two, 2.0)])
        assert told == JoinedOutcomes(joined=1, known=2, replaced=0, differing=(two,))
        assert log.find(two).outcome == 1.0
        told = log.add_outcomes([(two, 3.0), (one, 5.0)], replace=True)
        assert told == JoinedOutcomes(joined=0, known=1, replaced=1)
        assert log.find(two).outcome == 3.0
        assert log.append([record(2)]) == 0
        assert log.find(two).outcome == 3.0

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    def test_an_outcome_is_a_finite_number(self, log, value):
        """All or nothing."""
        log.append([record(1), record(2)])
        with pytest.raises(ConfigError, match=r"the outcome of '0+2' is no finite number: "):
            log.add_outcomes([(record(1).id, 1.0), (record(2).id, value)])
        assert log.find(record(1).id).outcome is None

    def test_the_old_are_forgotten_with_their_outcomes(self, log, monkeypatch):
        """Those before a moment, and no others; an id that comes back has no outcome."""
        monkeypatch.setattr("heddle.infrastructure.sqlite_requests._SWEPT", 2)
        log.append([record(i, seconds=i) for i in range(5)])
        log.add_outcomes([(record(i).id, float(i)) for i in range(5)])
        assert log.sweep(record(0, seconds=3).at) == 3
        assert [(int(one.id, 16), one.outcome) for one in log.rows()] == [(3, 3.0), (4, 4.0)]
        assert log.sweep(record(0, seconds=3).at) == 0
        log.append([record(1)])
        assert log.find(record(1).id).outcome is None

    @pytest.mark.parametrize("at", ["2026-05-01T12:00:00", "yesterday", ""])
    def test_a_time_without_its_zone_is_refused(self, log, at):
        """All or nothing, in every question."""
        with pytest.raises(ConfigError, match="is no time with its zone; write as 2026-05"):
            log.append([ONE, replace(record(2), at=at)])
        with pytest.raises(ConfigError, match="is no time with its zone"):
            log.sweep(at)
        assert log.count() == 0

    def test_a_prediction_that_is_no_number_is_kept_as_that(self, log):
        """It is what was answered."""
        log.append([replace(ONE, prediction=math.nan)])
        assert math.isnan(log.find(ONE.id).prediction)

    def test_what_stands_beside_a_request_is_told_with_it(self, log):
        """By time, in pairs; a record whose request was never kept is in no pair."""
        log.append([record(i, seconds=i) for i in range(4)])
        log.append([beside(10 + i, i, prediction=float(i)) for i in (3, 1)])
        log.append([beside(20, 99)])
        found = [(int(a.id, 16), int(b.id, 16), b.model) for a, b in log.pairs()]
        assert found == [(1, 11, "m/4"), (3, 13, "m/4")]
        assert log.find(f"{11:032x}") == beside(11, 1, prediction=1.0)
        assert ids(log, model="m/4") == [11, 13, 20]
        assert log.count() == 4, "it is no request"
        late = record(0, seconds=2).at
        assert [int(a.id, 16) for a, _ in log.pairs(since=late)] == [3]
        assert [int(a.id, 16) for a, _ in log.pairs(until=late)] == [1]

    def test_it_shares_the_outcome_of_its_request(self, log):
        """And has none of its own, for nobody was given its id."""
        log.append([record(1), beside(11, 1), beside(12, 2)])
        told = log.add_outcomes([(record(1).id, 5.0), (f"{11:032x}", 6.0)])
        assert told == JoinedOutcomes(joined=1, known=0, replaced=0, unknown=(f"{11:032x}",))
        assert [(a.outcome, b.outcome) for a, b in log.pairs()] == [(5.0, 5.0)]
        assert {int(one.id, 16): one.outcome for one in log.rows()} == {1: 5.0, 11: 5.0, 12: None}
        assert log.find(f"{11:032x}").outcome == 5.0

    def test_it_is_forgotten_with_its_request(self, log):
        """It bears the same time."""
        log.append([record(1), record(2, seconds=9), beside(11, 1), beside(12, 2, seconds=9)])
        assert log.sweep(record(0, seconds=5).at) == 2
        assert [(int(a.id, 16), int(b.id, 16)) for a, b in log.pairs()] == [(2, 12)]

    def test_several_threads_may_append(self, log):
        """Each row is there once."""

        def some(start: int) -> None:
            for i in range(start, start + 40, 4):
                log.append([record(k) for k in range(i, i + 4)])

        threads = [threading.Thread(target=some, args=(100 * k,)) for k in range(3)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert sorted(ids(log)) == [100 * k + i for k in range(3) for i in range(40)]


class TestMemoryRequests(RequestLogContract):
    @pytest.fixture
    def log(self, tmp_path):
        return MemoryRequests()


class TestSqliteRequests(RequestLogContract):
    @pytest.fixture
    def file(self, tmp_path):
        return tmp_path / "a folder?" / "requests.db"

    @pytest.fixture
    def log(self, file):
        made = SqliteRequests(file)
        yield made
        made.close()

    def test_reading_writes_nothing(self, log, file):
        """No file and no folder, until there is something to keep."""
        list(log.rows())
        log.find("x")
        log.count()
        assert not file.parent.exists()

    def test_values_of_other_kinds_are_kept_as_text_and_numbers(self, log):
        """Days as ISO 8601, scalars of arrays as numbers."""
        log.append([replace(ONE, row={"day": date(2026, 5, 1), "n": np.float64(0.5), "s": {1}})])
        assert log.find(ONE.id).row == {"day": "2026-05-01", "n": 0.5, "s": "{1}"}

    @pytest.mark.parametrize(
        "wrong",
        [{"id": None}, {"model": 3}, {"prediction": "much"}, {"row": 5}, {"flags": "\ud800"}],
    )
    def test_what_cannot_be_kept_is_refused(self, log, wrong):
        """All or nothing, and as the caller's fault, not the disk's."""
        with pytest.raises(ConfigError, match="a request cannot be kept: "):
            log.append([ONE, replace(record(2), **wrong)])
        assert log.count() == 0

    def test_two_logs_of_one_file_write_in_turn(self, log, file):
        """As two servers do; each sees what the other has kept."""
        other = SqliteRequests(file)
        for i in range(0, 6, 2):
            log.append([record(i)])
            other.append([record(i + 1)])
        other.close()
        assert ids(log) == list(range(6))

    def test_a_writer_that_is_killed_loses_at_most_the_batch_in_flight(self, log, file):
        """What its calls returned from is there, and no part of a batch."""
        code = f"""
import sys
from dataclasses import replace
from pathlib import Path
from heddle.domain.entities import RequestRecord
from heddle.infrastructure.sqlite_requests import SqliteRequests
log = SqliteRequests(Path({str(file)!r}))
one = RequestRecord(id="", at={ONE.at!r}, model="m/3", digest="d", row={{}}, prediction=0.0)
for batch in range(10**6):
    log.append([replace(one, id=f"{{batch}}-{{i}}") for i in range(50)])
    print(batch, flush=True)
"""
        writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        while int(writer.stdout.readline()) < 20:
            pass
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split("\n")
        writer.wait()
        writer.stdout.close()
        told = max((int(line) for line in rest[:-1]), default=20) + 1
        assert log.count() in {50 * told, 50 * (told + 1)}
        assert log.append([ONE]) == 1, "and the file can be written on"

    def test_a_file_of_something_else_is_refused(self, log, file):
        """It is told what is there, and left as it is."""
        file.parent.mkdir()
        file.write_bytes(b"no database, but long enough to be looked at as one" * 9)
        with pytest.raises(IntegrityError, match="is not a whole file of requests: file is not a"):
            list(log.rows())
        file.unlink()
        with sqlite3.connect(file) as rows:
            rows.execute("pragma user_version = 7")
        rows.close()
        with pytest.raises(IntegrityError, match=r"format 7, expected 1\. Nothing was written"):
            log.append([ONE])

    @pytest.mark.parametrize("keep", [0, 100, 4096, 5000, 12_288])
    def test_a_torn_file_is_told(self, log, file, keep):
        """Wherever it was cut off."""
        log.append([record(i) for i in range(200)])
        log.close()
        content = file.read_bytes()
        file.write_bytes(content[:keep])
        with pytest.raises(IntegrityError, match=r"is not a whole file of requests: .*-wal and"):
            list(log.rows())
        with pytest.raises(IntegrityError, match=r"is not a whole file of requests"):
            log.append([record(i) for i in range(200, 400)])

    def test_a_row_that_is_no_json_is_told(self, log, file):
        """Bytes that somebody changed are not handed on."""
        log.append([ONE])
        with sqlite3.connect(file) as rows:
            rows.execute("update requests set row = '{half'")
        rows.close()
        with pytest.raises(IntegrityError, match="a row cannot be read: Expecting"):
            log.find(ONE.id)

    def test_a_file_of_before_is_read_as_it_is_and_grows_when_it_is_written(self, log, file):
        """Nothing is lost; a writer of the earlier code, still running, writes on."""
        log.append([record(i, seconds=i) for i in range(3)])
        log.add_outcomes([(record(1).id, 5.0)])
        kept = list(log.rows())
        log.close()
        with sqlite3.connect(file, isolation_level=None) as old:
            old.execute("alter table requests drop column beside")
        before = file.read_bytes()
        assert list(log.rows()) == kept
        assert (log.count(), list(log.pairs()), log.find(kept[1].id)) == (3, [], kept[1])
        assert file.read_bytes() == before, "reading writes nothing"
        log.append([beside(11, 1)])
        names = "at, model, digest, row, prediction, flags, redacted"
        copy = f"insert into requests (moment, id, {names}) select moment, 'old', {names}"
        old.execute(f"{copy} from requests limit 1")
        old.close()
        assert log.find("old").at == kept[0].at
        assert [one for one in log.rows() if one.id != "old" and not one.beside] == kept
        assert log.count() == 4
        assert [(a.id, b.outcome) for a, b in log.pairs()] == [(record(1).id, 5.0)]

    def test_two_that_let_a_file_grow_at_once_both_write(self, log, file):
        """The second finds it done."""
        log.append([ONE])
        log.close()
        with sqlite3.connect(file, isolation_level=None) as old:
            old.execute("alter table requests drop column beside")
        old.close()
        logs = [SqliteRequests(file) for _ in range(2)]
        threads = [
            threading.Thread(target=one.append, args=([record(2 + i)],))
            for i, one in enumerate(logs)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        for one in logs:
            one.close()
        assert sorted(ids(log)) == [1, 2, 3]

    def test_a_file_that_was_moved_away_is_begun_anew(self, log, file):
        """Nothing is written into what nobody sees any more."""
        log.append([ONE])
        log.close()
        file.rename(file.with_name("old.db"))
        assert log.append([record(2)]) == 1
        file.unlink()
        assert log.append([record(3)]) == 1
        assert ids(SqliteRequests(file.with_name("old.db"))) == [1]
        assert 3 in ids(log)

    def test_a_place_that_cannot_be_written_is_told(self, log, file):
        """As lack of room, with what to do."""
        file.parent.write_text("a file where the folder should be")
        with pytest.raises(ResourceError, match=r"requests cannot be kept or read: .*permissions"):
            log.append([ONE])

    def test_somebody_who_writes_is_waited_for_and_then_named(self, log, file, monkeypatch):
        """Exit code 6, nothing lost."""
        monkeypatch.setattr(request_file, "_PATIENCE", 0.01)
        log.append([ONE])
        log.close()
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("begin immediate")
        with pytest.raises(BusyError, match="somebody else writes requests"):
            log.append([record(2)])
        assert ids(log) == [1], "reading goes on meanwhile"
        other.execute("rollback")
        other.close()
        assert log.append([record(2)]) == 1

    def test_what_was_forgotten_is_not_left_in_the_file(self, log, file):
        """Its bytes are gone and the file is small again."""
        secret = {"name": "somebody's name"}
        log.append([record(i, row=secret) for i in range(3_000)])
        log.sweep(record(0, seconds=1).at)
        assert file.stat().st_size < 100_000
        assert all(b"somebody" not in path.read_bytes() for path in file.parent.iterdir())

    def test_the_secret_of_the_hashes_is_made_once_for_its_owner(self, file):
        """Whoever comes second gets the same."""
        key = file.with_name("requests.key")
        made = request_file.redaction_key(key)
        assert len(made) == 64
        assert request_file.redaction_key(key) == made
        assert key.stat().st_mode & 0o777 == 0o600
        with pytest.raises(ResourceError, match="requests cannot be kept or read"):
            request_file.redaction_key(key / "below")
