"""What every remote does: a share that is mounted, and a bucket behind a line that can break."""

import itertools
import json
import runpy
import shutil
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from heddle.infrastructure.remotes import s3 as heddle_s3

pytestmark = pytest.mark.filterwarnings(
    "ignore:_NoneStep.value will soon:DeprecationWarning"  # dvc on pygtrie
)
TESTS = Path(__file__).parents[1]
s3 = SimpleNamespace(**runpy.run_path(str(TESTS / "s3_server.py")))
users = SimpleNamespace(**runpy.run_path(str(TESTS / "remote_users.py")))
heddle = users.heddle
NAMES = (f"shelf-{i}" for i in itertools.count())
MANIFEST = "runs/manifest.json"


@pytest.fixture(scope="module")
def server():
    with s3.moto() as address:
        yield address


@pytest.fixture(autouse=True)
def keys(monkeypatch, tmp_path):
    """Keys from the environment, nothing of this machine's user, and short waits."""
    for name in ("_PATIENCE", "_FIRST"):
        short = replace(getattr(heddle_s3, name), timeout_seconds=5, backoff_seconds=0.01)
        monkeypatch.setattr(heddle_s3, name, short)
    for name in s3.OF_THIS_MACHINE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in s3.KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def made(once):
    """A tracking store that is copied before anything is done to it."""
    return once("runs", users.make_runs)


@pytest.fixture
def ann(done, made):
    """A project that has run, and tracked."""
    return users.with_runs(done, made)


@pytest.fixture
def bob(ann, tmp_path):
    """What git has of it, elsewhere."""
    return users.clone_of(ann, tmp_path / "bob")


def go(root, command, remote, *words):
    return heddle(root, command, *remote.options, "--yes", *words)


def figures(root, command, remote, *words):
    code, said, err = go(root, command, remote, "--json", *words)
    assert code == 0, err
    return json.loads(said)


def stages(root):
    told = json.loads(heddle(root, "status", "--json")[1])
    return {stage["name"]: stage["reasons"] for stage in told}


def outputs(root):
    files = [p for f in ("data", "reports") for p in (root / f).rglob("*") if p.is_file()]
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in files}


