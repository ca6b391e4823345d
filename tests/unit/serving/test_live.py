"""The model that answers is exchanged as a whole, or not at all."""

import threading

import pytest

from heddle.domain.errors import ConfigError, IntegrityError
from heddle.serving.address import Address, read_address
from heddle.serving.cascade import Cascade
from heddle.serving.live import Live

PRODUCTION = Address(name="price", wanted="production")


@pytest.fixture
def said():
    return []


@pytest.fixture
def live(registered, said):
    """Production is served, and followed."""
    made = Live(Cascade(registered, strict=True), PRODUCTION, notice=said.append)
    made.load()
    return made


def damage(registered, number):
    path = registered.fetch(registered.resolve("price", str(number))) / "model.skops"
    path.write_bytes(path.read_bytes() + b"x")


def test_nothing_serves_before_the_first_load(registered):
    """And nothing is ready."""
    made = Live(Cascade(registered), PRODUCTION)
    assert made.current is None
    assert not made.ready


def test_a_look_at_an_alias_that_stayed_changes_nothing(live):
    """The very same object goes on."""
    before = live.current
    assert live.look() is False
    assert live.current is before
    assert (live.swaps, live.ready, before.source) == (1, True, "registry")


def test_an_alias_that_moved_is_followed(live, registered, said):
    """One look, one exchange, told with version and digest."""
    registered.point("price", "production", 2)
    assert live.look() is True
    assert live.current.model.label == "price/2"
    assert said[-1] == f"price/2 serves, from the registry, digest {live.current.digest}"


def test_a_bad_candidate_leaves_the_old_one(live, registered, said):
    """It is told once and not read every second; a repaired alias is taken at once."""
    damage(registered, 2)
    registered.point("price", "production", 2)
    assert [live.look(), live.look()] == [False, False]
    assert live.current.model.label == "price/1"
    assert live.refused == 1
    assert "price@production was not taken: " in said[-1]
    assert "differs from its manifest" in said[-1]
    registered.point("price", "production", 1)
    assert live.look() is False
    assert live.current.model.label == "price/1"


def test_a_refused_model_is_tried_again_later(registered):
    """Its files may have come back."""
    clock = [0.0]
    made = Live(Cascade(registered, strict=True), PRODUCTION, clock=lambda: clock[0])
    made.load()
    path = registered.fetch(registered.resolve("price", "2")) / "model.skops"
    content = path.read_bytes()
    damage(registered, 2)
    registered.point("price", "production", 2)
    assert made.look() is False
    path.write_bytes(content)
    assert made.look() is False
    clock[0] = 31.0
    assert made.look() is True


def test_a_registry_out_of_reach_changes_nothing(live, registered, said):
    """It is told once; when it is back, life goes on."""
    tags = registered.resolve
    registered.resolve = lambda *_: (_ for _ in ()).throw(OSError("no route"))
    assert [live.look(), live.look()] == [False, False]
    assert live.current.model.label == "price/1"
    assert said[-1] == "cannot look where price@production points: OSError: no route"
    registered.resolve = tags
    registered.point("price", "production", 2)
    assert live.look() is True


def test_a_start_without_a_model_is_mended_by_looking(registered):
    """As soon as there is something to load."""
    made = Live(Cascade(registered, strict=True), read_address("price@champion"))
    assert made.look() is False
    assert made.refused == 1
    registered.point("price", "champion", 1)
    assert made.look() is True
    assert made.ready


def test_an_admin_may_choose_a_version_but_no_other_model(live):
    """A number stays; a folder or another model is refused, the old one serves on."""
    assert live.admit(read_address("price/2")).model.label == "price/2"
    assert live.look() is False
    for foreign in ("rent@production", "./price"):
        with pytest.raises(ConfigError, match="only versions of 'price' can be served here"):
            live.admit(read_address(foreign))
    assert live.current.model.label == "price/2"


def test_a_failed_move_leaves_address_and_model(live, registered):
    """As if it had not been asked for."""
    damage(registered, 2)
    with pytest.raises(IntegrityError):
        live.admit(read_address("price/2"))
    assert str(live.address) == "price@production"
    assert live.current.model.label == "price/1"


def test_the_watcher_follows_by_itself_and_stops(live, registered):
    """In its own thread."""
    came = threading.Event()
    live._notice = lambda text: came.set() if text.startswith("price/2 serves") else None
    live.watch(every=0.01)
    registered.point("price", "production", 2)
    assert came.wait(timeout=20)
    live.stop()
    assert not live._watcher.is_alive()


def test_a_look_during_an_exchange_leaves_it_alone(registered):
    """What somebody is loading is not loaded twice."""
    made = Live(Cascade(registered), PRODUCTION)
    with made._turn:
        assert made.look() is False
    assert made.current is None
    assert made.look() is True


def test_a_column_to_hide_that_the_model_does_not_have_is_told(live, said):
    """With what there is; nothing is said when all are known."""
    from heddle.presentation.shadowed import strangers_told

    known = next(iter(live.current.model.manifest.columns))
    strangers_told(live, (f"{known}=drop",), said.append)
    before = len(said)
    strangers_told(live, ("nobody=hash", f"{known}=drop"), said.append)
    assert len(said) == before + 1
    assert said[-1].startswith("--redact: price/1 has no column nobody; it has ")
