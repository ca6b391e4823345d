"""Who may ask, and how often."""

import pytest
from tests.asking import PREDICT, ROW, ask, predict

from heddle.domain.errors import ConfigError
from heddle.serving.api.app import make_app
from heddle.serving.api.keys import Keys, new_key, read_keys
from heddle.serving.api.refused import Refused
from heddle.serving.api.settings import Settings


@pytest.fixture
def key(tmp_path):
    """A key, and the file that lets it in."""
    told, line = new_key("web")
    path = tmp_path / "keys"
    path.write_text(f"# who may ask\n\n{line}  # since May\n")
    return told, path


def keys_of(path, clock=lambda: 0.0, **more):
    return Keys(path, clock=clock, **more)


def bearer(key):
    return {"authorization": f"Bearer {key}"}


def test_the_key_itself_is_in_no_file(key):
    """Only its hash is kept; two keys are never alike."""
    told, path = key
    assert told not in path.read_text()
    assert len(told) >= 40
    assert new_key("web")[0] != told


def test_a_good_key_opens_by_either_header(key):
    """Bearer or X-API-Key."""
    told, path = key
    keys = keys_of(path)
    assert keys.admit(bearer(told)) == "web"
    assert keys.admit({"authorization": f"bearer {told}"}) == "web"
    assert keys.admit({"x-api-key": told}) == "web"


@pytest.mark.parametrize("wrong", ["", "x", "ö", "a" * 100_000])
def test_other_keys_do_not(key, wrong):
    """Nor none, nor the hash that stands in the file."""
    keys = keys_of(key[1])
    hashed = read_keys(key[1])[0].hashed
    for headers in ({}, bearer(wrong), {"x-api-key": wrong}, bearer(hashed), bearer(key[0] + "x")):
        with pytest.raises(Refused) as fault:
            keys.admit(headers)
        assert fault.value.status == 401
        assert fault.value.headers == {"www-authenticate": "Bearer"}


def test_keys_are_exchanged_without_a_restart(key):
    """Old and new are good together; what is taken out is refused within a second."""
    old, path = key
    clock = [0.0]
    keys = keys_of(path, clock=lambda: clock[0])
    new, line = new_key("web")
    path.write_text(path.read_text() + line + "\n")
    clock[0] += 1.1
    assert keys.admit(bearer(old)) == keys.admit(bearer(new)) == "web"
    path.write_text(line + "\n")
    clock[0] += 1.1
    assert keys.admit(bearer(new)) == "web"
    with pytest.raises(Refused):
        keys.admit(bearer(old))


@pytest.mark.parametrize("damage", ["garbage", "", None])
def test_a_damaged_file_changes_nothing_and_is_told(key, damage):
    """Half an edit locks nobody out."""
    told, path = key
    clock, said = [0.0], []
    keys = keys_of(path, clock=lambda: clock[0], notice=said.append)
    path.unlink() if damage is None else path.write_text(damage)
    clock[0] += 2
    assert keys.admit(bearer(told)) == "web"
    assert said[0].startswith("the keys stay as they were: ")
    clock[0] += 2
    keys.admit(bearer(told))
    assert len(said) == 1


def test_a_key_may_not_ask_too_often(tmp_path):
    """Its bucket fills with time; another key has its own."""
    (one, first), (two, second) = new_key("one"), new_key("two")
    path = tmp_path / "keys"
    path.write_text(f"{first} rate=0.5 burst=2\n{second}\n")
    clock = [0.0]
    keys = keys_of(path, clock=lambda: clock[0])
    assert [keys.admit(bearer(one)) for _ in range(2)] == ["one", "one"]
    with pytest.raises(Refused) as fault:
        keys.admit(bearer(one))
    assert (fault.value.status, fault.value.headers) == (429, {"retry-after": "2"})
    assert keys.admit(bearer(two)) == "two"
    clock[0] += 2.0
    assert keys.admit(bearer(one)) == "one"
    with pytest.raises(Refused):
        keys.admit(bearer(one))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no key"),
        ("# nobody\n", "holds no key"),
        ("web\n", "line 1: is no key. Write NAME SHA256"),
        ("web secret\n", "line 1: is no key"),
        (f"web {'a' * 64} rate=fast\n", "line 1: is no key"),
    ],
)
def test_a_file_of_another_form_is_refused_at_the_start(tmp_path, text, words):
    """With the line; what stands on it is not repeated."""
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words) as fault:
        Keys(path)
    assert "secret" not in str(fault.value)
    path.unlink()
    with pytest.raises(ConfigError, match="the keys cannot be read"):
        Keys(path)


def test_with_keys_only_health_is_open(live, key):
    """Documentation, metrics and the model's own words are behind the door as well."""
    told, path = key
    app = make_app(live, Settings(keys=path))
    for place in ("/", "/health", "/health/live", "/health/ready"):
        assert ask(app, "GET", place).status_code == 200
    for place in ("/docs", "/openapi.json", "/metrics", "/api/v1/model/info", "/nowhere"):
        closed = ask(app, "GET", place)
        assert closed.status_code == 401
        assert closed.json() == {"error": "a key is needed", "detail": []}
    assert predict(app, ROW).status_code == 401
    assert predict(app, ROW, headers=bearer(told)).status_code == 200
    assert ask(app, "GET", "/metrics", headers=bearer(told)).status_code == 200


def test_a_stranger_cannot_make_the_server_read(live, key):
    """Without a key the body is not looked at."""
    app = make_app(live, Settings(keys=key[1]))
    answer = ask(app, "POST", PREDICT, content=b"[" * 1_000, headers={"content-type": "x"})
    assert answer.status_code == 401


def test_a_key_without_a_rate_has_that_of_the_settings(key, live):
    """A line that names one keeps its own."""
    told, path = key
    keys = keys_of(path, rate=0.5, burst=2)
    for _ in range(2):
        keys.admit(bearer(told))
    with pytest.raises(Refused) as fault:
        keys.admit(bearer(told))
    assert (fault.value.status, fault.value.headers["retry-after"]) == (429, "2")
    app = make_app(live, Settings(keys=path, rate=0.1, burst=1))
    answers = [predict(app, ROW, headers=bearer(told)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    with pytest.raises(ValueError, match="rate must be above 0, burst at least 1"):
        Settings(rate=0)
