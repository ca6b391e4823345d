"""What is asked and answered, over the app as it is served."""

import json

import numpy as np
import polars as pl
import pytest
from tests.asking import PREDICT, ROW, ask, ask_all, limited, predict

from heddle.serving.address import Address
from heddle.serving.api.app import make_app
from heddle.serving.api.settings import Settings
from heddle.serving.batch import predict_rows
from heddle.serving.cascade import Cascade
from heddle.serving.live import Live


def test_a_prediction_is_the_files_prediction(app, live):
    """The same ten digits, the same interval, the same remarks as `heddle predict`."""
    rows = [ROW, {"size": None, "shore": "far"}, {"size": 500.0, "shore": "isle"}]
    frame = pl.DataFrame(rows, schema={"size": pl.Float64, "shore": pl.String})
    expected = predict_rows(live.current.model, frame, [0, 1, 2])
    told = predict(app, *rows).json()["predictions"]
    assert [one["prediction"] for one in told] == expected["prediction"].to_list()
    assert [one["interval"]["lower"] for one in told] == expected["lower"].to_list()
    assert [one["interval"]["upper"] for one in told] == expected["upper"].to_list()
    assert [";".join(one["flags"]) for one in told] == expected["flags"].to_list()
    assert told[2]["flags"] == ["outside_training:size", "unknown_category:shore"]
    assert {one["interval"]["level"] for one in told} == {0.9}


def test_an_answer_names_its_model_once(app, live):
    """Version and digest in body and headers; each prediction has an id of its own."""
    answer = predict(app, ROW, ROW)
    body = answer.json()
    assert body["model_version"] == "price/1" == answer.headers["x-model-version"]
    assert body["model_digest"] == live.current.digest == answer.headers["x-model-digest"]
    assert answer.headers["x-model-source"] == "registry"
    ids = {one["id"] for one in body["predictions"]}
    assert len(ids) == 2
    assert all(len(name) == 32 and int(name, 16) >= 0 for name in ids)


def test_categories_may_be_written_in_any_case(app):
    """As long as only one can be meant."""
    told = [predict(app, {**ROW, "shore": s}).json()["predictions"][0] for s in ("near", "NEAR")]
    assert told[0]["prediction"] == told[1]["prediction"]
    assert told[1]["flags"] == []


def test_an_exchange_changes_the_next_answer_and_none_before(app, live, registered):
    """The reader of rows goes with the model."""
    first = predict(app, ROW).json()
    registered.point("price", "production", 2)
    assert live.look()
    second = predict(app, ROW).json()
    assert (first["model_version"], second["model_version"]) == ("price/1", "price/2")
    assert first["model_digest"] != second["model_digest"] == live.current.digest


def test_many_at_once_are_answered_each_with_its_own(app):
    """Requests that wait together are predicted together, and not mixed up."""
    rows = [{"size": float(size), "shore": "near"} for size in range(20, 60)]
    answers = ask_all(app, *[("POST", PREDICT, {"json": {"instances": [row]}}) for row in rows])
    together = predict(app, *rows).json()["predictions"]
    alone = [answer.json()["predictions"][0]["prediction"] for answer in answers]
    assert alone == [one["prediction"] for one in together]
    assert len(set(alone)) == len(rows)


def test_health_is_always_told(app, registered):
    """Degraded, not dead, before a model is there."""
    empty = make_app(Live(Cascade(registered), Address(name="price", wanted="production")))
    for place, status in ((app, "healthy"), (empty, "degraded")):
        answer = ask(place, "GET", "/health")
        assert answer.status_code == 200
        assert answer.json()["status"] == status
        assert ask(place, "GET", "/health/live").status_code == 200
    assert ask(empty, "GET", "/health").json()["model_loaded"] is False
    assert ask(app, "GET", "/health/ready").json() == {"status": "ready"}
    assert ask(app, "GET", "/").json()["health_url"] == "/health"


def test_without_a_model_nobody_is_left_waiting(registered):
    """503, with a word on when to come again."""
    empty = make_app(Live(Cascade(registered), Address(name="price", wanted="production")))
    answers = predict(empty, ROW), ask(empty, "GET", "/health/ready")
    for answer in answers:
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
    assert answers[0].json()["error"] == "no model is loaded yet"
    told = ask(empty, "GET", "/api/v1/model/info")
    assert (told.status_code, told.json()["status"]) == (503, "not_loaded")
    assert int(told.headers["retry-after"]) >= 1
    assert ask(empty, "GET", "/openapi.json").status_code == 200


def test_a_server_that_drains_answers_but_is_not_ready(app, live):
    """Who holds a connection is told to let it go."""
    live.draining = True
    assert ask(app, "GET", "/health/ready").status_code == 503
    answer = predict(app, ROW)
    assert answer.status_code == 200
    assert answer.headers["connection"] == "close"


def test_the_model_tells_of_itself(app, live):
    """Source, digest, metrics, columns; nothing of this machine."""
    told = ask(app, "GET", "/api/v1/model/info")
    body = told.json()
    assert (body["status"], body["source"], body["how"]) == ("ready", "registry", "compiled")
    assert body["model_digest"] == live.current.digest
    assert body["metrics"] == {"wmape": 12.0}
    assert body["seen"]["size"] == {"min": 20.0, "max": 100.0}
    assert "/tmp" not in told.text


