"""Outputs of every kind that DVC knows, to a remote and from it."""

import shutil
import subprocess

import pytest

from heddle.domain.errors import HeddleError, IntegrityError
from heddle.infrastructure.dvc_lock import Digests
from heddle.infrastructure.dvc_runs import DvcRuns
from heddle.infrastructure.file_hashes import FileHashes
from heddle.infrastructure.memory import SilentProgress
from heddle.infrastructure.remotes.data import DataPull, DataPush
from heddle.infrastructure.remotes.folder import FolderStore
from heddle.infrastructure.remotes.recorded import RecordedData

pytestmark = pytest.mark.filterwarnings(
    "ignore:_NoneStep.value will soon:DeprecationWarning"  # dvc on pygtrie
)
PIPELINE = """
stages:
  make:
    cmd: sh make.sh
    deps: [make.sh]
    outs: [one.txt, folder, {unsent.txt: {push: false}}]
    metrics: [{figures.json: {cache: false}}]
    plots: [{curves: {cache: false}}]
  later:
    cmd: "false"
    outs: [never.txt]
"""
MAKE = """
mkdir -p folder/in curves
echo one > one.txt; echo two > folder/in/two.txt; : > folder/empty; echo one > folder/same
echo unsent > unsent.txt; echo '{"a": 1}' > figures.json; echo x > curves/a.csv
"""
SENT = {
    "one.txt": b"one\n",
    "folder/in/two.txt": b"two\n",
    "folder/empty": b"",
    "folder/same": b"one\n",
    "figures.json": b'{"a": 1}\n',
    "raw.csv": b"a,b\n",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A repository of DVC's with outputs of every kind, and a file that is tracked by itself."""
    root = tmp_path_factory.mktemp("made") / "repo"
    root.mkdir()
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    (root / "dvc.yaml").write_text(PIPELINE)
    (root / "make.sh").write_text(MAKE)
    (root / "raw.csv").write_bytes(b"a,b\n")
    runs = DvcRuns(root)
    runs.repo.add(str(root / "raw.csv"))
    runs.reproduce("make", force=False)
    return root


@pytest.fixture
def ann(made, tmp_path):
    shutil.copytree(made, tmp_path / "ann", symlinks=True)
    return tmp_path / "ann"


@pytest.fixture
def bob(made, tmp_path):
    """What git has of it."""
    never = shutil.ignore_patterns("cache", "tmp", *{name.split("/")[0] for name in SENT})
    shutil.copytree(made, tmp_path / "bob", symlinks=True, ignore=never)
    return tmp_path / "bob"


@pytest.fixture
def store(tmp_path):
    (tmp_path / "share").mkdir()
    return FolderStore(tmp_path / "share", {"md5": FileHashes(tmp_path / "m.json", "md5")})


def recorded(root):
    return RecordedData(root, Digests(root, root / ".heddle/digests.json"))


def push(root, store):
    errand = DataPush(recorded(root), store, SilentProgress())
    load = errand.plan()
    errand.carry_out(load)
    return load


def pull(root, store):
    scratch = root / ".heddle/pulled"
    errand = DataPull(recorded(root), store, SilentProgress(), scratch=scratch)
    load = errand.plan()
    errand.carry_out(load)
    assert not scratch.exists()
    return load


def test_every_kind_of_output_goes_and_comes(ann, bob, store):
    """Folders, metrics that DVC does not cache, files tracked by themselves; not what is told."""
    load = push(ann, store)
    assert load.notes == ("DVC keeps no list of what is in curves: left out",)
    assert load.files == 6  # one.txt and folder/same are one object; the folder's list is one
    assert push(ann, store).files == 0
    assert pull(bob, store).files == 5  # after the list of the folder
    assert {name: (bob / name).read_bytes() for name in SENT} == SENT
    assert not (bob / "unsent.txt").is_file() or (bob / "unsent.txt").read_bytes() == b"unsent\n"
    assert pull(bob, store).files == 0


def test_what_dvc_lost_is_taken_from_its_place_if_it_is_still_that(ann, store):
    """And refused when it is not: what is sent is what dvc.lock records."""
    for path in (ann / ".dvc/cache").rglob("*"):
        if path.is_file() and path.suffix != ".dir":
            path.unlink()
    (ann / "raw.csv").write_bytes(b"other")
    with pytest.raises(IntegrityError, match=r"neither here nor there is .* of raw.csv. `heddle"):
        push(ann, store)
    (ann / "raw.csv").write_bytes(b"a,b\n")
    assert push(ann, store).files == 6
    shutil.rmtree(ann / ".dvc/cache/files/md5")
    with pytest.raises(IntegrityError, match=r"folder: the list of its files is not in DVC's"):
        push(ann, store)


def test_a_damaged_cache_is_not_believed(ann, bob, store):
    """DVC takes a read-only object for a good one; it is brought anew."""
    push(ann, store)
    pull(bob, store)
    cached = next(
        p for p in (bob / ".dvc/cache").rglob("*") if p.is_file() and p.read_bytes() == b"two\n"
    )
    cached.chmod(0o644)
    cached.write_bytes(b"TWO\n")
    cached.chmod(0o444)
    (bob / "folder/in/two.txt").unlink()
    assert pull(bob, store).files == 1
    assert (bob / "folder/in/two.txt").read_bytes() == b"two\n"
    (bob / "folder/in/two.txt").write_bytes(b"mine")
    cached.chmod(0o644)
    cached.write_bytes(b"TWO\n")
    assert push(bob, store).files == 0


def test_a_listing_that_is_damaged_or_missing_is_refused(ann, bob, store):
    """A folder's list is read before its files are."""
    push(ann, store)
    listing = next((store.root / "data").rglob("*.dir"))
    content = listing.read_bytes()
    listing.chmod(0o644)
    listing.write_bytes(b"[]")
    with pytest.raises(IntegrityError, match=r"recorded of folder was .* Nothing of it was used"):
        pull(bob, store)
    listing.unlink()
    with pytest.raises(IntegrityError, match=r"lacks what dvc.lock records of folder"):
        pull(bob, store)
    assert not (bob / "one.txt").exists()
    listing.write_bytes(content)
    pull(bob, store)


def test_what_dvc_cannot_read_is_worded(ann):
    """In its own words, in one line."""
    (ann / "dvc.yaml").write_text("stages: [")
    with pytest.raises(HeddleError, match="DVC: "):
        recorded(ann).outputs()
