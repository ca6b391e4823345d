"""Registry, remote copy, folder: who answers, and what is refused on the way."""

import shutil

import pytest

from heddle.domain.errors import ConfigError, IntegrityError
from heddle.infrastructure.memory_registry import MemoryRegistry
from heddle.serving.address import Address, read_address
from heddle.serving.cascade import Cascade

PRODUCTION = Address(name="price", wanted="production")


@pytest.fixture
def copy(saved, tmp_path):
    """A copy of version 1."""
    shutil.copytree(saved[0], tmp_path / "copy")
    return tmp_path / "copy"


def lose_files(registry, number):
    shutil.rmtree(registry.fetch(registry.resolve("price", str(number))))


def test_the_registry_answers_first(registered, saved, copy):
    """Source, version and digest are told; a copy is not looked at."""
    found = Cascade(registered, remote="memory://nowhere", folder=copy).load(PRODUCTION)
    assert (found.source, found.model.label, found.digest) == ("registry", "price/1", saved[1])
    assert found.notices == ()


def test_an_alias_is_looked_up_without_reading_a_file(registered, saved):
    """The digest is the version's tag: its files may even be gone."""
    lose_files(registered, 1)
    cascade = Cascade(registered)
    assert cascade.pointed(PRODUCTION) == saved[1]
    assert cascade.pointed(read_address("price/2")) not in {"", saved[1]}
    assert cascade.pointed(Address(folder=copy)) == ""


def test_a_copy_stands_in_for_lost_files_and_says_so(registered, saved, copy):
    """It keeps the version's name, for it has the version's hash."""
    lose_files(registered, 1)
    found = Cascade(registered, folder=copy).load(PRODUCTION)
    assert (found.source, found.model.label, found.digest) == ("folder", "price/1", saved[1])
    assert found.notices[0].startswith("registry: ")
    assert len(found.notices) == 1


def test_a_remote_copy_is_fetched_and_checked(registered, saved, copy):
    """Any address that fsspec knows; nothing of it stays on disk."""
    lose_files(registered, 1)
    found = Cascade(registered, remote=f"file://{copy}").load(PRODUCTION)
    assert (found.source, found.digest) == ("remote", saved[1])


def test_a_copy_of_another_version_is_no_copy(registered, copy):
    """The pin of the registry binds every place."""
    lose_files(registered, 2)
    with pytest.raises(IntegrityError, match=r"no place gave .*registry: .*folder: .*not the man"):
        Cascade(registered, folder=copy).load(read_address("price@staging"))


def test_strict_never_falls_through(registered, copy):
    """The first place's own error."""
    lose_files(registered, 1)
    with pytest.raises(IntegrityError, match=r"manifest\.json"):
        Cascade(registered, folder=copy, strict=True).load(PRODUCTION)
    with pytest.raises(ConfigError, match="no version 'champion'"):
        Cascade(registered, folder=copy, strict=True).load(read_address("price@champion"))


def test_without_a_registry_a_folder_only_vouches_for_itself(copy, tmp_path, saved):
    """Which is told; a hash from elsewhere ends the doubt; no path is in the label."""
    empty = MemoryRegistry(tmp_path / "empty")
    found = Cascade(empty, folder=copy).load(PRODUCTION)
    assert found.source == "folder"
    assert found.model.label == f"price@{saved[1][:12]}"
    assert "only agree among themselves" in found.notices[-1]
    assert Cascade(folder=copy, pin=saved[1]).load(PRODUCTION).notices == ()
    with pytest.raises(IntegrityError, match="expected 0000"):
        Cascade(folder=copy, pin="0" * 64, strict=True).load(PRODUCTION)


def test_a_pin_binds_the_registry_too(registered):
    """A hash that was given and a version that has another do not go together."""
    with pytest.raises(IntegrityError, match=r"price/1: is pinned to .*, expected 0000"):
        Cascade(registered, pin="0" * 64, strict=True).load(PRODUCTION)


def test_a_folder_of_another_model_is_refused(copy):
    """A fallback must be the model that was asked for."""
    with pytest.raises(IntegrityError, match="holds model 'price', not 'rent'"):
        Cascade(folder=copy).load(read_address("rent@production"))


def test_a_folder_is_loaded_as_such(copy, tmp_path):
    """And one that is not there is a mistake of the command."""
    assert Cascade().load(Address(folder=copy)).source == "folder"
    with pytest.raises(ConfigError, match="there is no such folder"):
        Cascade().load(Address(folder=tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match="no place to take a model from"):
        Cascade().load(PRODUCTION)


@pytest.mark.parametrize("shape", ["empty", "nested", "many"])
def test_a_remote_folder_of_another_shape_is_not_fetched(tmp_path, shape):
    """No folders within, and few files."""
    place = tmp_path / "remote"
    place.mkdir()
    if shape == "nested":
        (place / "model").mkdir()
    for number in range(9 if shape == "many" else 0):
        (place / str(number)).touch()
    with pytest.raises(IntegrityError, match=r"is no copy of a model's folder"):
        Cascade(remote=f"file://{place}", strict=True).load(PRODUCTION)


def test_the_only_place_gives_its_own_reason(registered):
    """A name that does not exist is a slip of whoever typed it, not a damaged model."""
    with pytest.raises(ConfigError, match="prodution"):
        Cascade(registered).load(Address(name="price", wanted="prodution"))
