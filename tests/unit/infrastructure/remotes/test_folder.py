"""A share as a remote: whole files, and faults of the system in words."""

import hashlib
import threading

import pytest

from heddle.domain.errors import IntegrityError, ResourceError
from heddle.infrastructure.file_hashes import FileHashes
from heddle.infrastructure.remotes.folder import FolderStore
from heddle.infrastructure.remotes.store import Content

GOOD = Content("o/a", "md5", hashlib.md5(b"good").hexdigest(), 4, "a name")


@pytest.fixture
def store(tmp_path):
    (tmp_path / "share").mkdir()
    return FolderStore(tmp_path / "share", {"md5": FileHashes(tmp_path / "m.json", "md5")})


def test_other_bytes_of_the_same_size_are_seen(store):
    """Here reading is near: the size is not enough. Objects are read-only, as DVC's are."""
    store.put(GOOD, lambda _: iter([b"go", b"od"]))
    path = store.root / "o/a"
    assert path.stat().st_mode & 0o777 == 0o444
    assert store.state(GOOD) == "whole"
    path.chmod(0o644)
    path.write_bytes(b"evil")
    assert store.state(GOOD) == "other"
    store.put(GOOD, lambda _: iter([b"good"]))
    assert store.state(GOOD) == "whole"


def test_what_breaks_off_leaves_nothing(store):
    """No name, and no half of a file beside it."""

    def breaks(_):
        yield b"go"
        raise IntegrityError("broke")

    with pytest.raises(IntegrityError, match="broke"):
        store.put(GOOD, breaks)
    assert not list((store.root / "o").iterdir())


@pytest.mark.parametrize("doing", ["put", "swap", "state", "read"])
def test_what_the_system_refuses_is_worded(store, doing):
    """With the path, exit 5: a file lies where a folder should, a name is too long to be asked."""
    (store.root / "o").write_bytes(b"")
    no_name = FolderStore(store.root / ("n" * 300), {})
    calls = {
        "put": lambda: store.put(GOOD, lambda _: iter([b"good"])),
        "swap": lambda: store.swap("o/m", None, b"x"),
        "state": lambda: no_name.state(GOOD),
        "read": lambda: no_name.read("m"),
    }
    with pytest.raises(ResourceError, match=r"share/.*: cannot (read|write): .*Check the share"):
        calls[doing]()


def test_of_many_who_replace_a_document_one_does(store):
    """The others are told."""
    told = []
    threads = [
        threading.Thread(target=lambda n=n: told.append(store.swap("m", None, f"{n}".encode())))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [False] * 7 + [True]
    assert store.read("m") is not None
