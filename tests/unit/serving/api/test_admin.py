"""The other door."""

import pytest
from tests.asking import ask

from heddle.serving.api.admin import make_admin
from heddle.serving.api.keys import new_key


@pytest.fixture
def admin(live):
    return make_admin(live)


def swap(admin, model):
    return ask(admin, "POST", "/admin/swap", json={"model": model})


def test_it_tells_what_serves_and_what_is_followed(admin, live):
    """Version, digest, source."""
    told = ask(admin, "GET", "/admin/model").json()
    assert (told["follows"], told["model_version"]) == ("price@production", "price/1")
    assert (told["model_digest"], told["source"]) == (live.current.digest, "registry")


def test_another_version_serves_when_the_call_returns(admin, live):
    """By number or by alias; a bare one is that of the model."""
    for asked, label in (("price/2", "price/2"), ("production", "price/1"), ("2", "price/2")):
        answer = swap(admin, asked)
        assert answer.status_code == 200
        assert answer.json()["model_version"] == live.current.model.label == label


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("price/9", "no version '9'"),
        ("price@champion", "no version 'champion'"),
        ("rent/1", "only versions of 'price' can be served here"),
        ("./model", "only versions of 'price' can be served here"),
        ("../../etc", "only versions of 'price' can be served here"),
        ("http://evil.test/model", "names no model"),
    ],
)
def test_what_the_registry_has_not_pinned_is_refused(admin, live, model, words):
    """No path, no address, no other model; the old one serves on."""
    answer = swap(admin, model)
    assert answer.status_code == 422
    assert words in answer.json()["error"]
    assert live.current.model.label == "price/1"


def test_a_version_that_cannot_be_verified_is_refused(admin, live, registered):
    """409, with the reason; requests are answered as before."""
    place = registered.fetch(registered.resolve("price", "2")) / "golden.json"
    place.write_text("{}")
    answer = swap(admin, "price/2")
    assert answer.status_code == 409
    assert "the old model serves on" in answer.json()["error"]
    assert live.current.model.label == "price/1"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"model": 1}', b'{"model": "a", "b": 1}'])
def test_other_bodies_are_refused(admin, body):
    """As strictly as anywhere."""
    assert ask(admin, "POST", "/admin/swap", content=body).status_code in {400, 422}


def test_a_port_has_keys_of_its_own(live, tmp_path):
    """Without one nothing is told."""
    key, line = new_key("operator")
    (tmp_path / "keys").write_text(line)
    admin = make_admin(live, keys=tmp_path / "keys")
    assert ask(admin, "GET", "/admin/model").status_code == 401
    opened = ask(admin, "GET", "/admin/model", headers={"x-api-key": key})
    assert opened.status_code == 200
