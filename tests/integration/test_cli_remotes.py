"""push and pull as a person meets them: asked, refused, told; on a share."""

import io
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from heddle.infrastructure.run_locks import project_lock

pytestmark = pytest.mark.filterwarnings(
    "ignore:_NoneStep.value will soon:DeprecationWarning"  # dvc on pygtrie
)
users = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "remote_users.py")))
call = users.heddle


@pytest.fixture
def share(tmp_path):
    (tmp_path / "share").mkdir()
    return tmp_path / "share"


@pytest.fixture
def asked(monkeypatch):
    """Sit at a terminal and have one answer ready."""
    terminals = []

    def answer(text):
        ours, theirs = os.openpty()
        os.write(ours, text.encode())
        terminals.append((os.fdopen(ours, "wb"), os.fdopen(theirs, encoding="utf-8")))
        monkeypatch.setattr("sys.stdin", terminals[-1][1])

    yield answer
    for ends in terminals:
        for end in ends:
            end.close()


def files(folder):
    return sorted(p.name for p in folder.rglob("*") if p.is_file())


def test_without_a_terminal_yes_has_to_be_said(done, share, monkeypatch):
    """Exit 2, before anything is looked at."""
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    for command in ("push", "pull"):
        code, out, err = call(done, command, "--remote", str(share))
        assert (code, out, err) == (2, "", "error: nobody is here to be asked. Add --yes.\n")
    assert not files(share)


def test_a_person_is_asked(done, share, asked):
    """Told what would go where; only a yes goes on."""
    asked("n\n")
    code, out, err = call(done, "push", "--remote", str(share))
    assert (code, out.strip()) == (1, "")
    assert f"push to {share}\n  data: 9 files, " in err
    assert " kB to go; 0 already there\n  runs: there are no runs in " in err
    assert err.endswith("Go on? [y/N]:nothing was done\n")
    assert not files(share)
    asked("y\n")
    code, out, _ = call(done, "push", "--remote", str(share))
    assert code == 0
    assert f" kB sent to {share}; 0 already there\n" in out
    assert len(files(share)) == 9
    code, out, _ = call(done, "push", "--remote", str(share), "--yes")
    assert out.startswith("data: up to date, 9 files\nruns: there are no runs in ")


def test_a_project_may_name_its_remote(done, share):
    """By the group `remote`; a folder is meant from the project's, an override goes before it."""
    config = yaml.safe_load((done / "configs/config.yaml").read_text())
    config["defaults"].insert(0, {"remote": "none"})
    config["world"]["remote"] = "${remote}"
    (done / "configs/config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    code, _, err = call(done, "push", "--yes")
    assert (code, "no remote is configured. Give --remote" in err) == (2, True)
    code, _, err = call(done, "push", "--yes", "remote=folder")
    assert (code, "remote.url has no value" in err) == (2, True)
    code, _, err = call(done, "push", "--yes", "remote=folder", "remote.url=../share")
    assert code == 0, err
    assert len(files(share)) == 9
    code, _, err = call(done, "push", "--yes", "remote=s3", "remote.url=s3://me:pw@shelf")
    assert code == 2
    assert "world.remote: url holds a user or password" in err
    code, _, err = call(done, "push", "--yes", "remote=s3", "remote.url=s3://x", "v0")
    assert (code, "`heddle push` takes overrides key=value, not 'v0'" in err) == (2, True)


def test_a_folder_is_meant_from_where_the_user_is(done, share, monkeypatch):
    """Not from the project."""
    monkeypatch.chdir(share.parent)
    assert call(done, "push", "--yes", "--remote", "share")[0] == 0
    assert len(files(share)) == 9


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://me:s3cret@127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("postgresql://me:s3cret@host/runs", "postgresql"),
    ],
)
def test_runs_on_a_server_stay_there(done, share, monkeypatch, uri, shown):
    """That is said, without its password; asked for by name, it is a refusal."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    code, out, _ = call(done, "push", "--yes", "--remote", str(share))
    assert code == 0
    assert f"runs: runs are on a server already ({shown})" in out
    code, _, err = call(done, "pull", "--yes", "--runs", "--remote", str(share))
    assert code == 2
    assert f"nothing to pull: runs are on a server already ({shown})" in err


def test_a_run_at_work_is_not_disturbed(done, share):
    """Exit 6, and who it is."""
    with project_lock(done):
        code, _, err = call(done, "pull", "--yes", "--remote", str(share))
    assert code == 6
    assert f"process {os.getpid()} is running this project. Wait for it to end" in err


def test_a_torn_lock_is_mended_first(done, share):
    """As a run would do."""
    good = (done / "dvc.lock").read_bytes()
    (done / "dvc.lock").write_bytes(good[:150])
    code, _, err = call(done, "push", "--yes", "--remote", str(share))
    assert code == 0
    assert "dvc.lock was torn by a kill: restored from the last good copy" in err
    assert (done / "dvc.lock").read_bytes() == good


def test_a_project_outside_a_repository_is_told_so(done, share, tmp_path):
    """As a run would."""
    shutil.rmtree(done / ".git")
    code, _, err = call(done, "pull", "--yes", "--remote", str(share))
    assert code == 2
    assert "is not in a git repository. Run `git init`" in err


def test_what_is_pulled_is_what_git_has_of_the_lock(done, share, tmp_path):
    """A clone gets that data; nothing is written that git would see, DVC's configuration least."""
    call(done, "push", "--yes", "--remote", str(share))
    git = ["git", "-C", str(done), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "one"], check=True)
    subprocess.run(["git", "clone", "--quiet", str(done), str(tmp_path / "clone")], check=True)
    code, out, _ = call(tmp_path / "clone", "pull", "--yes", "--json", "--remote", str(share))
    assert code == 0
    told = json.loads(out)
    assert told["remote"] == str(share)
    assert told["data"] == {**told["data"], "files": 9, "present": 0, "nothing": None}
    assert told["runs"]["nothing"] == f"there are no runs in {share}/runs"
    clean = subprocess.run(
        ["git", "status", "--porcelain"], cwd=tmp_path / "clone", capture_output=True, check=True
    )
    assert clean.stdout == b""


def test_the_page_about_it_works_as_it_stands(done, monkeypatch):
    """Each command of docs/how-to/remotes.md that starts with a dollar."""
    page = (Path(__file__).parents[2] / "docs/how-to/remotes.md").read_text(encoding="utf-8")
    commands = re.findall(r"^\$ (.*)$", page, re.MULTILINE)
    assert len(commands) == 4
    monkeypatch.chdir(done)
    for command in commands:
        program, *words = shlex.split(command)
        if program == "heddle":
            assert call(Path(), *words)[0] == 0, command
        else:
            subprocess.run([program, *words], check=True)
    assert len(files(done.parent / "share")) == 9
