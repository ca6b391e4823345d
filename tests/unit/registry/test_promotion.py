"""Promotion writes its report whatever happens; rollback goes back one promotion at a time."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.entities import ModelPackage
from heddle.domain.errors import ConfigError, GateRefused, IntegrityError
from heddle.evaluation.intervals import Interval
from heddle.infrastructure.memory_registry import MemoryRegistry
from heddle.registry.gates import Gates
from heddle.registry.manifest import MANIFEST, Manifest, Split, digest
from heddle.registry.promotion import Promote, judged, promote, rollback, way_back
from heddle.validation.contract import Column

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MANIFEST_OF = Manifest(
    name="price",
    best_model="ridge",
    parameters={},
    target="y",
    columns={"a": Column(type="float")},
    seen={},
    metric="wmape",
    metrics={"wmape": 12.0, "r2": 0.85, "mape": 14.0},
    interval=Interval(level=0.9, half=0.2),
    split=Split(hash="s1", strategy="random", seed=42, train_rows=80, test_rows=20),
    data={"v1": {"content_hash": "d1"}},
    config_hash="c",
    libraries={},
    baselines={"mean": {"wmape": 40.0}},
)
PASSED = [
    "r2 0.85 is at least 0.4",
    "mape 14 is at most 30",
    "wmape 12 beats the best baseline, mean (40)",
]


class World:
    """A registry, and how to put versions into it."""

    def __init__(self, folder):
        self.folder = folder
        self.registry = MemoryRegistry(folder / "registry")
        self.report = folder / "reports" / "promotion.json"

    def register(self, wmape: float, **changes) -> int:
        """Register a version with this score under the alias staging."""
        metrics = {**MANIFEST_OF.metrics, "wmape": wmape}
        content = replace(MANIFEST_OF, metrics=metrics, **changes).encoded()
        place = self.folder / "model"
        place.mkdir(exist_ok=True)
        (place / MANIFEST).write_bytes(content)
        package = ModelPackage(
            name="price",
            folder=place,
            model=None,
            example=None,
            run_id="",
            requirements=(),
            description="",
            tags={"manifest_sha256": digest(content)},
        )
        number = self.registry.add(package).number
        self.registry.point("price", "staging", number)
        return number

    def promote(self, **gates):
        cfg = Promote(model="price", gates=Gates(**gates))
        return promote(self.registry, cfg, report=self.report, now=lambda: AT)

    def said(self):
        return json.loads(self.report.read_text())

    def production(self) -> int:
        return self.registry.resolve("price", "production").number


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_a_first_version_is_promoted_and_reported(world):
    """The alias moves and the report holds the fields that readers know."""
    world.register(12.0)
    assert world.promote(minimum={"r2": 0.4}, maximum={"mape": 30.0}).promoted
    assert world.production() == 1
    assert world.said() == {
        "promoted": True,
        "model_name": "price",
        "from_stage": "staging",
        "to_stage": "production",
        "candidate_version": "1",
        "previous_version": None,
        "reason": "; ".join(PASSED),
        "reasons": PASSED,
        "r2": 0.85,
        "mape": 14.0,
        "promoted_at": "2026-01-02T03:04:05+00:00",
        "comparison": {"metric": "wmape", "challenger": MANIFEST_OF.metrics},
    }


def test_a_worse_version_is_refused_and_reported(world):
    """No alias moves, exit code 3, and the report says why."""
    world.register(12.0)
    world.promote()
    world.register(13.0)
    with pytest.raises(GateRefused, match="version 2 of 'price' is not promoted to production: "):
        world.promote()
    assert GateRefused.exit_code == 3
    assert world.production() == 1
    said = world.said()
    assert (said["promoted"], said["previous_version"]) == (False, "1")
    assert said["reason"] == "wmape 13 is not better than the champion's 12"
    assert said["comparison"]["champion"]["wmape"] == 12.0


def test_a_champion_of_another_test_refuses_and_says_what_to_do(world):
    """The word on what to do reaches the user."""
    world.register(12.0)
    world.promote()
    world.register(1.0, split=replace(MANIFEST_OF.split, hash="other"))
    with pytest.raises(GateRefused, match=r"another split.*set same_test: false"):
        world.promote()
    assert world.promote(same_test=False).promoted


def test_promoting_twice_changes_nothing(world):
    """A version that holds the alias already is no refusal, and its way back stays."""
    world.register(12.0)
    world.promote()
    world.register(11.0)
    world.promote()
    before = world.registry.versions("price")
    assert world.promote().reasons == ("holds production already",)
    assert world.registry.versions("price") == before


def test_rollback_goes_back_one_promotion_at_a_time(world):
    """Three promotions: back to 2, back to 1, then there is nothing to go back to."""
    for wmape in (12.0, 11.0, 10.0):
        world.register(wmape)
        world.promote()
    assert [rollback(world.registry, "price").number for _ in range(2)] == [2, 1]
    with pytest.raises(ConfigError, match=r"is the first that production meant.*nothing to go"):
        rollback(world.registry, "price", "Production")
    assert world.production() == 1


def test_what_was_rolled_back_can_be_promoted_again(world):
    """After a rollback the same version is promoted anew, and rolled back again."""
    world.register(12.0)
    world.promote()
    world.register(11.0)
    world.promote()
    assert rollback(world.registry, "price").number == 1
    assert world.registry.resolve("price", "2").tags["rolled_back_production"] == "to 1"
    assert world.promote().promoted
    assert world.production() == 2
    assert rollback(world.registry, "price").number == 1


@given(moves=st.lists(st.sampled_from(["1", "2", "3", "back"]), max_size=12))
def test_rollback_is_a_stack(tmp_path_factory, moves):
    """Any mixture of promotions and rollbacks behaves as pushing on and popping from a stack."""
    world = World(tmp_path_factory.mktemp("world"))
    for _ in range(3):
        world.register(12.0)
    world.registry.point("price", "staging", 1)
    world.promote(baselines=False)
    stack = [1]
    for move in moves:
        if move == "back":
            if len(stack) > 1:
                stack.pop()
                assert rollback(world.registry, "price").number == stack[-1]
            continue
        world.registry.point("price", "staging", int(move))
        try:
            world.promote(same_test=False)
        except GateRefused:
            assert int(move) != stack[-1]
            continue
        if int(move) != stack[-1]:
            stack.append(int(move))
        assert world.production() == stack[-1]


def test_files_that_were_changed_since_are_not_judged(world):
    """A manifest with better figures than those registered is an integrity error."""
    world.register(12.0)
    version = world.registry.resolve("price", "staging")
    path = world.registry.fetch(version) / MANIFEST
    path.write_bytes(path.read_bytes().replace(b"12.0", b"02.0"))
    with pytest.raises(IntegrityError, match="is not the manifest that was registered"):
        world.promote()
    assert not world.report.exists()


def test_an_unknown_alias_is_refused_with_the_known(world):
    """The error lists what there is."""
    world.register(12.0)
    cfg = Promote(model="price", from_alias="stagin")
    with pytest.raises(ConfigError, match="did you mean 'staging'"):
        promote(world.registry, cfg, report=world.report)
    assert not world.report.exists()


def test_the_gates_can_be_asked_without_a_promotion(world):
    """The same words as the promotion's, and nothing is written or moved."""
    first = world.register(12.0)
    cfg = Promote(model="price", gates=Gates(minimum={"r2": 0.4}, maximum={"mape": 30.0}))
    found = judged(world.registry, cfg)
    assert (found.challenger.number, found.holder) == (first, None)
    assert list(found.decision.reasons) == PASSED
    assert not world.report.exists()
    promote(world.registry, cfg, report=world.report, now=lambda: AT)
    world.register(50.0)
    refused = judged(world.registry, cfg)
    assert refused.holder.number == first
    assert not refused.decision.promoted
    with pytest.raises(GateRefused) as fault:
        promote(world.registry, cfg, report=world.report, now=lambda: AT)
    assert all(reason in str(fault.value) for reason in refused.decision.reasons)


def test_the_way_back_is_told_by_the_version_that_holds_the_alias(world):
    """The last one first."""
    for wmape in (12.0, 11.0, 10.0):
        world.register(wmape)
        world.promote()
    assert way_back(world.registry.resolve("price", "production"), "production") == [2, 1]
