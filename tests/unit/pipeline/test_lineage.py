"""Why a stage is stale, in words."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from heddle.infrastructure.hydra_config import compose_config
from heddle.pipeline.lineage import Recorded, column_changes, states, value_changes
from heddle.pipeline.plan import make_plan


class Known:
    """Digests and metadata as given."""

    def __init__(self, digests, metadata=None):
        self.digests, self.metadata = digests, metadata or {}

    def digest(self, path):
        return self.digests.get(path)

    def old_metadata(self, digest):
        return self.metadata.get(digest)

    def new_metadata(self, path):
        return self.metadata.get(path)


def finished(root):
    """A plan, what its last run recorded, and the digests of all its files."""
    plan = make_plan(compose_config(root), root)
    digests = {p: f"of {p}" for s in plan.stages for o in s.outputs for p in plan.paths(o)}
    digests["cases.csv"] = "of cases.csv"
    recorded = {}
    for stage in plan.stages:
        reads = [p for r in stage.reads for p in plan.paths(r)] + list(plan.files[stage.name])
        writes = [p for o in stage.outputs for p in plan.paths(o)]
        recorded[stage.name] = Recorded(
            entry=plan.entries[stage.name],
            reads={p: digests[p] for p in reads},
            writes={p: digests[p] for p in writes},
        )
    return plan, recorded, digests


def reasons(plan, recorded, digests, metadata=None):
    return {s.name: s.reasons for s in states(plan, recorded, Known(digests, metadata))}


def test_a_finished_project_is_fresh_and_an_untouched_one_never_ran(tiny):
    """The two ends."""
    plan, recorded, digests = finished(tiny)
    assert set(reasons(plan, recorded, digests).values()) == {()}
    assert {r[0] for r in reasons(plan, {}, {}).values()} == {"never ran"}


def test_files_are_told_as_missing_changed_or_edited(tiny):
    """Input files, outputs, and what waits for them."""
    plan, recorded, digests = finished(tiny)
    changed = {**digests, "cases.csv": "other", "data/right/right.parquet": "other"}
    del changed["reports/said.json"]
    found = reasons(plan, recorded, changed)
    assert found["read"] == ("file cases.csv changed",)
    assert found["left"] == ("waits for read",)
    assert found["right"][0] == "output data/right/right.parquet was changed by hand"
    assert "input right was changed by hand: its metadata is as it was" in found["both"]
    assert "output reports/said.json is missing" in found["said"]


def test_the_changed_column_of_an_input_is_told_when_the_old_description_is_kept(tiny):
    """From the cache's copy of the metadata."""
    plan, recorded, digests = finished(tiny)
    meta = "data/v0/v0_metadata.json"
    old = {"rows": 2, "columns": {"a": {"hash": "1", "type": "x"}, "b": {"hash": "2", "type": "x"}}}
    new = {"rows": 3, "columns": {"a": {"hash": "9", "type": "x"}, "b": {"hash": "2", "type": "x"}}}
    changed = {**digests, meta: "other"}
    found = reasons(plan, recorded, changed, {digests[meta]: old, meta: new})
    assert found["left"][0] == "input v0: rows 2 -> 3; column a changed"


def test_of_a_list_only_what_came_and_went_is_told(tiny):
    """Long lists read alike on both sides of an arrow."""
    plan, recorded, digests = finished(tiny)
    entry = dict(recorded["left"].entry)
    entry["writes"] = [*entry["writes"], "gone"]
    recorded["left"] = replace(recorded["left"], entry=entry)
    assert reasons(plan, recorded, digests)["left"] == ("config writes: no longer gone",)


def test_a_frozen_stage_stays_and_an_unknown_entry_is_told(tiny):
    """Frozen means: as it was."""
    plan, recorded, digests = finished(tiny)
    recorded["left"] = Recorded(entry=None, writes=recorded["left"].writes)
    found = reasons(plan, recorded, digests)
    assert found["left"][0] == "its configuration was not recorded"


def test_how_two_descriptions_differ():
    """Each kind of difference in its words."""
    a = {"hash": "1", "type": "int64"}
    one = {"rows": 1000, "columns": {"a": a, "b": a}, "content_hash": "x"}
    assert column_changes(one, {**one, "rows": 2000}) == ["rows 1,000 -> 2,000"]
    assert column_changes(one, {**one, "columns": {"a": a}}) == ["column gone: b"]
    retyped = {"a": {**a, "type": "text"}, "b": a}
    assert column_changes(one, {**one, "columns": retyped}) == ["column a: int64 -> text"]
    other = {"a": {**a, "hash": "2"}, "b": {**a, "hash": "2"}}
    assert column_changes(one, {**one, "columns": other}) == ["every column changed"]
    assert column_changes(one, {**one, "content_hash": "y"}) == ["the same values in other rows"]
    assert column_changes(one, one) == ["the file was written anew, its content is the same"]


DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(DATA, DATA)
def test_values_differ_just_when_python_says_so(one, other):
    """True is not 1 here, and a missing key is not null."""
    assert list(value_changes(one, one)) == []
    if one != other:
        assert list(value_changes(one, other))
    assert list(value_changes({"a": None}, {}))
    assert list(value_changes({"a": True}, {"a": 1}))
