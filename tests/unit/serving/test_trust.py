"""Signatures are required, warned of or left alone: as the options say, before a model is read."""

import shutil
from pathlib import Path

import pytest

from heddle.domain.errors import ConfigError, IntegrityError
from heddle.registry.signatures import new_key, signature_of
from heddle.serving.address import Address
from heddle.serving.cascade import Cascade
from heddle.serving.loader import load_folder
from heddle.serving.trust import Trust


@pytest.fixture
def folder(saved, tmp_path):
    return Path(shutil.copytree(saved[0], tmp_path / "model"))


@pytest.fixture
def pair(tmp_path):
    return new_key("release", tmp_path / "release.key"), tmp_path / "release.key"


def sign(folder, private):
    content = (folder / "manifest.json").read_bytes()
    (folder / "manifest.sig").write_bytes(signature_of(content, private))


@pytest.mark.parametrize("place", ["folder", "remote"])
def test_a_signed_model_names_its_signer(folder, pair, place):
    """A copy vouches for itself then: no hash from elsewhere is missed."""
    public, private = pair
    sign(folder, private)
    where = {"folder": folder} if place == "folder" else {"remote": f"file://{folder}"}
    trust = Trust(signatures="require", keys=(public,))
    found = Cascade(**where, trust=trust).load(Address(name="price", wanted="production"))
    assert found.model.signature == "signed by release"
    assert found.notices == ()


def test_the_signature_comes_before_everything_else(folder, pair):
    """Files that are damaged, too, are not looked at."""
    (folder / "model.skops").write_bytes(b"")
    trust = Trust(signatures="require", keys=(pair[0],))
    with pytest.raises(IntegrityError, match=r"manifest\.sig: the model is not signed, expected a"):
        load_folder(folder, trust=trust)


def test_a_stale_signature_is_refused(folder, pair):
    """The manifest was changed after it had been signed."""
    public, private = pair
    sign(folder, private)
    path = folder / "manifest.json"
    path.write_text(path.read_text() + "\n")
    with pytest.raises(IntegrityError, match=r"manifest\.sig: is no signature of release"):
        load_folder(folder, trust=Trust(signatures="require", keys=(public,)))


def test_another_key_is_refused(folder, pair, tmp_path):
    """Until it is trusted, too: that is how keys are rotated."""
    sign(folder, pair[1])
    other = new_key("other", tmp_path / "other.key")
    with pytest.raises(IntegrityError, match=r"is signed by key \w+, expected one of other"):
        load_folder(folder, trust=Trust(signatures="require", keys=(other,)))
    both = Trust(signatures="require", keys=(other, pair[0]))
    assert load_folder(folder, trust=both).signature == "signed by release"


def test_a_signature_is_a_plain_file(folder, pair):
    """As every other file of the folder."""
    (folder / "manifest.sig").symlink_to("/etc/passwd")
    with pytest.raises(IntegrityError, match=r"manifest\.sig: is a link"):
        load_folder(folder, trust=Trust(signatures="require", keys=(pair[0],)))


def test_warned_of_is_what_is_not_signed(folder, pair):
    """The model is loaded, and says so; signed, it says nothing."""
    trust = Trust(signatures="warn", keys=(pair[0],))
    model = load_folder(folder, trust=trust)
    assert model.signature == "unsigned"
    assert "not signed by a trusted key: " in model.warnings[0]
    notices = Cascade(trust=trust).load(Address(folder=folder)).notices
    assert any("not signed by a trusted key" in words for words in notices)
    sign(folder, pair[1])
    assert load_folder(folder, trust=trust).warnings == ()


def test_without_keys_a_signature_is_not_checked(folder, pair):
    """Which is told; the pin binds as before."""
    assert load_folder(folder).signature == "unsigned"
    sign(folder, pair[1])
    assert load_folder(folder).signature == "not checked"


@pytest.mark.parametrize("policy", ["require", "warn"])
def test_a_policy_needs_keys(policy):
    """Else everything would be refused, or nothing."""
    with pytest.raises(ConfigError, match=rf"--signatures {policy} needs the keys that are trus"):
        Trust(signatures=policy)
