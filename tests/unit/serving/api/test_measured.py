"""What /metrics tells, read as Prometheus reads it."""

import re

import pytest
from tests.asking import PREDICT, ROW, ask, limited, predict

from heddle.infrastructure.memory_requests import MemoryRequests
from heddle.serving.address import Address
from heddle.serving.api.app import make_app
from heddle.serving.api.keys import new_key
from heddle.serving.cascade import Cascade
from heddle.serving.live import Live
from heddle.serving.logged import Logged, LogSettings
from heddle.serving.sinks import Sinks

_SAMPLE = re.compile(
    r"([a-z_]+)(?:\{((?:[a-z]+=\"(?:[^\"\\\n]|\\[\\n\"])*\",?)+)\})? (-?\d+(?:\.\d+)?(?:e[+-]\d+)?)"
)


def samples(app, **more):
    """The samples of /metrics by name and labels, after a strict reading of every line."""
    answer = ask(app, "GET", "/metrics", **more)
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text.endswith("\n")
    found, kinds, name = {}, {}, ""
    for line in answer.text.splitlines():
        if line.startswith("# "):
            _, word, name, told = line.split(" ", 3)
            if word == "TYPE":
                assert name not in kinds  # those of one name stand together
                assert told in {"counter", "gauge", "histogram"}
                kinds[name] = told
            continue
        sample, labels, value = _SAMPLE.fullmatch(line).groups()
        assert re.sub("_(bucket|sum|count)$", "", sample) == name or sample == name
        assert (sample, labels) not in found
        found[sample, labels or ""] = float(value)
    assert all(name.endswith("_total") == (kind == "counter") for name, kind in kinds.items())
    return found


def test_every_line_is_read_by_prometheus_itself(app):
    """By the parser of its own client, where that is installed."""
    parser = pytest.importorskip("prometheus_client.parser")
    predict(app, ROW)
    text = ask(app, "GET", "/metrics").text
    families = {one.name: one for one in parser.text_string_to_metric_families(text)}
    assert families["heddle_predict_seconds"].type == "histogram"
    assert families["heddle_model_swaps"].samples[0].labels == {"address": "production"}
    read = {(one.name, *one.labels.values()) for told in families.values() for one in told.samples}
    assert len(read) + 1 == len(samples(app))  # the first reading is counted by the second


def test_times_are_counted_in_fixed_buckets(app):
    """Each holds those below it; the last one holds all."""
    for _ in range(3):
        predict(app, ROW)
    told = samples(app)
    name = "heddle_predict_seconds"
    buckets = [value for (sample, _), value in told.items() if sample == f"{name}_bucket"]
    assert len(buckets) == 13
    assert buckets == sorted(buckets)
    assert buckets[-1] == told[f"{name}_count", ""] == 3
    assert 0 < told[f"{name}_sum", ""] < 60


def test_refusals_are_counted_by_reason(live, registered, tmp_path):
    """Of rows, of what is no JSON, of keys, of rates, without a model."""
    key, line = new_key("web")
    (tmp_path / "keys").write_text(f"{line} rate=0.001 burst=4")
    app = limited(live, keys=tmp_path / "keys")
    mine = {"x-api-key": key}
    predict(app, {}, headers=mine)
    ask(app, "POST", PREDICT, content=b"{", headers=mine | {"content-type": "application/json"})
    ask(app, "POST", PREDICT, content=b"{", headers=mine | {"content-type": "text/plain"})
    predict(app, ROW)
    told = samples(app, headers=mine)
    assert predict(app, ROW, headers=mine).status_code == 429
    counts = {
        label: value for (name, label), value in told.items() if name.endswith("refused_total")
    }
    counts.pop("", None)  # of models
    assert counts == dict.fromkeys(
        [f'reason="{r}"' for r in ("invalid_rows", "no_key", "not_json", "unreadable")], 1.0
    )
    empty = make_app(Live(Cascade(registered), Address(name="price", wanted="production")))
    predict(empty, ROW)
    assert samples(empty)["heddle_refused_total", 'reason="no_model"'] == 1


def test_exchanges_are_counted_by_alias(app, live, registered):
    """The first model is one."""
    registered.point("price", "production", 2)
    assert live.look()
    live.admit(Address(name="price", wanted="staging"))
    told = samples(app)
    assert told["heddle_model_swaps_total", 'address="production"'] == 2
    assert told["heddle_model_swaps_total", 'address="staging"'] == 1


def test_the_log_is_told_with_what_it_dropped(live):
    """Offered, written, dropped; in flight is this question alone."""
    logged = Logged(MemoryRequests(), LogSettings(queue_rows=2))
    app = make_app(live, logged=Sinks(Sinks(logged)))  # as it stands beside a second model
    predict(app, ROW, ROW, ROW)  # more than may wait
    predict(app, ROW)
    assert logged.close()
    told = samples(app)
    assert told["heddle_log_rows_offered_total", ""] == 4
    assert told["heddle_log_rows_total", 'outcome="written"'] == 1
    assert told["heddle_log_rows_total", 'outcome="dropped"'] == 3
    assert told["heddle_log_rows_waiting", ""] == 0
    assert told["heddle_requests_in_flight", ""] == 1
    assert told["heddle_requests_waiting", ""] == 0
