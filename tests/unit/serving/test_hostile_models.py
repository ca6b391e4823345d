"""Whatever a folder holds: nothing of it runs, the reason is told, and the old model answers."""

import os
import re
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from tests.hostile_models import HOSTILE, Hostile, as_file

import heddle
from heddle.domain.errors import IntegrityError, InterruptedRun, ResourceError
from heddle.registry.manifest import digest
from heddle.registry.plain_files import read_plain
from heddle.serving.address import Address
from heddle.serving.cascade import Cascade
from heddle.serving.live import Live
from heddle.serving.loader import load_folder
from heddle.serving.trial import tried
from heddle.serving.trust import Trust

PRODUCTION = Address(name="price", wanted="production")
EACH = pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)


@pytest.fixture
def marker(tmp_path):
    """What a payload writes; nothing may be there when the test ends."""
    path = tmp_path / "marker"
    yield path
    assert not path.exists()


def damaged(case: Hostile, folder: Path, marker: Path, pin: str) -> str:
    """Damage a sound folder; return the hash that is known of it from elsewhere."""
    case.damage(folder, marker)
    return digest((folder / "manifest.json").read_bytes()) if case.sealed else pin


@EACH
def test_a_hostile_version_is_refused_and_the_old_one_answers(case, registered, marker):
    """From the registry, while a model serves: one line without a trace, exit code 4."""
    said: list[str] = []
    live = Live(Cascade(registered, strict=True), PRODUCTION, notice=said.append)
    before = live.load()
    version = registered.resolve("price", "2")
    pin = damaged(case, registered.fetch(version), marker, version.tags["manifest_sha256"])
    registered.tag("price", 2, {"manifest_sha256": pin})
    registered.point("price", "production", 2)

    assert live.look() is False

    assert live.current is before
    assert before.model.predict_values({"size": [30.0], "shore": ["near"]}).shape == (1,)
    assert live.refused == 1
    assert re.search(case.words, said[-1]), said[-1]
    assert said[-1].startswith("price@production was not taken: ")
    assert len(said) == 2
    assert "\n" not in said[-1]
    assert "Traceback" not in said[-1]


@EACH
@pytest.mark.parametrize("place", ["folder", "remote"])
def test_a_hostile_copy_is_refused(case, place, saved, tmp_path, marker):
    """From a folder, and from a remote copy: an integrity error, and nothing else."""
    if place == "remote" and case.name == "a second name of a file":
        pytest.skip("what is fetched is a file of its own")
    folder = Path(shutil.copytree(saved[0], tmp_path / "model"))
    pin = damaged(case, folder, marker, saved[1])
    where = {"folder": folder} if place == "folder" else {"remote": f"file://{folder}"}
    words = case.words if place == "folder" else rf"{case.words}|is no copy of a model|expected"

    with pytest.raises(IntegrityError, match=words) as told:
        Cascade(**where, pin=pin, strict=True).load(PRODUCTION)

    assert told.value.exit_code == 4


def test_a_device_is_refused(saved, tmp_path):
    """It would never end."""
    folder = Path(shutil.copytree(saved[0], tmp_path / "model"))
    (folder / "model.skops").unlink()
    try:
        os.mknod(folder / "model.skops", 0o600 | 0o020000, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root may make a device")
    with pytest.raises(IntegrityError, match="is a device, is not a plain file"):
        load_folder(folder)


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path, monkeypatch):
    """What was measured is what is read."""
    path = tmp_path / "golden.json"
    path.write_bytes(b"{}")
    measured = os.fstat

    def and_grown(handle):
        found = measured(handle)
        with path.open("ab") as file:
            file.write(b"more")
        return found

    monkeypatch.setattr(os, "fstat", and_grown)
    with pytest.raises(IntegrityError, match="grew beyond its 2 bytes while it was read"):
        read_plain(tmp_path, "golden.json")


def test_a_booster_that_crashes_its_reader_crashes_another_process(saved, tmp_path):
    """LightGBM aborts the process that reads half a text: it is not the one that serves."""
    folder = Path(shutil.copytree(saved[0], tmp_path / "model"))
    text = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
    text += "max_feature_idx=1\nobjective=regression\nfeature_names=size shore\n"
    text += "feature_infos=[0:1] [0:1]\ntree_sizes=9\n\nTree=0\nnum_leaves=4\n"
    as_file(folder, "model.txt", text.encode())
    with pytest.raises(IntegrityError, match=r"model\.txt: (crashes what reads it|.*LightGBM)"):
        load_folder(folder)


def signalled(number: int) -> None:
    """Send a signal to the process that tries a model, once it is there."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for one in psutil.Process().children():
            with suppress(psutil.Error):
                if "heddle.serving.trial" in one.cmdline():
                    one.send_signal(number)
                    return
        time.sleep(0.002)
    raise TimeoutError("no process tries a model")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_a_trial_that_is_ended_from_outside_says_nothing_of_the_model(number):
    """Who ended it meant us all, or memory was short: it is to be tried again."""
    kind, words = InterruptedRun, r"m/model\.txt: interrupted while it was tried\. Try it again\."
    if number == signal.SIGKILL:
        kind, words = ResourceError, r"that process was killed\. Was memory short\?"
    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(signalled, number)
        with pytest.raises(kind, match=words):
            tried("model.txt", b"tree", b"{}", b"{}", where="m/model.txt")
        ending.result()


def test_a_version_whose_trial_was_interrupted_is_not_refused(registered, saved):
    """No other place is asked, the old one answers, and the next look tries it anew."""
    said: list[str] = []
    live = Live(Cascade(registered, folder=saved[0]), PRODUCTION, notice=said.append)
    before = live.load()
    version = registered.resolve("price", "2")
    folder = registered.fetch(version)
    as_file(folder, "model.txt", b"tree\nversion=v4\n")
    pin = digest((folder / "manifest.json").read_bytes())
    registered.tag("price", 2, {"manifest_sha256": pin})
    registered.point("price", "production", 2)
    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(signalled, signal.SIGTERM)
        assert live.look() is False
        ending.result()
    assert (live.current, live.refused, live.fault) == (before, 0, "")
    assert said[-1].endswith("model.txt: interrupted while it was tried. Try it again.")

    assert live.look() is False
    assert (live.current, live.refused) == (before, 1)


def test_a_pickle_needs_more_than_the_option(saved, tmp_path, marker):
    """Somebody has to vouch for its bytes: the registry's pin, or a signature."""
    folder = Path(shutil.copytree(saved[0], tmp_path / "model"))
    next(one for one in HOSTILE if one.name == "a pickle").damage(folder, marker)
    with pytest.raises(IntegrityError, match="a pickle that nobody vouches for"):
        load_folder(folder, trust=Trust(unsafe_pickle=True))


def test_mlflow_loads_no_model_for_us():
    """Its reader runs the code that a model brings; ours reads the folder that came along."""
    calls = re.compile(r"mlflow\.pyfunc|mlflow\.\w+\.load_model|mlflow.*import.*load_model")
    texts = {path: path.read_text() for path in Path(heddle.__file__).parent.rglob("*.py")}
    assert not [str(path) for path, text in texts.items() if calls.search(text)]
    pickles = [p.name for p, text in texts.items() if re.search(r"joblib\.load|pickle\.load", text)]
    assert "pickled.py" in pickles
