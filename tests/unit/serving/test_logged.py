"""Requests on their way to the log."""

import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from heddle.domain.entities import RequestRecord
from heddle.domain.errors import ConfigError
from heddle.domain.typed import build
from heddle.infrastructure import request_file
from heddle.infrastructure.memory_requests import MemoryRequests
from heddle.infrastructure.sqlite_requests import SqliteRequests
from heddle.serving import logged
from heddle.serving.logged import Logged, LogSettings

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ROW = {"size": 3.5, "name": "A. Person", "code": 7, "left": None}


def records(count: int, *, start: int = 0) -> list[RequestRecord]:
    one = RequestRecord(id="", at=NOW.isoformat(), model="m/1", digest="d", row=ROW, prediction=1.0)
    return [replace(one, id=f"{start + i:032x}") for i in range(count)]


def until(true: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if true():
            return
        time.sleep(0.005)
    raise AssertionError("it did not come")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Retries and gathering that no test waits for."""
    monkeypatch.setattr(logged, "_PAUSES", (0.01, 0.02))
    monkeypatch.setattr(logged, "_LINGER", 0.01)
    monkeypatch.setattr(request_file, "_PATIENCE", 0.01)


def test_what_is_offered_is_written():
    """In its order, at the latest when the queue is closed."""
    log = MemoryRequests()
    queue = Logged(log)
    assert all(queue.offer(records(3, start=start)) for start in range(0, 30, 3))
    assert queue.close(10)
    assert list(log.rows()) == records(30)
    assert (queue.counts.written, queue.counts.waiting, queue.counts.dropped) == (30, 0, 0)


def test_rows_are_written_without_a_close(tmp_path):
    """Soon after they came; another reads them meanwhile."""
    file = tmp_path / "requests.db"
    queue = Logged(SqliteRequests(file))
    queue.offer(records(2))
    until(lambda: queue.counts.written == 2)
    queue.offer(records(2, start=2))
    until(lambda: queue.counts.written == 4)
    assert list(SqliteRequests(file).rows()) == records(4)
    assert queue.close(10)


def test_from_many_threads():
    """Nothing is lost or doubled."""
    log = MemoryRequests()
    queue = Logged(log)

    def some(start: int) -> None:
        for i in range(100):
            queue.offer(records(2, start=start + 2 * i))

    threads = [threading.Thread(target=some, args=(1_000 * k,)) for k in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert queue.close(10)
    assert log.count() == queue.counts.written == 800


def test_a_full_queue_drops_and_counts_and_a_busy_file_is_tried_again(tmp_path):
    """Offering goes on while somebody else holds the file; what fits is written afterwards."""
    file, said = tmp_path / "requests.db", []
    log = SqliteRequests(file)
    log.append(records(1))
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("begin immediate")
    queue = Logged(log, LogSettings(queue_rows=5), notice=said.append)
    assert queue.offer(records(3, start=1))
    until(lambda: queue.counts.faults > 2)
    assert queue.offer(records(2, start=4))
    assert not queue.offer(records(1, start=6)), "rows that are being tried count as waiting"
    assert "somebody else writes requests" in queue.counts.fault
    other.execute("rollback")
    other.close()
    until(lambda: queue.counts.written == 5)
    assert queue.offer(records(1, start=7))
    assert queue.close(10)
    assert sorted(int(one.id, 16) for one in log.rows()) == [0, 1, 2, 3, 4, 5, 7]
    counts = queue.counts
    assert (counts.written, counts.waiting, counts.dropped, counts.fault) == (6, 0, 1, "")
    assert said[0].startswith("requests are not written down for now, answers go on: ")
    assert said[1] == "requests are written down again, 1 rows were dropped"
    assert len(said) == 2, "an outage is told once"


def test_a_disk_that_comes_back_gets_what_waited(tmp_path):
    """A place that could not be written, and then can."""
    folder = tmp_path / "predictions"
    folder.write_text("in the way")
    queue = Logged(SqliteRequests(folder / "requests.db"))
    assert queue.offer(records(4))
    until(lambda: "requests cannot be kept" in queue.counts.fault)
    folder.unlink()
    assert queue.close(10)
    assert list(SqliteRequests(folder / "requests.db").rows()) == records(4)


def test_closing_takes_no_longer_than_it_may(tmp_path):
    """What the disk did not take by then is counted as dropped; what comes later, too."""
    (tmp_path / "predictions").write_text("in the way")
    queue = Logged(SqliteRequests(tmp_path / "predictions" / "requests.db"))
    queue.offer(records(4))
    assert not queue.close(0.1)
    until(lambda: queue.counts.dropped == 4)
    assert queue.counts.waiting == 0
    assert not queue.offer(records(2))
    assert queue.counts.dropped == 6


def test_a_record_that_cannot_be_written_keeps_back_no_other(tmp_path):
    """It is counted; whatever is offered, nothing is raised."""
    log = SqliteRequests(tmp_path / "requests.db")
    queue = Logged(log)
    good, bad = records(3), replace(records(1, start=9)[0], at="noon")
    assert queue.offer([*good[:1], bad, *good[1:]])
    assert queue.offer([None])  # type: ignore[list-item]
    assert not queue.offer(5)  # type: ignore[arg-type]
    until(lambda: queue.counts.refused == 3)
    assert queue.close(10)
    assert list(log.rows()) == good
    assert queue.counts.written == 3


def test_columns_are_dropped_or_hashed():
    """Equal values have equal hashes under one key; the record says which columns they are."""
    log = MemoryRequests()
    settings = LogSettings(redact={"name": "drop", "code": "hash", "left": "hash", "gone": "drop"})
    queue = Logged(log, settings, key=b"secret")
    first, second = records(2)
    other = replace(records(1, start=2)[0], row=ROW | {"code": 8})
    queue.offer([first, second, other])
    queue.close(10)
    kept = list(log.rows())
    assert kept[0].redacted == ("name", "code", "left")
    assert kept[0].row == kept[1].row
    assert set(kept[0].row) == {"size", "code", "left"}
    assert kept[0].row["code"].startswith("hash:")
    assert kept[0].row["code"] != kept[2].row["code"]
    assert kept[0].row["left"] is None
    again = MemoryRequests()
    queue = Logged(again, settings, key=b"another")
    queue.offer([first])
    queue.close(10)
    assert next(again.rows()).row["code"] != kept[0].row["code"]


def test_hashing_needs_a_key():
    """A hash without one hides little."""
    with pytest.raises(ConfigError, match="redact: columns are to be hashed and there is no key"):
        Logged(MemoryRequests(), LogSettings(redact={"code": "hash"}))


def test_old_requests_are_forgotten(tmp_path):
    """Those of more than `keep_days`, from the start on; without it none."""
    log = MemoryRequests()
    old = replace(records(1)[0], at=(NOW - timedelta(days=8)).isoformat())
    log.append([old, *records(1, start=1)])
    Logged(log, now=lambda: NOW).close(10)
    assert log.count() == 2
    queue = Logged(log, LogSettings(keep_days=7), now=lambda: NOW)
    until(lambda: log.count() == 1)
    queue.close(10)
    assert [one.id for one in log.rows()] == [records(1, start=1)[0].id]


def test_a_sweep_that_fails_is_told_and_rows_are_written_all_the_same(tmp_path):
    """A broken file is named; once it has gone, a new one is made."""
    file, said = tmp_path / "requests.db", []
    file.write_bytes(b"torn" * 2_000)
    queue = Logged(SqliteRequests(file), LogSettings(keep_days=1), notice=said.append)
    queue.offer(records(2))
    until(lambda: queue.counts.faults > 2)
    assert said[0].startswith("old requests could not be forgotten: ")
    assert "is not a whole file of requests" in said[0]
    file.unlink()
    assert queue.close(10)
    assert SqliteRequests(file).count() == 2


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"queue_rows": 0}, "serving.log: queue_rows >= 1 and keep_days > 0 must hold"),
        ({"keep_days": 0}, "queue_rows >= 1 and keep_days > 0 must hold"),
        ({"redact": {"a": "hide"}}, "serving.log.redact"),
        ({"keep": 3}, "unknown key 'keep'; did you mean 'keep_days'"),
    ],
)
def test_settings_are_checked(told, words):
    """As any configuration."""
    with pytest.raises(ConfigError, match=words):
        build(LogSettings, told, where="serving.log")
