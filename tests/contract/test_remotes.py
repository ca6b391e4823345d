"""What every remote does: a share that is mounted, and a bucket behind a line that can break."""

import hashlib
import itertools
import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from heddle.domain.errors import BusyError, ConfigError, IntegrityError
from heddle.infrastructure.memory import SilentProgress
from heddle.infrastructure.remotes import s3 as heddle_s3
from heddle.infrastructure.remotes.store import Content, checked
from heddle.presentation.errands import Asked, Errands

pytestmark = pytest.mark.filterwarnings(
    "ignore:_NoneStep.value will soon:DeprecationWarning"  # dvc on pygtrie
)
TESTS = Path(__file__).parents[1]
s3 = SimpleNamespace(**runpy.run_path(str(TESTS / "s3_server.py")))
users = SimpleNamespace(**runpy.run_path(str(TESTS / "remote_users.py")))
heddle = users.heddle
NAMES = (f"shelf-{i}" for i in itertools.count())
MANIFEST = "runs/manifest.json"
HEDDLE = [sys.executable, "-m", "heddle.presentation.main"]
BIG = bytes(range(256)) * (11 << 12)  # 11 MB: three parts of an upload


@pytest.fixture(scope="module")
def server():
    with s3.moto() as address:
        yield address


@pytest.fixture(scope="module")
def client(server):
    client = users.past_the_line(server)
    yield client
    client.close()


@pytest.fixture(autouse=True)
def keys(monkeypatch, tmp_path):
    """Keys from the environment, nothing of this machine's user, and short waits."""
    for name in ("_PATIENCE", "_FIRST"):
        short = replace(getattr(heddle_s3, name), timeout_seconds=5, backoff_seconds=0.01)
        monkeypatch.setattr(heddle_s3, name, short)
    monkeypatch.setattr(heddle_s3, "_PART", 5 << 20)  # the least that S3 takes
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


def content_of(key, algorithm, data):
    digest = hashlib.new(algorithm, data).hexdigest()
    return Content(key, algorithm, digest, len(data), "a name")


def parted(data, size):
    return (data[i : i + size] for i in range(0, len(data), size))


def largest(objects, folder):
    return max((key for key in objects if key.startswith(folder)), key=lambda k: len(objects[k]))


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
        if isinstance(remote, users.BucketRemote):  # the other way is the same
            return
        remote.empty()
        with dvc(bob) as repo, chdir(bob):
            repo.push()
        cyd = users.clone_of(bob, tmp_path / "cyd")
        assert figures(cyd, "pull", remote, "--data")["data"]["files"] == 9
        assert outputs(cyd) == outputs(ann)

    def test_a_damaged_object_is_refused_and_touches_nothing(self, remote, ann, bob):
        """Exit 4 names it, for data and for runs; whoever has the bytes mends it by a push."""
        figures(ann, "push", remote)
        whole = remote.objects()
        damaged = {"data": largest(whole, "data/"), "runs": largest(whole, "runs/objects/")}
        for kind, key in damaged.items():
            remote.write(key, whole[key][:-1] + bytes([whole[key][-1] ^ 1]))
            code, _, err = go(bob, "pull", remote, f"--{kind}")
            assert code == 4, err
            assert key in err
            assert "Nothing of it was used" in err
        assert not outputs(bob)
        assert not (bob / "mlruns/mlflow.db").exists()
        remote.write(damaged["runs"], b"short")
        told = figures(ann, "push", remote)
        assert (told["data"]["files"], told["runs"]["files"]) == (1, 1)
        assert "damaged on the remote, to be replaced: " in told["data"]["notes"][0]
        assert remote.objects() == whole

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

    def test_a_document_is_replaced_only_as_it_was_seen(self, remote):
        """Who saw another one is told so, and nothing changes."""
        store = remote.store()
        assert store.read("runs/m.json") is None
        assert store.swap("runs/m.json", None, b"one")
        assert not store.swap("runs/m.json", None, b"two")
        assert not store.swap("runs/m.json", b"zero", b"two")
        assert store.read("runs/m.json") == b"one"
        assert store.swap("runs/m.json", b"one", b"two")
        assert store.read("runs/m.json") == b"two"

    def test_contents_are_kept_whole_or_not_at_all(self, remote):
        """Of many parts, of none, and of a file that changed while it was sent."""
        store = remote.store()
        for content, data in (
            (content_of("data/big", "md5", BIG), BIG),
            (content_of("runs/objects/none", "sha256", b""), b""),
        ):
            assert store.state(content) == "absent"
            store.put(content, lambda size, data=data: parted(data, size))
            assert store.state(content) == "whole"
            assert b"".join(store.parts(content)) == data
            assert b"".join(store.parts(replace(content, size=None))) == data
            assert store.state(replace(content, size=3)) == "other"
        before = remote.objects()
        for data in (BIG, b"small"):
            told = content_of("data/changed", "md5", data)
            changed = parted(data[:-1] + b"x", 5 << 20)
            with pytest.raises(IntegrityError, match=r"holds md5 .*, recorded of a name was"):
                store.put(told, lambda _, c=changed, t=told: checked(c, t, "here", "Again."))
        assert remote.objects() == before
        with pytest.raises(IntegrityError, match="lacks data/changed, recorded as a name"):
            b"".join(store.parts(content_of("data/changed", "md5", b"small")))


