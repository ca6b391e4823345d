"""Names for a version, as people write them."""

from __future__ import annotations

import pytest

from heddle.domain.entities import ModelVersion
from heddle.domain.errors import ConfigError
from heddle.registry.aliases import alias_name, choose, named_version, unknown_model


def version(number: int, *aliases: str) -> ModelVersion:
    return ModelVersion(
        name="price", number=number, aliases=aliases, tags={}, description="", run_id="", uri=""
    )


VERSIONS = [version(3), version(2, "staging"), version(1, "archived", "production")]


@pytest.mark.parametrize(
    ("wanted", "number"), [("3", 3), ("v2", 2), (" V2 ", 2), ("Production", 1), ("STAGING", 2)]
)
def test_a_version_is_meant_by_number_alias_or_stage(wanted, number):
    """Whatever the case, and with blanks around it."""
    assert choose(VERSIONS, "price", wanted).number == number


@pytest.mark.parametrize("wanted", ["Latest", "latest", " LATEST "])
def test_latest_is_the_highest_number(wanted):
    """Whatever the order of the versions and their aliases; without versions there is none."""
    assert choose(reversed(VERSIONS), "price", wanted).number == 3
    with pytest.raises(ConfigError, match="has no version"):
        choose([], "price", wanted)


def test_what_is_not_there_is_refused_with_what_is():
    """Aliases before numbers, and the nearest of them."""
    with pytest.raises(ConfigError, match=r"no version '4'\. Known: archived, production, staging"):
        choose(VERSIONS, "price", "4")
    with pytest.raises(ConfigError, match=r"'prodution'; did you mean 'production'\?"):
        choose(VERSIONS, "price", "prodution")
    assert "Nothing is registered yet" in str(unknown_model("price", []))
    assert "did you mean 'price'?" in str(unknown_model("prise", ["price"]))


@pytest.mark.parametrize("text", ["", "3", "v3", "Latest", "a/b", "-a", "x" * 65])
def test_what_reads_as_something_else_is_no_alias(text):
    """A number, the latest, a path, an option."""
    with pytest.raises(ConfigError, match=r"cannot be an alias\. Use a letter, then letters"):
        alias_name(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("price/3", ("price", "3")),
        (" price/v3 ", ("price", "v3")),
        ("price@3", ("price", "3")),
        ("price@production", ("price", "production")),
        ("staging", ("", "staging")),
        ("3", ("", "3")),
        ("", ("", "")),
    ],
)
def test_a_version_is_named_as_its_label_is_printed(text, meant):
    """NAME/NUMBER, as answers and logs say it, is as good as NAME@ALIAS or a bare word."""
    assert named_version(text) == meant
