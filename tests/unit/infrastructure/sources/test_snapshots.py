"""Downloads that are kept: whole, never changed, and found again by day."""

import json
import runpy
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest
from polars.testing import assert_frame_equal

from heddle.domain.errors import IntegrityError
from heddle.infrastructure.sources.snapshots import Query, Snapshots

answers = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[3] / "yahoo_answers.py")))
QUERY = Query(ticker="ABC", start="2024-01-01")
MORE = {"zone": answers.NEW_YORK}


def at(day, hour=21):
    return datetime(2024, 1, day, hour, 0, 5, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    return Snapshots(tmp_path / "raw")


def names(store):
    return sorted(path.name for path in store.folder.iterdir())


def test_a_snapshot_says_what_it_is(store):
    """Query, rows, range, hash, versions and time stand beside the table."""
    shot = store.keep(QUERY, answers.bars(), at(16), MORE)
    assert names(store) == ["ABC_1d_20240116T210005Z.json", "ABC_1d_20240116T210005Z.parquet"]
    told = json.loads(shot.path.with_suffix(".json").read_text())
    assert told["query"] == {"ticker": "ABC", "interval": "1d", "start": "2024-01-01", "end": ""}
    assert (told["rows"], told["first"], told["last"]) == (10, "2024-01-02", "2024-01-16")
    assert told["sha256"] == sha256(shot.path.read_bytes()).hexdigest()
    assert told["fetched_at"] == "2024-01-16T21:00:05+00:00"
    assert sorted(told["library"]) == ["heddle", "polars"]
    (found,) = store.all(QUERY)
    assert (found.path, found.fetched_at, found.facts) == (shot.path, at(16), told)
    assert_frame_equal(found.bars(), answers.bars())


def test_nothing_is_overwritten(store):
    """Another download of the same second gets a name of its own, and is the newer one."""
    first = store.keep(QUERY, answers.bars(), at(16), MORE)
    content = first.path.read_bytes()
    for place in range(10):
        last = store.keep(QUERY, answers.bars(close=50.0 + place), at(16), MORE)
    assert last.path.name == "ABC_1d_20240116T210005Z-11.parquet"
    assert first.path.read_bytes() == content
    assert store.before(QUERY).path == last.path


def test_a_snapshot_without_its_description_is_none(store):
    """The writer was killed between the two files; the name is not used again."""
    shot = store.keep(QUERY, answers.bars(), at(16), MORE)
    shot.path.with_suffix(".json").unlink()
    assert store.all(QUERY) == []
    assert store.keep(QUERY, answers.bars(), at(16), MORE).path != shot.path


def test_the_newest_of_the_question_comes_before_others_of_the_ticker(store):
    """Another range is better than nothing, another ticker is not."""
    other = Query(ticker="ABC", start="2023-01-01")
    assert store.before(QUERY) is None
    store.keep(Query(ticker="ABCD"), answers.bars(), at(9), MORE)
    assert store.before(QUERY) is None
    store.keep(other, answers.bars(), at(16), MORE)
    assert store.before(QUERY).query == other
    store.keep(QUERY, answers.bars(), at(12), MORE)
    assert store.before(QUERY).query == QUERY


def test_what_was_known_on_a_day_is_told_by_the_exchange_s_clock(store):
    """Two in the morning in London is still the day before in New York."""
    early = store.keep(QUERY, answers.bars(), at(11, 2), MORE)
    late = store.keep(QUERY, answers.bars(close=1.0), at(12), MORE)
    assert store.known_on(QUERY, date(2024, 1, 9)) is None
    assert store.known_on(QUERY, date(2024, 1, 10)).path == early.path
    assert store.known_on(QUERY, date(2024, 1, 12)).path == late.path
    assert store.known_on(QUERY, date(2025, 1, 1)).path == late.path
    assert store.known_on(Query(ticker="ABC"), date(2025, 1, 1)) is None


@pytest.mark.parametrize("change", [lambda p: p.write_bytes(b"x"), lambda p: p.unlink()])
def test_a_snapshot_that_is_not_what_was_kept_is_refused(store, change):
    """A flipped bit, a file that is gone."""
    shot = store.keep(QUERY, answers.bars(), at(16), MORE)
    change(shot.path)
    words = "snapshot ABC_1d_20240116T210005Z.parquet: is not what was kept, or is gone"
    with pytest.raises(IntegrityError, match=words) as caught:
        store.before(QUERY).bars()
    assert "remove it together with its .json file" in caught.value.todo


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"query": {"tickers": 1}}', '{"query": 3}'])
def test_a_description_that_is_none_is_refused(store, text):
    """It is not passed over: a day might be taken from an older snapshot."""
    shot = store.keep(QUERY, answers.bars(), at(16), MORE)
    shot.path.with_suffix(".json").write_text(text)
    with pytest.raises(IntegrityError, match="does not say what its snapshot is"):
        store.all(QUERY)