class RemoteContract:
    """The contract; a subclass gives the remote."""

    @pytest.fixture
    def remote(self, tmp_path, server):
        raise NotImplementedError

    def test_what_is_pushed_is_pulled_by_another(self, remote, ann, bob):
        """Data as dvc.lock records it, runs and a model that predicts; the second push is empty."""
        first = figures(ann, "push", remote)
        assert (first["data"]["files"], first["data"]["present"]) == (9, 0)
        assert first["runs"]["files"] > 5
        before = remote.objects()
        again = figures(ann, "push", remote)
        assert (again["data"]["files"], again["data"]["present"]) == (0, 9)
        assert again["runs"]["files"] == 0
        assert remote.objects() == before
        came = figures(bob, "pull", remote)
        assert (came["data"]["files"], came["runs"]["files"]) == (9, first["runs"]["files"])
        assert outputs(bob) == outputs(ann)
        assert not any(stages(bob).values()), stages(bob)
        expected = users.prices(ann)
        shutil.rmtree(ann)  # nothing of what came may lean on it
        assert users.prices(bob) == expected
        assert figures(bob, "pull", remote)["data"]["files"] == 0
        again = figures(bob, "push", remote)
        assert (again["data"]["files"], again["runs"]["files"]) == (0, 0)
        assert remote.objects() == before

    def test_dvc_reads_what_we_wrote_and_we_what_it_wrote(self, remote, ann, bob, tmp_path):
        """The data lies as DVC's own remotes do."""
        from dvc.repo import Repo

        def dvc(root):
            config = {"core": {"remote": "x"}, "remote": {"x": remote.of_dvc()}}
            return Repo(str(root), config=config)

        figures(ann, "push", remote, "--data")
        with dvc(bob) as repo, chdir(bob):
            repo.pull()
        assert outputs(bob) == outputs(ann)
        remote.empty()
        with dvc(bob) as repo, chdir(bob):
            repo.push()
        cyd = users.clone_of(bob, tmp_path / "cyd")
        assert figures(cyd, "pull", remote, "--data")["data"]["files"] == 9
        assert outputs(cyd) == outputs(ann)

    def test_nobody_pushes_over_runs_that_they_have_not_seen(self, remote, ann, bob):
        """The second of two is told to pull; who overwrites keeps what was there."""
        figures(ann, "push", remote)
        figures(bob, "pull", remote)
        users.add_run(bob, "of bob")
        assert figures(bob, "push", remote, "--runs")["runs"]["files"] >= 2
        users.add_run(ann, "of ann")
        before = remote.objects()
        code, _, err = go(ann, "push", remote, "--runs")
        assert code == 2
        assert "somebody else pushed runs that this project has not seen. `heddle pull" in err
        code, _, err = go(ann, "pull", remote, "--runs")
        assert code == 2
        assert "runs were made here since the last push or pull. `heddle push --runs`" in err
        assert remote.objects() == before
        assert users.run_names(ann) == ["first", "of ann"]
        code, _, err = go(ann, "pull", remote, "--runs", "--overwrite")
        assert code == 0
        assert f"kept in {ann}/mlruns/before-pull-1" in err
        assert users.run_names(ann) == ["first", "of bob"]
        kept = ann / "mlruns/before-pull-1"
        shutil.copytree(kept, ann / "old/mlruns")
        assert users.run_names(ann / "old") == ["first", "of ann"]
        assert {p.read_text()[:12] for p in kept.rglob("note.txt")} == {
            "what first f",
            "what of ann ",
        }
        users.add_run(ann, "later")
        figures(ann, "push", remote, "--runs")
        users.add_run(bob, "unseen")
        code, _, _ = go(bob, "push", remote, "--runs", "--overwrite")
        assert code == 0
        after = remote.objects()
        assert before.keys() <= after.keys()
        replaced = json.loads(after[MANIFEST])["after"]
        assert json.loads(after[f"runs/objects/{replaced}"])["files"]

    def test_an_upload_that_was_cut_goes_on(self, remote, ann, bob):
        """It ends with an error and leaves what was there; the next push sends what is missing."""
        figures(ann, "push", remote)
        lost = [key for key in remote.objects() if key.startswith("data/")][:2]
        for key in lost:
            remote.lose(key)
        old = remote.objects()
        users.add_run(ann, "second")
        remote.break_uploads_of(lost[:1])
        code, _, err = go(ann, "push", remote)
        assert code == remote.code_when_broken, err
        assert remote.words_when_broken in err
        assert remote.objects().items() >= old.items()
        assert lost[0] not in remote.objects()
        remote.mend()
        told = figures(ann, "push", remote)
        assert told["data"]["files"] in (1, 2)
        assert told["runs"]["files"] >= 2
        figures(bob, "pull", remote)
        assert users.run_names(bob) == ["first", "second"]
        assert outputs(bob) == outputs(ann)

    def test_a_damaged_object_is_refused_and_touches_nothing(self, remote, ann, bob):
        """Exit 4 names it, for data and for runs; whoever has the bytes mends it by a push."""
        figures(ann, "push", remote)
        for folder, kind in (("data/", "data"), ("runs/objects/", "runs")):
            key, content = max(
                ((k, c) for k, c in remote.objects().items() if k.startswith(folder)),
                key=lambda item: len(item[1]),
            )
            remote.write(key, content[:-1] + bytes([content[-1] ^ 1]))
            code, _, err = go(bob, "pull", remote, f"--{kind}")
            assert code == 4, err
            assert key in err
            assert "Nothing of it was used" in err
            assert not outputs(bob)
            assert not (bob / "mlruns/mlflow.db").exists()
            if kind == "runs":
                remote.write(key, content[:-1])
            assert figures(ann, "push", remote)[kind]["files"] == 1
            assert remote.objects()[key] == content
        figures(bob, "pull", remote)
        assert outputs(bob) == outputs(ann)

    def test_a_missing_object_is_told_by_its_version(self, remote, ann, bob):
        """Before anything is brought; the owner's next push mends it."""
        figures(ann, "push", remote, "--data")
        path = ann / "data/left/left.parquet"
        (key,) = [k for k, c in remote.objects().items() if c == path.read_bytes()]
        remote.lose(key)
        code, _, err = go(bob, "pull", remote, "--data")
        assert code == 4
        assert "lacks what dvc.lock records of left. Whoever has it pushes it" in err
        assert not list((bob / ".dvc").rglob("cache/files/md5/*/*"))
        assert figures(ann, "push", remote)["data"]["files"] == 1
        figures(bob, "pull", remote, "--data")

    def test_what_is_not_there_is_said(self, remote, ann, bob):
        """An empty remote, and a project that has nothing to push."""
        code, _, err = go(bob, "pull", remote, "--runs")
        assert (code, "nothing to pull: there are no runs in" in err) == (2, True)
        code, _, err = go(bob, "pull", remote)
        assert (code, "lacks what dvc.lock records of both, left, right, v0" in err) == (4, True)
        code, _, err = go(bob, "push", remote, "--runs")
        assert (code, "nothing to push: there are no runs in" in err) == (2, True)
        code, _, err = go(bob, "push", remote, "--data")
        assert (code, "neither here nor there is what dvc.lock records of both" in err) == (4, True)
        (bob / "dvc.lock").unlink()
        code, _, err = go(bob, "push", remote)
        assert (code, "nothing to push: dvc.lock records no data" in err) == (2, True)
        assert not remote.objects()


class TestFolder(RemoteContract):
    @pytest.fixture
    def remote(self, tmp_path):
        (tmp_path / "share").mkdir()
        return users.FolderRemote(tmp_path / "share")


class TestBucket(RemoteContract):
    @pytest.fixture
    def remote(self, server):
        with s3.line_to(server) as line:
            remote = users.BucketRemote(server, line, s3, next(NAMES))
            yield remote
            remote.close()
        removed = [path for method, path, _ in line.seen if method == "DELETE"]
        assert all("uploadId=" in path for path in removed)
