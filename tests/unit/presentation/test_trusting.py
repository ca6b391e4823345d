"""Keys are named by an option, the environment or the project: the first of these counts."""

import pytest

from heddle.domain.errors import ConfigError
from heddle.pipeline.world import World
from heddle.presentation.trusting import signing_key, trust_of
from heddle.registry.signatures import PublicKey


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    for name in ("HEDDLE_TRUST", "HEDDLE_SIGNING_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def project(tmp_path):
    """A project that trusts a key, and files of two others."""
    for place, name in enumerate(("configured", "outside", "told")):
        line = PublicKey(name=name, raw=bytes([place]) * 32).line
        (tmp_path / name).write_text(f"{line}\n")
    (tmp_path / "params.yaml").write_text("stages: {}\nworld: {trusted_keys: configured}\n")
    return tmp_path


def test_a_project_without_keys_asks_for_no_signature(tmp_path):
    """It works from a clone; a policy of its own needs keys."""
    assert trust_of(tmp_path).signatures == "off"
    (tmp_path / "params.yaml").write_text("{}")
    assert trust_of(tmp_path).signatures == "off"
    with pytest.raises(ConfigError, match="--signatures require needs the keys that are trusted"):
        trust_of(tmp_path, signatures="require")


def test_keys_that_are_named_are_required(project, monkeypatch):
    """The project's, those of the environment before them, those of the option before all."""
    found = trust_of(project)
    assert (found.signatures, found.keys[0].name) == ("require", "configured")
    monkeypatch.setenv("HEDDLE_TRUST", str(project / "outside"))
    assert trust_of(project).keys[0].name == "outside"
    assert trust_of(project, trust=project / "told").keys[0].name == "told"
    assert trust_of(project, signatures="warn").signatures == "warn"
    off = trust_of(project, signatures="off")
    assert (off.signatures, off.keys) == ("off", ())


def test_keys_that_are_lost_do_not_open_the_door(project):
    """A name that leads nowhere ends it."""
    (project / "configured").unlink()
    with pytest.raises(ConfigError, match="the trusted keys cannot be read: No such file"):
        trust_of(project)


def test_another_policy_is_told(project):
    """With what was meant."""
    with pytest.raises(ConfigError, match="did you mean 'require'"):
        trust_of(project, signatures="required")


def test_the_signing_key_is_a_path(tmp_path, monkeypatch):
    """Of the environment, or as configured, seen from the project."""
    assert signing_key(tmp_path, World(project="p")) is None
    told = World(project="p", signing_key="../keys/a.key")
    assert signing_key(tmp_path, told) == tmp_path / "../keys/a.key"
    monkeypatch.setenv("HEDDLE_SIGNING_KEY", "/keys/b.key")
    assert str(signing_key(tmp_path, told)) == "/keys/b.key"
