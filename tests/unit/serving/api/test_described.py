"""The description of the API says exactly what the API does."""

import pytest
from tests.asking import ask, limited
from tests.fuzzing import fuzz

from heddle.registry.manifest import HistoryFacts
from heddle.serving.address import Address
from heddle.serving.api.app import make_app
from heddle.serving.api.keys import new_key
from heddle.serving.api.rows import RowReader
from heddle.serving.api.schema import example_row, request_schema, row_schema
from heddle.serving.api.settings import Settings
from heddle.serving.cascade import Cascade
from heddle.serving.live import Live
from heddle.validation.contract import Column


def described(app, **more):
    return ask(app, "GET", "/openapi.json", **more).json()


def row_of(live, column, seen=None, **settings):
    """The schema of a single column named `x`."""
    from dataclasses import replace

    told = replace(live.current.model.manifest, columns={"x": column}, seen={"x": seen or {}})
    return row_schema(RowReader(told, Settings(**settings)))["properties"]["x"]


def test_what_the_description_allows_is_answered_and_the_rest_refused(live):
    """Some 150 requests made from it, valid and not: statuses, types, bodies, headers fit."""
    faults = []
    told = fuzz(make_app(live, notice=faults.append), seed=1, examples=30)
    assert told.faults == {}
    assert faults == []
    assert sum(told.statuses.values()) >= 130
    assert min(told.modes["valid"], told.modes["invalid"]) >= 20
    assert told.checks["negative_data_rejection"] >= 80


def test_behind_keys_it_says_so(live, tmp_path):
    """Which addresses ask for one, and what is answered without."""
    key, line = new_key("web")
    (tmp_path / "keys").write_text(f"{line} rate=100000 burst=100000")
    app = limited(live, keys=tmp_path / "keys")
    told = described(app, headers={"x-api-key": key})
    predict = told["paths"]["/api/v1/predict"]["post"]
    assert predict["security"] == [{"key": []}, {"bearer": []}]
    assert {"401", "429"} <= predict["responses"].keys()
    assert told["paths"]["/health"]["get"]["security"] == []
    assert told["components"]["responses"]["NoKey"]["headers"].keys() == {"WWW-Authenticate"}
    assert fuzz(app, seed=2, examples=3, key=key).faults == {}


def test_every_refusal_is_described_with_its_body(app):
    """No address answers with a status that its description does not name."""
    told = described(app)
    parts = told["components"]["responses"]
    assert len(parts) == 13
    for one in parts.values():
        assert one["content"]["application/json"]["schema"] == {
            "$ref": "#/components/schemas/Refusal"
        }
    assert parts["TooOften"]["headers"]["Retry-After"]["schema"]["type"] == "integer"
    predict = told["paths"]["/api/v1/predict"]["post"]["responses"]
    assert predict.keys() == {
        *("200", "400", "408", "413", "415", "422", "431", "500", "503", "504")
    }


def test_without_a_model_the_description_has_no_rows(registered):
    """But every address."""
    empty = make_app(Live(Cascade(registered), Address(name="price", wanted="production")))
    told = described(empty)
    assert "Row" not in told["components"]["schemas"]
    assert "requestBody" in told["paths"]["/api/v1/predict"]["post"]


@pytest.mark.parametrize(
    ("column", "seen", "settings", "expected"),
    [
        (Column(type="int", min=1), {}, {}, {"minimum": 1, "maximum": 2**63 - 1}),
        (Column(type="int"), {}, {}, {"minimum": -(2**63), "maximum": 2**63 - 1}),
        (Column(type="float", above=0.0), {}, {}, {"exclusiveMinimum": 0.0}),
        (
            Column(type="float", min=0.0, max=9.0),
            {"min": 1.0, "max": 5.0},
            {"outside": "refuse"},
            {"minimum": 1.0, "maximum": 5.0},
        ),
        (
            Column(type="string", categories=("a", "b")),
            {"categories": ["a"]},
            {"outside": "refuse"},
            {"enum": ["a"]},
        ),
        (
            Column(type="string", categories=("a", "b"), nullable=True),
            {},
            {},
            {"enum": ["a", "b", None]},
        ),
        (Column(type="string"), {"categories": ["b"]}, {"outside": "refuse"}, {"enum": ["b"]}),
    ],
)
def test_bounds_are_those_that_are_refused(live, column, seen, settings, expected):
    """By type, declaration and policy."""
    told = row_of(live, column, seen, **settings)
    assert {word: told[word] for word in expected} == expected


@pytest.mark.parametrize(
    "column",
    [
        Column(type="float"),
        Column(type="float", above=0.0),
        Column(type="float", above=0.0, max=0.5),
        Column(type="float", min=5.0),
        Column(type="float", max=-5.0),
        Column(type="float", min=7.0, max=7.0),
        Column(type="int", min=3),
        Column(type="int", min=-3, max=-1),
        Column(type="bool"),
        Column(type="date"),
        Column(type="string", categories=("a",)),
    ],
)
def test_an_example_is_taken_whatever_the_bounds(live, column):
    """Also where nothing is known of training rows."""
    from dataclasses import replace

    told = replace(live.current.model.manifest, columns={"x": column}, seen={})
    reader = RowReader(told, Settings())
    assert reader.read({"instances": [example_row(reader)]})["x"] != [None]


def test_text_that_is_only_flagged_has_no_list(live):
    """Whatever is taken must be allowed."""
    told = row_of(live, Column(type="string", categories=("a",)), {}, categories="flag")
    assert told == {"type": "string"}


def test_a_history_says_how_many_rows(live):
    """And by what they rise; an example of so many rows is left out."""
    from dataclasses import replace

    facts = HistoryFacts(lookback=30, time="day", horizon=1)
    columns = {"day": Column(type="date"), "close": Column(type="float")}
    manifest = replace(live.current.model.manifest, columns=columns, history=facts)
    reader = RowReader(manifest, Settings())
    told = request_schema(reader)
    assert told["properties"]["instances"]["minItems"] == 31
    assert "rising `day`" in told["properties"]["instances"]["description"]
    assert "example" not in told
    assert example_row(reader)["day"] == "2024-02-29"
