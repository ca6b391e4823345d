"""Reading what DVC recorded, without DVC."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.infrastructure.dvc_lock import Digests, parse_lock, read_lock, recorded_stages
from heddle.infrastructure.dvc_mending import keep_good_lock, mend_lock, mend_rwlock

LOCK = b"""schema: '2.0'
stages:
  a:
    cmd: heddle stage a
    deps:
    - path: x
      hash: md5
      md5: 0123456789abcdef
      size: 12
    params:
      params.yaml:
        stages.a:
          by: 1e-05
          word: no
          time: 12:30:45
    outs:
    - path: data/a/\xc3\xa4.parquet
      hash: md5
      md5: fedcba9876543210
      size: 1
"""


@given(st.integers(0, len(LOCK)))
def test_a_lock_cut_anywhere_is_torn_or_tells_only_whole_stages(cut):
    """It never fails, and never tells of half an output."""
    found = parse_lock(LOCK[:cut])
    for recorded in recorded_stages(found or {}).values():
        for digest in (*recorded.reads.values(), *recorded.writes.values()):
            assert digest


def test_values_are_read_as_dvc_wrote_them(tmp_path):
    """By YAML 1.2: a small number, a text that 1.1 would take for false, one for a time."""
    (tmp_path / "dvc.lock").write_bytes(LOCK)
    recorded = recorded_stages(read_lock(tmp_path / "dvc.lock"))["a"]
    assert recorded.entry == {"by": 1e-05, "word": "no", "time": "12:30:45"}
    assert recorded.reads == {"x": "0123456789abcdef"}
    assert read_lock(tmp_path / "absent") == {}


@pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # DVC on pygtrie
def test_digests_are_those_of_dvc(tmp_path):
    """For files, empty ones, folders with folders, odd names; missing is None."""
    from dvc.repo import Repo

    (tmp_path / "f" / "in" / "b").mkdir(parents=True)
    for name, content in {
        "f/a.txt": b"a\r\nb\n",
        "f/in/Z": b"",
        "f/in/b/\u00e9 \u2603.bin": bytes(range(256)),
        "f/in-z": b"1",
        "f/.hidden": b"2",
        "one": b"x",
        "empty": b"",
    }.items():
        (tmp_path / name).write_bytes(content)
    digests = Digests(tmp_path, tmp_path / ".heddle/d.json")
    with Repo.init(str(tmp_path), no_scm=True) as repo:
        before = Path.cwd()
        os.chdir(tmp_path)
        try:
            for name in ("f", "one", "empty"):
                (stage,) = repo.add(name)
                assert digests.digest(name) == stage.outs[0].hash_info.value, name
        finally:
            os.chdir(before)
    assert digests.digest("absent") is None


def test_digests_are_remembered_and_never_wrong(tmp_path):
    """Same size, same time stamp, other bytes: seen."""
    path = tmp_path / "a"
    path.write_bytes(b"1")
    memory = tmp_path / ".heddle/d.json"
    digests = Digests(tmp_path, memory)
    first = digests.digest("a")
    digests.save()
    assert Digests(tmp_path, memory).digest("a") == first
    stat = path.stat()
    path.write_bytes(b"2")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert Digests(tmp_path, memory).digest("a") != first
    memory.write_text("[torn")
    assert Digests(tmp_path, memory).digest("a") is not None


def test_digests_may_be_asked_by_several_threads(tmp_path):
    """As runs with several jobs do."""
    for i in range(200):
        (tmp_path / f"{i}").write_text(str(i))
    digests = Digests(tmp_path, tmp_path / ".heddle/d.json")
    faults: list[BaseException] = []

    def work() -> None:
        try:
            for i in range(200):
                digests.digest(str(i))
                if not i % 10:
                    digests.save()
        except BaseException as fault:  # noqa: BLE001
            faults.append(fault)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults


def test_a_torn_lock_comes_back_from_the_good_copy_or_goes(tmp_path):
    """And a torn one is never kept as the good copy."""
    lock, copy = tmp_path / "dvc.lock", tmp_path / ".heddle/dvc.lock"
    assert mend_lock(tmp_path, copy) == []
    lock.write_bytes(LOCK)
    keep_good_lock(tmp_path, copy)
    lock.write_bytes(b"")
    keep_good_lock(tmp_path, copy)
    assert mend_lock(tmp_path, copy) == [
        "dvc.lock was torn by a kill: restored from the last good copy"
    ]
    assert lock.read_bytes() == LOCK
    lock.write_bytes(b"stages: [")
    copy.unlink()
    assert mend_lock(tmp_path, copy) == [
        "dvc.lock was torn by a kill: removed, stages are judged anew"
    ]
    assert not lock.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"write": {"a": {"cmd": "x"}}}'])
def test_a_torn_rwlock_is_removed(tmp_path, text):
    """DVC would fail on it for ever."""
    path = tmp_path / ".dvc/tmp/rwlock"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert mend_rwlock(tmp_path) == ["DVC's lock file was torn by a kill: removed"]
    assert not path.exists()


def test_an_rwlock_of_the_dead_is_removed_one_of_the_living_stays(tmp_path):
    """A process that was born after the file was written cannot have written it."""
    path = tmp_path / ".dvc/tmp/rwlock"
    path.parent.mkdir(parents=True)
    assert mend_rwlock(tmp_path) == []
    path.write_text(f'{{"write": {{"a": {{"pid": {os.getpid()}, "cmd": "x"}}}}, "read": {{}}}}')
    assert mend_rwlock(tmp_path) == []
    assert path.exists()
    os.utime(path, (1e9, 1e9))
    assert mend_rwlock(tmp_path) == []
    assert not path.exists()