class TestFolder(RemoteContract):
    @pytest.fixture
    def remote(self, tmp_path):
        (tmp_path / "share").mkdir()
        return users.FolderRemote(tmp_path / "share")

    def test_a_folder_that_is_not_there_is_never_made(self, ann, tmp_path):
        """It may be a share that is not mounted."""
        code, _, err = heddle(ann, "push", "--remote", str(tmp_path / "mnt"), "--yes")
        assert code == 2
        assert f"remote {tmp_path}/mnt: no such folder. Is its disk or share mounted?" in err
        assert not (tmp_path / "mnt").exists()
        code, _, err = heddle(ann, "push", "--remote", str(ann / "dvc.lock"), "--yes")
        assert (code, "is no folder" in err) == (2, True)

    def test_nobody_pushes_over_runs_that_they_have_not_seen(self, remote, ann, bob):
        """The second of two is told to pull; who overwrites leaves what the first one sent."""
        figures(ann, "push", remote, "--runs")
        figures(bob, "pull", remote, "--runs")
        users.add_run(bob, "of bob")
        assert figures(bob, "push", remote, "--runs")["runs"]["files"] >= 2
        users.add_run(ann, "of ann")
        before = remote.objects()
        code, _, err = go(ann, "push", remote, "--runs")
        assert code == 2
        assert "somebody else pushed runs that this project has not seen. `heddle pull" in err
        assert remote.objects() == before
        figures(ann, "push", remote, "--runs", "--overwrite")
        after = remote.objects()
        assert before.keys() <= after.keys()
        replaced = json.loads(after[MANIFEST])["after"]
        assert after[f"runs/objects/{replaced}"] == before[MANIFEST]

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
        assert code == 5, err
        assert "cannot write" in err
        assert remote.objects().items() >= old.items()
        assert lost[0] not in remote.objects()
        remote.mend()
        told = figures(ann, "push", remote)
        assert told["data"]["files"] in (1, 2)
        assert told["runs"]["files"] >= 2
        figures(bob, "pull", remote)
        assert users.run_names(bob) == ["first", "second"]
        assert outputs(bob) == outputs(ann)

    def test_two_who_push_at_the_same_time(self, remote, ann, bob):
        """Both looked at the same state; the later one is refused, and sent nothing in vain."""
        figures(ann, "push", remote, "--runs")
        figures(bob, "pull", remote, "--runs")
        users.add_run(ann, "of ann")
        users.add_run(bob, "of bob")
        asked = Asked(direction="push", kinds=("runs",))
        both = [Errands(root, remote.world(), asked, SilentProgress()) for root in (ann, bob)]
        with both[0].planned() as [(first, load)], both[1].planned() as [(second, other)]:
            first.carry_out(load)
            with pytest.raises(ConfigError, match="somebody else pushed runs meanwhile"):
                second.carry_out(other)
        figures(bob, "pull", remote, "--runs", "--overwrite")
        assert users.run_names(bob) == ["first", "of ann"]

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

    def test_what_was_changed_by_hand_is_not_replaced(self, remote, ann):
        """Unless it is told so: nobody keeps what the file holds."""
        figures(ann, "push", remote, "--data")
        path = ann / "data/left/left.parquet"
        good = path.read_bytes()
        path.write_bytes(b"mine")
        code, _, err = go(ann, "pull", remote, "--data")
        assert code == 2
        assert "changed here, and kept nowhere: data/left/left.parquet. Move them away" in err
        assert path.read_bytes() == b"mine"
        figures(ann, "pull", remote, "--data", "--overwrite")
        assert path.read_bytes() == good

    def test_runs_that_were_made_here_are_not_replaced(self, remote, ann, bob):
        """Unless it is told so; then a copy is kept that is a store of its own."""
        figures(ann, "push", remote, "--runs")
        figures(bob, "pull", remote, "--runs")
        users.add_run(bob, "of bob")
        figures(bob, "push", remote, "--runs")
        users.add_run(ann, "of ann")
        code, _, err = go(ann, "pull", remote, "--runs")
        assert code == 2
        assert "runs were made here since the last push or pull. `heddle push --runs`" in err
        assert users.run_names(ann) == ["first", "of ann"]
        code, _, err = go(ann, "pull", remote, "--runs", "--overwrite")
        assert code == 0
        assert f"kept in {ann}/mlruns/before-pull-1" in err
        assert users.run_names(ann) == ["first", "of bob"]
        kept = ann / "mlruns/before-pull-1"
        shutil.copytree(kept, ann / "old/mlruns")
        assert users.run_names(ann / "old") == ["first", "of ann"]
        notes = {path.read_text()[:11] for path in kept.rglob("note.txt")}
        assert notes == {"what first ", "what of ann"}
        users.add_run(ann, "later")
        assert figures(ann, "push", remote, "--runs")["runs"]["files"] >= 2
        figures(bob, "pull", remote, "--runs")
        assert users.run_names(bob) == ["first", "later", "of bob"]

    def test_a_pull_that_was_killed_goes_on(self, remote, ann, bob):
        """Files that had come to their places are not taken for runs that were made here."""
        figures(ann, "push", remote, "--runs")
        figures(bob, "pull", remote, "--runs")
        users.add_run(ann, "second")
        (new,) = [
            p for p in (ann / "mlruns/artifacts").rglob("note.txt") if "second" in p.read_text()
        ]
        figures(ann, "push", remote, "--runs")
        place = bob / new.relative_to(ann)
        place.parent.mkdir(parents=True)
        shutil.copy(new, place)
        (bob / ".heddle/remote/push-999999999-x").mkdir(parents=True)
        assert figures(bob, "pull", remote, "--runs")["runs"]["files"] == 1
        assert users.run_names(bob) == ["first", "second"]
        figures(bob, "push", remote, "--runs")
        assert not list((bob / ".heddle/remote").glob("push-*"))

    def test_what_changes_while_a_person_thinks_is_not_lost(self, remote, ann, bob):
        """Between the plan and the deed: a run, and an edit by hand."""
        figures(ann, "push", remote)
        asked = Asked(direction="pull")
        errands = Errands(bob, remote.world(), asked, SilentProgress())
        with errands.planned() as [(data, data_load), (runs, runs_load)]:
            users.add_run(bob, "of bob")
            (bob / "data/left").mkdir(parents=True)
            (bob / "data/left/left.parquet").write_bytes(b"mine")
            with pytest.raises(ConfigError, match=r"kept nowhere: data/left/left.parquet"):
                data.carry_out(data_load)
            with pytest.raises(BusyError, match=r"runs were written here meanwhile. Run the same"):
                runs.carry_out(runs_load)
        assert users.run_names(bob) == ["of bob"]
        assert (bob / "data/left/left.parquet").read_bytes() == b"mine"


