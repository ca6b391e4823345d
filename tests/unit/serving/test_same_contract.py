"""A model takes another's place only if whoever asks need not know."""

from dataclasses import replace

import pytest

from heddle.domain.errors import DataContractError
from heddle.registry.manifest import HistoryFacts, read_manifest
from heddle.serving.address import Address
from heddle.serving.cascade import Cascade
from heddle.serving.live import Live
from heddle.serving.same_contract import refuse_another_contract
from heddle.validation.contract import Column


@pytest.fixture(scope="module")
def manifest(saved):
    return read_manifest(saved[0])


def columns(manifest, **changes):
    return replace(manifest, columns={**manifest.columns, **changes})


def test_another_fit_is_no_other_contract(manifest):
    """Nor are other words about a column, or another order: JSON knows none."""
    told = replace(manifest.columns["size"], description="in square metres", gaps="ignore")
    turned = dict(reversed(columns(manifest, size=told).columns.items()))
    refuse_another_contract(
        manifest, replace(manifest, columns=turned, config_hash="z", metrics={}), label="price/2"
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: columns(m, size=Column(type="int")), r"column size is type 'int', nullable Fal"),
        (lambda m: columns(m, rooms=Column(type="int")), r"column rooms is there, it was absent"),
        (lambda m: replace(m, target="rent"), r"target is 'rent', it was 'price'"),
        (
            lambda m: replace(m, history=HistoryFacts(lookback=5, time="day", horizon=1)),
            r"history is there, it was absent",
        ),
    ],
)
def test_another_contract_is_told_by_its_first_difference(manifest, change, words):
    """With both sides, and what to do."""
    with pytest.raises(DataContractError, match=rf"price/2: another contract.*{words}.*--allow"):
        refuse_another_contract(manifest, change(manifest), label="price/2")


def test_a_server_stays_with_its_contract(registered, saved):
    """Unless it is told to go along."""
    from tests.hostile_models import reseal

    from heddle.registry.manifest import digest

    folder = registered.fetch(registered.resolve("price", "2"))
    reseal(folder, target="rent")
    pin = digest((folder / "manifest.json").read_bytes())
    registered.tag("price", 2, {"manifest_sha256": pin})
    said = []
    address = Address(name="price", wanted="production")
    live = Live(Cascade(registered), address, notice=said.append)
    open_minded = Live(Cascade(registered), address, allow_schema_change=True)
    for one in (live, open_minded):
        one.load()
    registered.point("price", "production", 2)
    assert [live.look(), open_minded.look()] == [False, True]
    assert live.current.model.label == "price/1"
    assert "price/2: another contract than of the model that serves: target is 'rent'" in said[-1]
