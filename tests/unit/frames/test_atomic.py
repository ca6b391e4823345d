"""All of the new bytes or all of the old ones."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from heddle.domain.errors import ResourceError
from heddle.frames.atomic import beside, error_number, publish, publish_folder, sweep


def test_an_exception_leaves_the_old_bytes_and_nothing_else(tmp_path):
    """Also the interrupt of a signal."""
    path = tmp_path / "deep" / "a.bin"
    publish(path, b"old")
    for fault in (ValueError, KeyboardInterrupt):
        with pytest.raises(fault), beside(path) as part:  # noqa: PT012 - the body is what is tested
            part.write_bytes(b"half")
            raise fault
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("rust", [False, True])
def test_a_full_or_failing_disk_is_a_resource_error(tmp_path, number, rust):
    """Whether the library tells a number or only words."""
    path = tmp_path / "a.bin"
    publish(path, b"old")
    words = f"parquet: io error: {os.strerror(number)} (os error {number})"
    fault = RuntimeError(words) if rust else OSError(number, os.strerror(number))
    with (
        pytest.raises(ResourceError, match=r"a\.bin: cannot write: .*The old version"),
        beside(path),
    ):
        raise fault
    assert path.read_bytes() == b"old"


def test_the_kernel_refusing_a_write_is_a_resource_error(tmp_path):
    """A limit on file size, in a process of its own: bytes through us and through polars."""
    code = """
import resource, sys, polars as pl
from pathlib import Path
from heddle.domain.errors import ResourceError
from heddle.frames.atomic import publish
from heddle.infrastructure.files import FileTables
folder = Path(sys.argv[1])
publish(folder / "a", b"old")
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
for kind in ("parquet", "csv"):
    try:
        FileTables(folder, kind).write("v", pl.DataFrame({"a": range(100_000)}), {})
        sys.exit("written")
    except ResourceError:
        pass
try:
    publish(folder / "a", bytes(10_000))
except ResourceError:
    assert (folder / "a").read_bytes() == b"old"
    assert not list(folder.rglob(".*"))
    print("refused")
"""
    told = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (told.stdout, told.stderr) == ("refused\n", "")


def test_kills_at_any_moment_tear_nothing(tmp_path):
    """200 kills of a writing loop: the file is always one of its whole versions; sweep cleans."""
    path = tmp_path / "a.bin"
    code = """
import os, sys, time, random, signal
from pathlib import Path
from heddle.frames.atomic import publish
chance = random.Random(7)
path = Path(sys.argv[1])
for i in range(200):
    child = os.fork()
    if not child:
        n = i
        while True:
            n = n % 250 + 1
            publish(path, bytes([n]) * (n * 997))
    time.sleep(chance.uniform(0.001, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if path.exists():
        found = path.read_bytes()
        assert found == bytes([found[0]]) * (found[0] * 997), i
print("whole")
"""
    told = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    assert told.stdout == "whole\n", told.stderr
    left = len(list(tmp_path.iterdir())) - 1
    assert sweep(tmp_path) == left
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    """Nothing of the old one stays; a link in its place gives way, its target does not."""
    folder = tmp_path / "model"
    publish_folder(folder, {"a": b"1", "b": b"2"})
    publish_folder(folder, {"a": b"3"})
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {"a": b"3"}
    (tmp_path / "link").symlink_to(folder)
    publish_folder(tmp_path / "link", {"c": b"4"})
    assert not (tmp_path / "link").is_symlink()
    assert {p.name for p in folder.iterdir()} == {"a"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "model"]


def test_a_folder_that_cannot_be_written_stays(tmp_path):
    """What the kernel refuses leaves the old folder, and nothing beside it."""
    folder = tmp_path / "model"
    publish_folder(folder, {"a": b"old"})
    with pytest.raises(ResourceError, match=r"cannot write: .*The old version is as it was"):
        publish_folder(folder, {"a": b"new", "a/b/c": b"below a file"})
    (tmp_path / "file").touch()
    with pytest.raises(ResourceError, match="cannot write: "):
        publish_folder(tmp_path / "file" / "model", {"a": b"new"})
    assert (folder / "a").read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "model"]


def test_kills_at_any_moment_tear_no_folder(tmp_path):
    """150 kills of a loop that replaces it: the folder is whole or absent; sweep cleans."""
    folder = tmp_path / "model"
    code = """
import os, sys, time, random, signal
from pathlib import Path
from heddle.frames.atomic import publish_folder
chance = random.Random(7)
folder = Path(sys.argv[1])
whole = 0
for i in range(150):
    child = os.fork()
    if not child:
        n = i
        while True:
            n = n % 250 + 1
            publish_folder(folder, {name: bytes([n]) * (n * 997) for name in ("a", "b", "c")})
    time.sleep(chance.uniform(0.001, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if folder.exists():
        found = {p.name: p.read_bytes() for p in folder.iterdir()}
        n = found["a"][0]
        assert found == {name: bytes([n]) * (n * 997) for name in ("a", "b", "c")}, i
        whole += 1
assert whole > 50, whole
print("whole")
"""
    told = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False
    )
    assert told.stdout == "whole\n", told.stderr
    sweep(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] in (["model"], [])


def test_sweep_takes_only_its_own_left_overs(tmp_path):
    """Deep or not, hidden files of others stay."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / ".model.new.heddle-part").mkdir()
    for name in (".gitignore", "a.heddle-part", ".a.x.heddle-part", "in/.b.y.heddle-part"):
        (tmp_path / name).touch()
    (tmp_path / "in/.model.new.heddle-part/model.skops").touch()
    assert sweep(tmp_path, deep=False) == 1
    assert sweep(tmp_path) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == [".gitignore", "a.heddle-part", "in"]
    assert sweep(tmp_path / "absent") == 0


def test_error_numbers():
    """0 for what the system did not say."""
    assert error_number(ValueError("x")) == 0
    assert error_number(OSError(28, "full")) == 28