class TestBucket(RemoteContract):
    @pytest.fixture
    def remote(self, server, client):
        with s3.line_to(server) as line:
            yield users.BucketRemote(client, line, s3, next(NAMES))
        removed = [path for method, path, _ in line.seen if method == "DELETE"]
        assert all("uploadId=" in path for path in removed)  # parts of an upload that was given up

    def test_a_stranger_pulls_from_a_public_bucket(self, remote, ann, bob, monkeypatch):
        """Without keys, only by reading; what is absent looks to them like what is not public."""
        figures(ann, "push", remote)
        for name in s3.KEYS:
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        remote.line.rules.append(s3.only_strangers_who_read)
        code, _, err = go(bob, "pull", remote)
        assert code == 2
        assert "no credentials were found. Give AWS_ACCESS_KEY_ID" in err
        assert "for a public place set world.remote.anonymous=true" in err
        code, _, err = go(bob, "pull", remote, "--anonymous")
        assert (code, "lacks, or hides from strangers, what dvc.lock records" in err) == (4, True)
        remote.publish()
        figures(bob, "pull", remote, "--anonymous")
        assert outputs(bob) == outputs(ann)
        assert users.run_names(bob) == ["first"]
        code, _, err = go(ann, "push", remote, "+world.remote.anonymous=true")
        assert (code, "who is anonymous may pull, not push" in err) == (2, True)

    def test_no_permission_is_said_and_ends_it(self, remote, ann):
        """Exit 2, with what the store said, without its address."""
        remote.line.rules.append(s3.when("PUT", "", s3.refuse(403, "AccessDenied")))
        code, _, err = go(ann, "push", remote)
        assert code == 2
        assert "access is refused (PermissionError: because). Give AWS_ACCESS_KEY_ID" in err
        assert not remote.objects()
        remote.mend()
        nowhere = ["--remote", "s3://no-such-shelf", *remote.options[2:]]
        code, _, err = heddle(ann, "push", *nowhere, "--yes")
        assert (code, "no such bucket: 'no-such-shelf'" in err) == (2, True)

    def test_faults_that_pass_are_waited_for(self, remote, ann, bob):
        """Errors of the server and cut lines, there and back, each said once."""
        for fault in (s3.refuse(500, "InternalError"), s3.refuse(503, "SlowDown"), s3.cut_half_way):
            remote.line.rules.append(s3.when("PUT", "data/", fault, times=1))
        code, _, err = go(ann, "push", remote, "--data")
        assert code == 0
        assert err.count("again in 0.01 s") + err.count("again in 0.02 s") >= 1
        for fault in (s3.refuse(503, "SlowDown"), s3.answer_half):
            remote.line.rules.append(s3.when("GET", "data/", fault, times=1))
        figures(bob, "pull", remote, "--data")
        assert outputs(bob) == outputs(ann)

    def test_runs_that_were_cut_leave_the_old_state(self, remote, ann, bob):
        """Their document is replaced last; a lost answer to that is no fault."""
        figures(ann, "push", remote)
        users.add_run(ann, "second")
        remote.break_uploads_of(["runs/objects/"])
        code, _, err = go(ann, "push", remote)
        assert (code, "gave up after 5 attempts. Run the same again later" in err) == (1, True)
        assert figures(bob, "pull", remote)["runs"]["files"] > 1
        assert users.run_names(bob) == ["first"]
        remote.mend()
        remote.line.rules.append(s3.when("PUT", MANIFEST, remote.line.lose_the_answer, times=1))
        figures(ann, "push", remote)
        figures(bob, "pull", remote)
        assert users.run_names(bob) == ["first", "second"]

    def test_a_store_that_does_not_answer_is_given_up(self, ann):
        """Soon, and with words; no key of the user is told."""
        closed = "http://127.0.0.1:9"
        options = ("--remote", "s3://shelf", "--endpoint", closed, "--yes")
        for command in ("push", "pull"):
            code, _, err = heddle(ann, command, *options)
            assert code == 1
            assert "gave up after 2 attempts. Run the same again later" in err
            assert "s3cret" not in err

    def test_an_odd_store_is_read_again(self, remote):
        """One whose tags are no md5 is believed by its bytes, not by its tag."""
        store = remote.store()
        content = content_of("data/a", "md5", b"good")
        store.put(content, lambda _: iter([b"good"]))
        remote.line.tag = '"0123456789abcdef0123456789abcdef"'
        assert store.state(content) == "whole"
        remote.write("data/a", b"evil")
        assert store.state(content) == "other"

    def test_an_interrupt_ends_it_and_the_next_push_goes_on(self, remote, ann):
        """Exit 7; what had been sent stays."""
        asked = []

        def interrupt(handler):
            asked.append(handler.path)
            os.kill(process.pid, signal.SIGINT)
            s3.cut_half_way(handler)

        remote.line.rules.append(s3.when("PUT", "runs/objects/", interrupt, times=1))
        words = [*HEDDLE, "push", *remote.options, "--yes"]
        with subprocess.Popen(words, cwd=ann, stderr=subprocess.PIPE, text=True) as process:
            said = process.stderr.read()
        assert asked
        assert process.returncode == 7, said
        assert "interrupted; the same command goes on from here" in said
        remote.mend()
        told = figures(ann, "push", remote)
        assert told["data"] == {**told["data"], "files": 0, "present": 9}
