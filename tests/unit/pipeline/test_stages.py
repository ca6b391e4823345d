"""Declared stages and their graph."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError
from heddle.pipeline.stages import read_stages, wanted_stages

GOOD = {
    "a": {"step": "x", "writes": "v0"},
    "b": {"step": ["x", "y"], "reads": "v0", "writes": ["v1", "models/m.json"]},
    "c": {"step": "x", "reads": ["v1", "v0"], "writes": "v2", "metrics": "models/n.json"},
}


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        ({}, "no stage is declared"),
        ({"a": 3}, "pipeline.stages.a: must be a mapping"),
        ({"a": {"step": "x"}}, "needs a step and something that it writes"),
        (
            {"a": {"step": "x", "writes": "v0", "red": "v1"}},
            "unknown key 'red'; did you mean 'reads'",
        ),
        ({"a": {"step": "x", "writes": "v0", "reads": "v9"}}, "reads 'v9', which no stage writes"),
        ({"a": {"step": "x", "writes": "../v"}}, "'../v' lies outside the project"),
        ({"a": {"step": "x", "writes": "/v/x"}}, "'/v/x' lies outside the project"),
        ({"a": {"step": "x", "writes": "m/./x"}}, "'m/./x' is not a plain path"),
        ({"a": {"step": "x", "writes": "m/${x}"}}, "is not a plain path"),
        ({"a": {"step": "x", "writes": "v 0"}}, "'v 0' is not a data version name"),
        ({"a b": {"step": "x", "writes": "v0"}}, "'a b' is not a stage name"),
        ({"a.b": {"step": "x", "writes": "v0"}}, "the name of a stage holds no dots"),
        ({7: {"step": "x", "writes": "v0"}}, "7 is not a stage name"),
        (
            {"a": {"step": "x", "writes": "v0"}, "b": {"step": "x", "writes": "v0"}},
            "'v0' is written by 'a' and by 'b'",
        ),
        (
            {"a": {"step": "x", "writes": "m/d"}, "b": {"step": "x", "writes": "m/d/e.json"}},
            "lie in one another",
        ),
        (
            {"a": {"step": "x", "writes": "v0"}, "b": {"step": "x", "writes": "data/v0"}},
            "lie in one another",
        ),
        (
            {
                "a": {"step": "x", "reads": "v2", "writes": "v0"},
                "b": {"step": "x", "reads": "v0", "writes": "v1"},
                "c": {"step": "x", "reads": "v1", "writes": "v2"},
            },
            "stages need each other: a -> c -> b -> a",
        ),
        ({"a": {"step": "x", "reads": "v0", "writes": "v0"}}, "stages need each other: a -> a"),
    ],
)
def test_what_cannot_run_is_refused(stages, said):
    """With the stage and the name."""
    with pytest.raises(ConfigError) as caught:
        read_stages(stages)
    assert said in str(caught.value)


def test_wanted_stages_are_the_named_ones_and_all_that_they_need():
    """In the order in which they run."""
    stages = read_stages(GOOD)
    assert [s.name for s in wanted_stages(stages, [])] == ["a", "b", "c"]
    assert [s.name for s in wanted_stages(stages, ["b"])] == ["a", "b"]
    assert [s.name for s in wanted_stages(stages, ["a"])] == ["a"]
    with pytest.raises(ConfigError, match=r"no stage 'bb'; did you mean 'b'\?"):
        wanted_stages(stages, ["bb"])


@given(st.lists(st.sets(st.integers(0, 7)), min_size=1, max_size=8), st.randoms())
def test_any_graph_without_a_cycle_is_put_in_order(needs, chance):
    """Each stage comes after those whose outputs it reads, however they are declared."""
    declared = {
        f"s{i}": {"step": "x", "reads": [f"v{n}" for n in sorted(need) if n < i], "writes": f"v{i}"}
        for i, need in enumerate(needs)
    }
    names = list(declared)
    chance.shuffle(names)
    seen: set[str] = set()
    for stage in read_stages({name: declared[name] for name in names}):
        assert set(stage.reads) <= seen
        seen.update(stage.writes)
