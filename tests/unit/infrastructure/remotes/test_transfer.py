"""Many contents at a time."""

import hashlib
import threading

import pytest

from heddle.domain.errors import IntegrityError
from heddle.infrastructure.file_hashes import FileHashes
from heddle.infrastructure.memory import SilentProgress
from heddle.infrastructure.remotes.folder import FolderStore
from heddle.infrastructure.remotes.store import Content
from heddle.infrastructure.remotes.transfer import fetch_all, send_all, states


@pytest.fixture
def store(tmp_path):
    (tmp_path / "share").mkdir()
    return FolderStore(tmp_path / "share", {"md5": FileHashes(tmp_path / "m.json", "md5")})


def made(folder, count):
    """Files and the contents that they are."""
    folder.mkdir()
    items = []
    for number in range(count):
        data = f"{number}".encode() * 100
        (folder / f"{number}").write_bytes(data)
        digest = hashlib.md5(data).hexdigest()
        items.append((Content(f"o/{digest}", "md5", digest, len(data), f"{number}"), data))
    return items


def test_all_of_them_go_and_come(store, tmp_path):
    """As they are; none at all is no fault."""
    items = made(tmp_path / "here", 40)
    contents = [content for content, _ in items]
    progress = SilentProgress()
    assert set(states(store, contents, progress).values()) == {"absent"}
    send_all(store, [(c, tmp_path / "here" / c.name) for c in contents], "there", progress)
    assert set(states(store, contents, progress).values()) == {"whole"}
    fetch_all(store, [(c, tmp_path / "back" / c.name) for c in contents], "here", progress)
    assert {c.name: (tmp_path / "back" / c.name).read_bytes() for c, _ in items} == {
        c.name: data for c, data in items
    }
    send_all(store, [], "there", progress)
    fetch_all(store, [], "here", progress)


@pytest.mark.parametrize("bad", [0, 7])
def test_one_fault_ends_all_and_is_told_once(store, tmp_path, bad):
    """Whether it is the first or another; no thread is left behind."""
    items = made(tmp_path / "here", 40)
    (tmp_path / "here" / f"{bad}").write_bytes(b"other")
    before = threading.active_count()
    told = [(c, tmp_path / "here" / c.name) for c, _ in items]
    with pytest.raises(IntegrityError, match=rf"here/{bad}: holds md5 .* It changed meanwhile"):
        send_all(store, told, "there", SilentProgress())
    assert threading.active_count() == before
    good = [content for content, _ in items if content.name != f"{bad}"]
    send_all(store, [(c, tmp_path / "here" / c.name) for c in good], "there", SilentProgress())
    assert store.state(items[bad][0]) == "absent"
    with pytest.raises(IntegrityError, match=f"lacks o/.*, recorded as {bad}"):
        fetch_all(store, [(c, tmp_path / "b" / c.name) for c, _ in items], "h", SilentProgress())
    assert not (tmp_path / "b" / f"{bad}").exists()
    assert not list(tmp_path.rglob(".*part"))