def test_the_description_has_the_models_columns(app):
    """Types, bounds, categories, training ranges; its example is predicted without a remark."""
    told = ask(app, "GET", "/openapi.json").json()
    row = told["components"]["schemas"]["Row"]
    assert row["required"] == ["size", "shore"]
    assert row["additionalProperties"] is False
    size = row["properties"]["size"]
    assert (size["type"], size["maximum"], size["exclusiveMinimum"]) == (
        ["number", "null"],
        1000,
        0,
    )
    assert size["description"] == "Training rows: 20 to 100."
    assert row["properties"]["shore"]["enum"] == ["far", "near", "isle"]
    assert predict(app, row["example"]).json()["predictions"][0]["flags"] == []
    assert ask(app, "GET", "/docs").status_code == 200


def test_docs_can_be_left_out(live):
    """Then there is no page at all."""
    closed = limited(live, docs=False)
    assert ask(closed, "GET", "/docs").status_code == 404
    assert ask(closed, "GET", "/openapi.json").json() == {"error": "Not Found"}


def test_rows_outside_of_training_can_be_refused(live):
    """By policy; the value is not repeated."""
    answer = predict(limited(live, outside="refuse"), ROW, {"size": 777.25, "shore": "isle"})
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["detail"]] == [
        "instances[1].size",
        "instances[1].shore",
    ]
    assert "777" not in answer.text


def test_text_that_is_not_declared_can_be_flagged(live):
    """By policy, as `heddle predict` does."""
    answer = predict(limited(live, categories="flag"), {"size": 50.0, "shore": "moon"})
    assert answer.json()["predictions"][0]["flags"] == ["unknown_category:shore"]


def test_what_is_answered_is_offered_to_the_log(live):
    """Id, model, row, prediction, interval, remarks, time."""
    kept = []
    app = make_app(
        live, logged=type("Sink", (), {"offer": lambda _, records: kept.extend(records)})()
    )
    answer = predict(app, ROW, {"size": 500.0, "shore": "NEAR"}).json()
    assert [one.id for one in kept] == [one["id"] for one in answer["predictions"]]
    second = kept[1]
    assert (second.model, second.digest) == ("price/1", live.current.digest)
    assert second.row == {"size": 500.0, "shore": "near"}
    assert second.prediction == answer["predictions"][1]["prediction"]
    assert second.lower < second.prediction < second.upper
    assert second.flags == "outside_training:size"
    assert second.latency_ms > 0


def test_what_happens_is_counted(app):
    """By route and status, in Prometheus's form; strange paths share one counter."""
    predict(app, ROW, {"size": 500.0, "shore": "far"})
    predict(app)
    ask(app, "GET", "/../../etc/passwd")
    text = ask(app, "GET", "/metrics").text
    for line in (
        'heddle_requests_total{route="/api/v1/predict",status="200"} 1',
        'heddle_requests_total{route="/api/v1/predict",status="422"} 1',
        'heddle_requests_total{route="other",status="404"} 1',
        "heddle_rows_total 2",
        "heddle_rows_flagged_total 1",
        "heddle_predict_seconds_count 2",
        "heddle_ready 1",
    ):
        assert line in text.splitlines()
    assert 'heddle_model_info{model="price/1",digest="' in text


def test_only_named_origins_may_ask_from_a_page(live):
    """And none without the setting."""
    open_to = limited(live, origins=("http://localhost:3000",))
    asked = {"origin": "http://localhost:3000", "access-control-request-method": "POST"}
    told = ask(open_to, "OPTIONS", PREDICT, headers=asked)
    assert told.headers["access-control-allow-origin"] == "http://localhost:3000"
    foreign = ask(open_to, "OPTIONS", PREDICT, headers=asked | {"origin": "http://evil.test"})
    assert "access-control-allow-origin" not in foreign.headers
    for rows, status in (([ROW], 200), ([], 422)):  # a page is to read what is wrong
        answer = predict(open_to, *rows, headers={"origin": "http://localhost:3000"})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    closed = ask(limited(live), "OPTIONS", PREDICT, headers=asked)
    assert closed.status_code == 405


@pytest.mark.parametrize("origin", ["*", "example.org", "https://example.org/", "https://a@b"])
def test_an_origin_is_one_place(origin):
    """Not every place, and not a page of one."""
    with pytest.raises(ValueError, match="write https://HOST or"):
        Settings(origins=(origin,))


def test_a_model_without_a_number_for_a_row_says_so(app, live, monkeypatch):
    """JSON has no NaN."""
    kind = type(live.current.model)
    monkeypatch.setattr(kind, "predict_values", lambda *_: np.array([1.0, np.nan]))
    answer = predict(app, ROW, ROW)
    assert answer.status_code == 422
    assert answer.json()["detail"] == [
        {"field": "instances[1]", "reason": "the model has no number for it"}
    ]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_refused(app, method):
    """405, as JSON."""
    answer = ask(app, method, PREDICT)
    assert answer.status_code == 405
    assert json.loads(answer.content)["error"]
