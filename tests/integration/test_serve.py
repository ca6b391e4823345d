"""`heddle serve` as it is started, asked and ended."""

import gc
import json
import signal

import httpx
import pytest
from tests.asking import PREDICT, ROW
from tests.processes import heard
from tests.saved_model import saved_model

from heddle.domain.errors import BusyError, ConfigError, IntegrityError
from heddle.infrastructure.sqlite_requests import SqliteRequests
from heddle.presentation.bootstrap import REQUESTS
from heddle.presentation.cli import run
from heddle.presentation.served import Served, _settled, declared, served
from heddle.serving.api.keys import read_keys


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model's folder and the sha256 of its manifest."""
    return saved_model(tmp_path_factory.mktemp("saved") / "model")


def params(serving):
    """A params.yaml that says so much of serving, and nothing else."""
    return json.dumps({"stages": {}, "world": {"project": "tiny", "serving": serving}})


def refused(root, kind, match, **told):
    with pytest.raises(kind, match=match):
        served(root, Served(**{"port": 0, **told}), say=lambda _: None)


def test_a_process_serves_logs_and_ends_with_0(model, tmp_path):
    """Health, a prediction, its record, then SIGTERM."""
    serving = {"keep_days": 7, "most_rows": 2, "port": 1}
    (tmp_path / "params.yaml").write_text(params(serving))
    options = ["--port", "0", "--digest", model[1], "--admin", str(tmp_path / "admin")]
    with heard("serve", str(model[0]), *options, "-C", str(tmp_path)) as process:
        said = [next(process.stderr)]
        while not said[-1].startswith("listening on "):
            said.append(next(process.stderr))
        url = said[-1].split()[-1]
        answer = httpx.post(url + PREDICT, json={"instances": [ROW]}, timeout=30)
        many = httpx.post(url + PREDICT, json={"instances": [ROW] * 3}, timeout=30)
        assert (tmp_path / "admin").is_socket()
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
        assert process.wait() == 0
    assert many.json()["detail"][0]["reason"] == "must hold at most 2 rows"
    told = answer.json()
    assert answer.headers["x-model-source"] == "folder"
    assert told["model_digest"] == model[1]
    assert rest == "ended; what was admitted has been answered\n"
    assert "only agree among themselves" not in "".join(said)
    kept = SqliteRequests(tmp_path / REQUESTS).find(told["predictions"][0]["id"])
    assert (kept.digest, kept.row) == (model[1], ROW)
    assert not (tmp_path / "admin").exists()


def test_usage_is_refused_before_anything_listens(model, tmp_path):
    """Each with what to do."""
    folder = str(model[0])
    refused(tmp_path, ConfigError, "--host: .* anybody could ask", model=folder, host="0.0.0.0")
    refused(tmp_path, ConfigError, "'flg' is not a choice; did", model=folder, outside="flg")
    refused(tmp_path, ConfigError, "limits must be positive", model=folder, most_rows=0)
    refused(tmp_path, ConfigError, "an admin port needs keys", model=folder, admin="0")
    refused(tmp_path, ConfigError, "no such folder", model="./nowhere")
    refused(tmp_path, ConfigError, "the keys cannot be read", model=folder, keys=tmp_path / "no")


def test_what_the_configuration_says_is_read_from_params(tmp_path):
    """As the options say it; without a project nothing is said."""
    assert declared(tmp_path) == {}
    told = {"keys": "keys", "origins": ["https://a.test"], "redact": {"size": "drop"}, "rate": 5}
    (tmp_path / "params.yaml").write_text(params(told))
    said = Served(**declared(tmp_path))
    assert (said.keys, said.origin) == (tmp_path / "keys", ("https://a.test",))
    assert (said.redact, said.rate, said.burst) == (("size=drop",), 5.0, 400)


@pytest.mark.parametrize(
    ("serving", "words"),
    [
        ({"outside": "flg"}, "world.serving.outside: 'flg' is not a choice; did you mean 'flag'?"),
        ({"port": "8080"}, "world.serving.port: "),
        ({"hosts": "::1"}, "world.serving: unknown key 'hosts'; did you mean 'host'?"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_file_and_key(tmp_path, capsys, serving, words):
    """Before anything listens."""
    place = tmp_path / "params.yaml"
    place.write_text(params(serving))
    assert run(["serve", "./model", "-C", str(tmp_path)]) == 2
    assert f"{place}: {words}" in capsys.readouterr().err


def test_a_model_that_cannot_be_verified_ends_it_with_4(model, tmp_path, capsys):
    """One line, no trace."""
    refused(tmp_path, IntegrityError, "expected 0000", model=str(model[0]), digest="0" * 64)
    code = run(["serve", str(model[0]), "--digest", "0" * 64, "--port", "0", "-C", str(tmp_path)])
    assert code == 4
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: ")


def test_a_taken_port_ends_it_with_6(model, tmp_path):
    """Before the model is read."""
    from heddle.serving.api.listening import listen

    with listen("127.0.0.1", 0) as door:
        door.listen()
        port = door.getsockname()[1]
        refused(tmp_path, BusyError, "Give another --port", model=str(model[0]), port=port)


def test_a_new_key_is_printed_once_with_its_line(tmp_path, capsys):
    """The line alone goes into the file."""
    assert run(["serve", "--new-key", "web"]) == 0
    key, line = capsys.readouterr().out.splitlines()
    (tmp_path / "keys").write_text(line)
    assert [one.name for one in read_keys(tmp_path / "keys")] == ["web"]
    assert key not in line
    assert run(["serve", "--new-key", "a b"]) == 2


def test_garbage_is_looked_for_again_but_not_in_what_was_loaded():
    """Only where the start put that off."""
    before = gc.get_freeze_count()
    _settled()
    assert gc.get_freeze_count() == before
    gc.disable()
    try:
        _settled()
        assert gc.isenabled()
        assert gc.get_freeze_count() > before
    finally:
        gc.enable()
        gc.unfreeze()
