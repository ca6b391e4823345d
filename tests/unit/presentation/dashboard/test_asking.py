"""Asking the model here, or an API elsewhere."""

import shutil

import pytest
import yaml
from tests.loopback import body, serving

from heddle.presentation.dashboard.asking import Asked, about, answer_of, ask
from heddle.presentation.dashboard.entries import as_json, typical
from heddle.presentation.dashboard.place import Place
from heddle.serving.address import Address
from heddle.serving.api.app import make_app
from heddle.serving.api.keys import new_key
from heddle.serving.api.listening import listen
from heddle.serving.api.server import served_aside
from heddle.serving.api.settings import Settings
from heddle.serving.cascade import Cascade
from heddle.serving.live import Live


@pytest.fixture
def row(place):
    """A row that is predicted without a remark."""
    asked = about(place)
    return as_json(typical(asked.columns, asked.seen, None), asked.columns)


@pytest.fixture(scope="module")
def api(place, tmp_path_factory):
    """The same model over HTTP, for those with a key; its address and the key."""
    live = Live(Cascade(place.registry), Address(name="flat", wanted="staging"))
    live.load()
    keys = tmp_path_factory.mktemp("keys") / "keys"
    key, line = new_key("page")
    keys.write_text(line)
    with listen("127.0.0.1", 0) as door, served_aside(make_app(live, Settings(keys=keys)), door):
        yield f"http://127.0.0.1:{door.getsockname()[1]}", key


def without_id(answer):
    """Return what an answer says besides the name that each prediction has of its own."""
    (one,) = answer.document["predictions"]
    return answer.document | {"predictions": [one | {"id": ""}]}


def test_the_answer_here_is_the_answer_over_http_to_the_last_digit(
    flats, place, row, api, monkeypatch
):
    """Prediction, interval, flags, version and digest; each has an id of its own."""
    url, key = api
    monkeypatch.setenv("HEDDLE_API_KEY", key)
    there = Place(flats, url)
    strange = row | {"size": 999.0, "shore": "isle", "beds": None}
    for one in (row, strange):
        here, over = ask(place, one), ask(there, one)
        assert without_id(here) == without_id(over)
        assert here.told["id"] != over.told["id"]
    assert here.told["flags"] == ["outside_training:size", "unknown_category:shore"]
    assert about(place) == about(there)
    assert about(place).target == "price"


def test_what_is_asked_here_is_logged_as_the_api_logs_it(place, row):
    """So that its id can be traced and its outcome joined."""
    answer = ask(place, row)
    place.logged.close()
    del place.logged
    kept = place.requests.find(answer.told["id"])
    assert kept.prediction == answer.told["prediction"]
    assert kept.row == row


def test_a_refused_row_has_its_reason_at_each_column(place, row):
    """And no prediction."""
    answer = ask(place, row | {"size": -1.0, "beds": 99, "shore": "lake", "built": None})
    assert answer.told is None
    assert answer.trouble == ""
    assert answer.faults == {
        "size": "is not above 0",
        "beds": "is above 20",
        "shore": "is none of 'far', 'near', 'isle'",
        "built": "must not be null",
    }


def test_without_a_connection_the_address_is_named(flats, row):
    """Nobody listens; or somebody else does."""
    with listen("127.0.0.1", 0) as door:
        nowhere = f"http://127.0.0.1:{door.getsockname()[1]}"
        there = Place(flats, nowhere)
        said = ask(there, row).trouble
        assert said.startswith(f"No connection to {nowhere}: ")
        assert said.endswith("Is `heddle serve` running there?")
        assert about(there).startswith("No connection to ")
    with serving(body(b"<html>")) as other:
        there = Place(flats, other.address)
        assert about(there) == f"What listens at {other.address} is no `heddle serve`"


def test_a_missing_key_says_where_it_is_given(flats, row, api, monkeypatch):
    """The status is told, too."""
    monkeypatch.delenv("HEDDLE_API_KEY", raising=False)
    there = Place(flats, api[0])
    assert "answered 401" in ask(there, row).trouble
    assert "give its key in HEDDLE_API_KEY" in about(there)


@pytest.mark.parametrize(
    ("status", "told", "words"),
    [
        (503, {"error": "no model"}, "The API answered 503: no model; try again in a moment"),
        (429, {"error": "too often"}, "answered 429: too often; wait a moment"),
        (500, [], "The API answered 500: without a reason"),
        (
            422,
            {"error": "one fault", "detail": [{"field": "instances", "reason": "is missing"}]},
            "The API answered 422: one fault: instances is missing",
        ),
    ],
)
def test_other_troubles_are_told_as_they_came(status, told, words):
    """With what may help."""
    answer = answer_of({"size": 1.0}, status, told, seconds=0.0)
    assert words in answer.trouble
    assert answer.told is None


def test_without_a_model_the_reason_is_told(tmp_path):
    """Instead of a form."""
    assert not isinstance(about(Place(tmp_path)), Asked)
    with serving(body(b'{"model_loaded": false}', "application/json")) as empty:
        assert about(Place(tmp_path, empty.address)) == f"{empty.address} has no model yet"


def test_what_the_project_says_of_serving_holds_for_pages(flats, tmp_path, row):
    """Policies, and what is kept of a row."""
    root = shutil.copytree(flats, tmp_path / "flats")
    told = yaml.safe_load((root / "params.yaml").read_text())
    told["world"]["serving"] = {"outside": "refuse", "redact": {"size": "drop"}}
    (root / "params.yaml").write_text(yaml.safe_dump(told))
    place = Place(root)
    assert ask(place, row | {"size": 900.0}).faults == {"size": "lies outside the training rows"}
    answer = ask(place, row)
    place.close()
    kept = place.requests.find(answer.told["id"])
    assert "size" not in kept.row
    told["world"]["serving"] = {"log": False}
    (root / "params.yaml").write_text(yaml.safe_dump(told))
    silent = Place(root)
    answer = ask(silent, row)
    assert silent.logged is None
    assert silent.requests.find(answer.told["id"]) is None
