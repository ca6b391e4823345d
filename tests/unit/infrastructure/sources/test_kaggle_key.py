"""The user's own key: from the environment or Kaggle's file, and the words when there is none."""

import re
from base64 import b64encode

import pytest

from heddle.domain.errors import ConfigError
from heddle.infrastructure.sources.kaggle_key import kaggle_authorization


@pytest.fixture(autouse=True)
def nobody(monkeypatch, tmp_path):
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def file(folder, text='{"username": "me", "key": "abc"}', mode=0o600):
    folder.mkdir(exist_ok=True)
    path = folder / "kaggle.json"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_file_of_kaggle_is_read(tmp_path, monkeypatch):
    """From ~/.kaggle, or from the folder that the environment names; the variables go first."""
    file(tmp_path / ".kaggle")
    assert kaggle_authorization() == "Basic " + b64encode(b"me:abc").decode()
    file(tmp_path / "else", '{"username": "you", "key": "x"}')
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "else"))
    assert kaggle_authorization() == "Basic " + b64encode(b"you:x").decode()
    monkeypatch.setenv("KAGGLE_USERNAME", "she")
    monkeypatch.setenv("KAGGLE_KEY", "y")
    assert kaggle_authorization() == "Basic " + b64encode(b"she:y").decode()


def test_no_key_is_told_how_to_get_one(tmp_path):
    """Where was looked, where to make one, and both places to put it."""
    words = (
        f"{tmp_path}/.kaggle/kaggle.json: no Kaggle key was found. Make one on kaggle.com under "
        "Settings, API (a legacy key), and put the kaggle.json that comes into ~/.kaggle with mode "
        "600, or set KAGGLE_USERNAME and KAGGLE_KEY."
    )
    with pytest.raises(ConfigError, match=re.escape(words)):
        kaggle_authorization()


def test_half_a_key_is_told(monkeypatch):
    """The variable that is missing is named."""
    monkeypatch.setenv("KAGGLE_USERNAME", "me")
    with pytest.raises(ConfigError, match=r"^\$KAGGLE_KEY: is not set, but its partner is"):
        kaggle_authorization()


def test_a_key_that_others_can_read_is_not_used(tmp_path):
    """As ssh does; the command to mend it is told."""
    path = file(tmp_path / ".kaggle", mode=0o644)
    words = f"can be read by others (mode 644). Run: chmod 600 {path}"
    with pytest.raises(ConfigError, match=re.escape(words)):
        kaggle_authorization()


@pytest.mark.parametrize("text", ["", "[]", '{"username": "me"}'])
def test_a_damaged_file_is_told(tmp_path, text):
    """What it should hold, and nothing of what it holds."""
    file(tmp_path / ".kaggle", text)
    with pytest.raises(ConfigError, match=r'is not \{"username": …, "key": …\}'):
        kaggle_authorization()
