"""From mappings to frozen dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError
from heddle.domain.typed import build, plain, sparse


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    low: float
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    name: str
    count: int = 1
    share: float = 0.5
    on: bool = False
    how: Literal["plus", "minus"] = "plus"
    inner: Inner | None = None
    many: tuple[Inner, ...] = ()
    pair: tuple[int, str] = (1, "a")
    one_or_more: str | tuple[str, ...] = "x"
    free: Mapping[str, Any] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError(f"count must be at least 0, not {self.count}")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"nam": "x"}, "steps.a: unknown key 'nam'; did you mean 'name'? Known: name, count"),
        ({}, "steps.a: key 'name' is missing. Known: name"),
        ({"name": 3}, "steps.a.name: must be text, not 3 (int)"),
        ({"name": None}, "steps.a.name: must be text, not null"),
        ({"name": "x", "count": True}, "steps.a.count: must be a whole number, not True (bool)"),
        ({"name": "x", "count": "3"}, "steps.a.count: must be a whole number, not '3' (str)"),
        ({"name": "x", "count": 1.0}, "steps.a.count: must be a whole number, not 1.0 (float)"),
        ({"name": "x", "share": False}, "steps.a.share: must be a number, not False (bool)"),
        ({"name": "x", "share": "0.5"}, "steps.a.share: must be a number, not '0.5' (str)"),
        ({"name": "x", "share": 10**400}, "steps.a.share: is too large for a number"),
        ({"name": "x", "on": 1}, "steps.a.on: must be true or false, not 1 (int)"),
        ({"name": "x", "how": "plsu"}, "'plsu' is not a choice; did you mean 'plus'?"),
        ({"name": "x", "inner": {"lo": 1}}, "steps.a.inner: unknown key 'lo'; did you mean 'low'?"),
        ({"name": "x", "inner": 3}, "steps.a.inner: must be a mapping, not 3 (int)"),
        (
            {"name": "x", "many": [{"low": 1}, {"low": "a"}]},
            "steps.a.many[1].low: must be a number",
        ),
        ({"name": "x", "many": "abc"}, "steps.a.many: must be a list, not 'abc' (str)"),
        ({"name": "x", "pair": [1]}, "steps.a.pair: must be a list of 2"),
        ({"name": "x", "pair": ["a", "b"]}, "steps.a.pair[0]: must be a whole number"),
        ({"name": "x", "one_or_more": 3}, "steps.a.one_or_more: must be text or "),
        ({"name": "x", "numbers": {"a": "b"}}, "steps.a.numbers.a: must be a whole number"),
        ({"name": "x", "count": -1}, "steps.a: count must be at least 0, not -1"),
    ],
)
def test_a_mistake_is_named_in_one_line(values, said):
    """Where, what, what is known."""
    with pytest.raises(ConfigError) as caught:
        build(Outer, values, where="steps.a")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_lists_become_tuples_and_ints_floats_and_nothing_else_changes():
    """The only two conversions."""
    made = build(
        Outer,
        {"name": "x", "share": 1, "inner": {"low": 2, "words": ["a"]}, "one_or_more": ["a", "b"]},
        where="w",
    )
    assert (made.share, type(made.share)) == (1.0, float)
    assert made.inner == Inner(low=2.0, words=("a",))
    assert made.one_or_more == ("a", "b")


TEXT = st.text(max_size=8)
INNER = st.builds(Inner, low=st.floats(allow_nan=False), words=st.tuples(TEXT, TEXT))
OUTER = st.builds(
    Outer,
    name=TEXT,
    count=st.integers(0, 10**20),
    share=st.floats(allow_nan=False),
    on=st.booleans(),
    how=st.sampled_from(["plus", "minus"]),
    inner=st.none() | INNER,
    many=st.lists(INNER, max_size=3).map(tuple),
    pair=st.tuples(st.integers(), TEXT),
    one_or_more=TEXT | st.tuples(TEXT, TEXT),
    numbers=st.dictionaries(TEXT, st.integers(), max_size=3),
)


@given(OUTER)
def test_plain_is_the_inverse_of_build(value):
    """A configuration written down and read again is the same."""
    assert build(Outer, plain(value), where="w") == value


@given(OUTER)
def test_what_is_default_needs_not_be_written_down(value):
    """What `sparse` leaves out is what `build` puts in."""
    short = sparse(value)
    assert build(Outer, short, where="w") == value
    assert short.keys() <= plain(value).keys()
    assert "on" not in short or short["on"] is not Outer(name="x").on
