"""A model's name where it is used."""

from pathlib import Path

import pytest

from heddle.domain.errors import ConfigError
from heddle.serving.address import Address, read_address


@pytest.mark.parametrize(
    ("text", "name", "wanted", "moves"),
    [
        ("price@production", "price", "production", True),
        ("price@Ready for audit", "price", "ready_for_audit", True),
        ("price@3", "price", "3", False),
        ("price/3", "price", "3", False),
        ("price/v03", "price", "3", False),
        ("price/latest", "price", "latest", True),
        ("team/price@staging", "team/price", "staging", True),
        ("staging", "house", "staging", True),
        ("2", "house", "2", False),
    ],
)
def test_a_registered_model_is_named_by_alias_or_number(text, name, wanted, moves):
    """An alias may move; a number does not."""
    found = read_address(text, model="house")
    assert (found.name, found.wanted, found.folder, found.moves) == (name, wanted, None, moves)


@pytest.mark.parametrize("text", ["./price/3", "/models/price", "../final", "~/final"])
def test_a_leading_mark_makes_a_folder(text):
    """What begins as a path is never looked for in a registry."""
    found = read_address(text)
    assert found.folder == Path(text).expanduser()
    assert not found.moves


def test_a_folder_that_is_there_needs_no_mark(tmp_path, monkeypatch):
    """Unless it reads as a version: then the registry is meant."""
    (tmp_path / "models" / "final").mkdir(parents=True)
    (tmp_path / "price" / "3").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert read_address("models/final").folder == Path("models/final")
    assert read_address("price/3") == Address(name="price", wanted="3")


@pytest.mark.parametrize("text", ["", " ", "price", "a@b@c", "@production", "price@", "no/where"])
def test_other_words_are_refused(text):
    """The forms that there are stand in the error."""
    with pytest.raises(ConfigError, match=r"names no model. Write NAME@ALIAS, NAME/VERSION"):
        read_address(text)


def test_an_address_is_written_as_it_is_read():
    """So that a notice can be copied into a command."""
    for text in ("price@production", "price/3", "/models/final"):
        assert str(read_address(text)) == text
