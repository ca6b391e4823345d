"""Names and paths that come from outside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError
from heddle.domain.names import checked_name, inside, natural


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".a",
        "-a",
        "_a",
        "a/b",
        "a b",
        "a\n",
        "a;b",
        "$(a)",
        "ä",
        "a" * 65,
        "a\0",
        5,
        None,
    ],
)
def test_what_is_not_a_name_is_refused(name):
    """Nothing that a shell, a path or YAML could take for something else."""
    with pytest.raises(ConfigError, match="is not a data version name"):
        checked_name(name, what="data version")


def test_names_are_kept_as_they_are():
    """The longest and the shortest."""
    assert checked_name("a" * 64, what="x") == "a" * 64
    assert checked_name("5", what="x") == "5"


def test_paths_that_lead_out_are_refused(tmp_path):
    """By dots, from the root, through a link, by a zero byte."""
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "root2").mkdir()
    (root / "out").symlink_to(tmp_path)
    (root / "in").symlink_to(root)
    for bad in ("../x", "a/../../x", "/etc/passwd", "out/x", "../root2/x", "a\0b", str(root / "x")):
        with pytest.raises(ConfigError, match="lies outside the project"):
            inside(root, bad, what="stage")
    assert inside(root, "in/a/../b", what="stage") == root / "in/a/../b"


@given(st.lists(st.text(max_size=6)))
def test_natural_order_takes_any_names(names):
    """It never fails and loses nothing."""
    assert sorted(natural(names)) == sorted(names)


@given(st.lists(st.integers(0, 10**6)))
def test_natural_order_counts(numbers):
    """v2 before v10."""
    assert natural(f"v{n}" for n in numbers) == [f"v{n}" for n in sorted(numbers)]
