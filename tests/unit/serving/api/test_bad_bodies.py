"""Raw bodies that are no request: none is answered with a number, none with a fault of ours."""

import gzip
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.asking import PREDICT, ROW, ask, ask_all, limited

from heddle.serving.api.app import make_app

GOOD = json.dumps({"instances": [ROW]}).encode()


def one(size: str = "50.0", shore: str = '"near"') -> bytes:
    """Return a request of one row, its values as they are written."""
    return f'{{"instances": [{{"size": {size}, "shore": {shore}}}]}}'.encode()


BODIES = {
    # not JSON
    "empty": (b"", 400),
    "blank": (b"   \n", 400),
    "text": (b"hello", 400),
    "half": (GOOD[:-1], 400),
    "two values": (GOOD + GOOD, 400),
    "trailing comma": (b'{"instances": [{"size": 1.0, "shore": "far"},]}', 400),
    "single quotes": (GOOD.replace(b'"', b"'"), 400),
    "comment": (b"/* a */" + GOOD, 400),
    "NaN": (one("NaN"), 400),
    "Infinity": (one("Infinity"), 400),
    "minus Infinity": (one("-Infinity"), 400),
    "plus sign": (one("+1"), 400),
    "leading zero": (one("01"), 400),
    "hexadecimal": (one("0x10"), 400),
    "bare point": (one(".5"), 400),
    "five thousand digits": (one("9" * 5_000), 400),
    "byte order mark": (b"\xef\xbb\xbf" + GOOD, 400),
    "UTF-16": (GOOD.decode().encode("utf-16"), 400),
    "UTF-32": (GOOD.decode().encode("utf-32-le"), 400),
    "latin-1": ('{"instances": "ö"}'.encode("latin-1"), 400),
    "NUL": (b"\0" + GOOD, 400),
    "control character in text": (one(shore='"a\nb"'), 400),
    "duplicate field": (b'{"instances": [{"size": 1, "size": 2, "shore": "far"}]}', 400),
    "duplicate field, equal": (b'{"instances": [{"size": 1, "size": 1, "shore": "far"}]}', 400),
    "duplicate instances": (b'{"instances": [], "instances": [{"size": 1, "shore": "far"}]}', 400),
    "33 deep": (b"[" * 33 + b"]" * 33, 400),
    "100,000 deep": (b"[" * 100_000, 400),
    "100,000 deep, closed": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400),
    "duplicate field, one escaped": (
        b'{"instances": [{"size": 1, "\\u0073ize": 2, "shore": "far"}]}',
        400,
    ),
    "duplicate deep inside": (b'{"instances": [{"size": {"a": 1, "a": 2}, "shore": "far"}]}', 400),
    "duplicate among many": (
        b'{"instances": [{' + b",".join(b'"k%d": 1' % n for n in range(5_000)) + b', "k7": 1}]}',
        400,
    ),
    "NaN where any text is": (one(shore="NaN"), 400),
    "NUL behind": (GOOD + b"\0", 400),
    "bytes behind": (GOOD + b"\xff\xfe", 400),
    "a word behind": (GOOD + b" true", 400),
    "half an escape": (one(shore='"\\u12"'), 400),
    "an escape that is none": (one(shore='"\\x41"'), 400),
    "overlong UTF-8": (one(shore='"S"').replace(b"S", b"\xc0\xaf"), 400),
    "a surrogate as UTF-8": (one(shore='"S"').replace(b"S", b"\xed\xa0\x80"), 400),
    "an exponent without digits": (one("1e"), 400),
    "a point without digits": (one("1."), 400),
    "a minus alone": (one("-"), 400),
    "True": (one("True"), 400),
    "undefined": (one("undefined"), 400),
    "a form": (b"size=50.0&shore=near", 400),
    "XML": (b"<instances><size>50.0</size></instances>", 400),
    "lines of JSON": (b'{"size": 1.0, "shore": "far"}\n{"size": 2.0, "shore": "far"}', 400),
    "deep behind brackets in text": (b'["' + b"]" * 200 + b'",' + b"[" * 5_000, 400),
    # not a request
    "null": (b"null", 422),
    "a list": (b"[]", 422),
    "a number": (b"1", 422),
    "an empty object": (b"{}", 422),
    "rows alone": (json.dumps([ROW]).encode(), 422),
    "unknown field beside": (GOOD[:-1] + b', "model": "other"}', 422),
    "instances null": (b'{"instances": null}', 422),
    "instances an object": (b'{"instances": {"size": 1, "shore": "far"}}', 422),
    "instances text": (b'{"instances": "far"}', 422),
    "no row": (b'{"instances": []}', 422),
    "a null row": (b'{"instances": [null]}', 422),
    "a list row": (b'{"instances": [[50.0, "near"]]}', 422),
    "an empty row": (b'{"instances": [{}]}', 422),
    "too many rows": (json.dumps({"instances": [ROW] * 10_001}).encode(), 422),
    # not a row
    "field missing": (b'{"instances": [{"size": 1.0}]}', 422),
    "field unknown": (b'{"instances": [{"size": 1.0, "shore": "far", "colour": 1}]}', 422),
    "field in capitals": (b'{"instances": [{"SIZE": 1.0, "shore": "far"}]}', 422),
    "1e400": (one("1e400"), 422),
    "-1e400": (one("-1e400"), 422),
    "true for a number": (one("true"), 422),
    "text for a number": (one('"1.5"'), 422),
    "empty text for a number": (one('""'), 422),
    "a list for a number": (one("[1.5]"), 422),
    "an object for a number": (one('{"$gt": 1}'), 422),
    "2^53 + 1": (one(str(2**53 + 1)), 422),
    "four thousand digits": (one("9" * 4_000), 422),
    "not above": (one("0"), 422),
    "negative zero": (one("-0.0"), 422),
    "below": (one("-1"), 422),
    "above": (one("1000.1"), 422),
    "null category": (one(shore="null"), 422),
    "number for a category": (one(shore="1"), 422),
    "false for a category": (one(shore="false"), 422),
    "unknown category": (one(shore='"moon"'), 422),
    "empty category": (one(shore='""'), 422),
    "category with NUL": (one(shore='"near\\u0000"'), 422),
    "category that looks the same": (one(shore='"ne\u0430r"'), 422),
    "category in wide letters": (one(shore='"\uff4e\uff45\uff41\uff52"'), 422),
    "a long category": (one(shore=f'"{"n" * 1_000_000}"'), 422),
    "a list of a category": (one(shore='["near"]'), 422),
    "rows in rows": (b'{"instances": [[{"size": 1.0, "shore": "far"}]]}', 422),
    "32 deep": (one(shore="[" * 29 + "]" * 29), 422),
    "10^300 as a whole number": (one("1" + "0" * 300), 422),
    "the least number below": (one("-5e-324"), 422),
    "a million nulls": (b'{"instances": [' + b"null," * 1_000_000 + b"null]}", 422),
    "5,000 unknown fields": (
        b'{"instances": [{' + b",".join(b'"k%d": 1' % n for n in range(5_000)) + b"}]}",
        422,
    ),
    "a field of 100,000 letters": (b'{"instances": [{"' + b"k" * 100_000 + b'": 1}]}', 422),
    "an empty field": (b'{"instances": [{"": 1, "size": 1.0, "shore": "far"}]}', 422),
    "a field with a space": (b'{"instances": [{"size ": 1.0, "shore": "far"}]}', 422),
    "an inherited field": (b'{"instances": [{"__proto__": {}, "size": 1, "shore": "far"}]}', 422),
    "the target": (b'{"instances": [{"price": 1.0, "size": 1.0, "shore": "far"}]}', 422),
    "true": (b"true", 422),
    "text as JSON": (b'"instances"', 422),
    "Instances": (b'{"Instances": [{"size": 1.0, "shore": "far"}]}', 422),
    "padded category": (one(shore='" near"'), 422),
    "half a surrogate": (one(shore='"\\ud800"'), 422),
    "half a surrogate as field": (
        b'{"instances": [{"\\ud800": 1, "size": 1, "shore": "far"}]}',
        422,
    ),
    "one bad row of many": (json.dumps({"instances": [*[ROW] * 50, {"size": 1}]}).encode(), 422),
}
JSON = {"content-type": "application/json"}


def post(body, headers=JSON):
    return ("POST", PREDICT, {"content": body, "headers": headers})


def test_each_is_refused_with_its_status(live):
    """400 where it cannot be read, 422 where it can: with a reason, and the server unharmed."""
    faults = []
    app = make_app(live, notice=faults.append)
    told = ask_all(app, *[post(body) for body, _ in BODIES.values()])
    got = {name: answer.status_code for name, answer in zip(BODIES, told, strict=True)}
    assert got == {name: status for name, (_, status) in BODIES.items()}
    assert all(answer.json()["error"] for answer in told)
    assert all(len(answer.content) < 8_000 for answer in told)
    assert faults == []
    assert ask(app, *post(GOOD)[:2], **post(GOOD)[2]).status_code == 200


def test_what_json_allows_is_taken(app):
    """Blanks, exponents, escapes; a category in any case."""
    bodies = [
        GOOD,
        b"\r\n\t " + GOOD + b"\n",
        one("50"),
        one("5E+1"),
        one("0.5e2"),
        one(shore='"NEAR"'),
        one(shore='"\\u006eEAR"'),
        b'{"\\u0069nstances": [{"shore": "near", "size": 50}]}',
    ]
    told = [answer.json() for answer in ask_all(app, *[post(body) for body in bodies])]
    assert len({one["predictions"][0]["prediction"] for one in told}) == 1


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        (one("1e400"), "instances[0].size", "must be finite"),
        (one("true"), "instances[0].size", "must be a number"),
        (one("0"), "instances[0].size", "is not above 0"),
        (one("1000.5"), "instances[0].size", "is above 1000"),
        (one(str(2**53 + 1)), "instances[0].size", "is too large for a float without loss (2^53)"),
        (one(shore="null"), "instances[0].shore", "must not be null"),
        (one(shore="7"), "instances[0].shore", "must be text"),
        (one(shore='"moon"'), "instances[0].shore", "is none of 'far', 'near', 'isle'"),
        (b'{"instances": [{"size": 1}]}', "instances[0].shore", "is missing"),
        (
            b'{"instances": [{"size": 1, "shore": "far", "shores": 1}]}',
            "instances[0].shores",
            "is unknown; did you mean 'shore'?",
        ),
        (b'{"instances": []}', "instances", "must hold at least one row"),
        (b"{}", "instances", "is missing"),
        (b'{"a": 1, "a": 2}', "a", "stands twice"),
    ],
)
def test_a_fault_is_told_with_its_path(app, body, field, reason):
    """In words that say what would be taken."""
    answer = ask(app, "POST", PREDICT, content=body, headers=JSON)
    assert answer.json()["detail"] == [{"field": field, "reason": reason}]


SECRET = "4111111111111111"
SECRETS = [  # a value in every place that one can stand in
    one(f'"{SECRET}"'),
    one(f"-{SECRET}"),
    one(SECRET + "x"),
    one(SECRET + ".5"),
    one(SECRET * 2),
    one(SECRET * 300),
    one(f"[{SECRET}]"),
    one(f'{{"$gt": {SECRET}}}'),
    one(shore=f'"{SECRET}"'),
    one(shore=SECRET),
    one(shore=f'"{SECRET}\\ud800"'),
    one(shore=f'"{SECRET}'),
    one(shore=f'{{"a": "{SECRET}", "a": "{SECRET}"}}'),
    one() + SECRET.encode(),
    SECRET.encode(),
    f'"{SECRET}"'.encode(),
    f'["{SECRET}"]'.encode(),
    f'{{"instances": "{SECRET}"}}'.encode(),
    f'{{"instances": [{SECRET}]}}'.encode(),
    f'{{"instances": [["{SECRET}"]]}}'.encode(),
    f'{{"instances": [], "key": "{SECRET}"}}'.encode(),
    f'{{"instances": [{{"size": 1, "shore": "far", "note": "{SECRET}"}}]}}'.encode(),
    b"\xff" + SECRET.encode(),
    SECRET.encode("utf-16"),
]


def test_values_are_never_repeated(app):
    """What was sent may be a secret of whoever sent it: neither in body nor in headers."""
    answers = ask_all(app, *[post(body) for body in SECRETS])
    assert {answer.status_code for answer in answers} == {400, 422}
    for answer in answers:
        assert SECRET not in answer.text + str(answer.headers)
        assert len(answer.content) < 4_000


def test_of_many_faults_twenty_are_told(app):
    """The answer stays short."""
    told = ask(app, "POST", PREDICT, json={"instances": [{"size": "x", "shore": 1}] * 100}).json()
    assert told["error"] == "200 faults"
    assert len(told["detail"]) == 20
    assert told["more"] == 180


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 415),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "application/json; charset=latin-1"}, 415),
        ({"content-type": "application/json; charset=UTF-8"}, 200),
        (JSON | {"content-encoding": "gzip"}, 415),
        (JSON | {"content-encoding": "br"}, 415),
        (JSON | {"content-encoding": "identity"}, 200),
        (JSON | {"content-length": "many"}, 400),
        (JSON | {"content-length": "99999999999999999999999"}, 413),
        (JSON | {"x-large": "a" * 17_000}, 431),
        (JSON | {f"x-{number}": "a" for number in range(120)}, 431),
    ],
)
def test_headers_that_do_not_fit_are_refused(app, headers, status):
    """Before the body is looked at."""
    assert ask(app, "POST", PREDICT, content=GOOD, headers=headers).status_code == status


def test_a_packed_bomb_is_not_unpacked(app):
    """Neither with its header nor without."""
    bomb = gzip.compress(b"[" * 5_000_000)
    assert ask(app, "POST", PREDICT, content=bomb, headers=JSON).status_code == 400
    packed = JSON | {"content-encoding": "gzip"}
    assert ask(app, "POST", PREDICT, content=bomb, headers=packed).status_code == 415


def test_a_large_body_is_refused_before_it_is_whole(live):
    """With a length or in pieces without one: reading stops at the limit."""
    app = limited(live, most_bytes=10_000)
    assert ask(app, "POST", PREDICT, content=b" " * 10_001, headers=JSON).status_code == 413
    sent = []

    async def pieces():
        for _ in range(1_000):
            sent.append(1_000)
            yield b" " * 1_000

    answer = ask(app, "POST", PREDICT, content=pieces(), headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["error"] == "the body is larger than 10,000 bytes"
    assert answer.headers["connection"] == "close"
    assert sum(sent) <= 12_000


def test_all_bodies_together_are_bounded(live):
    """Many large requests at once do not fill the memory."""
    app = limited(live, most_buffered=100_000)
    answers = ask_all(app, *[post(b" " * 60_000)] * 4)
    assert {answer.status_code for answer in answers} == {400, 503}
    assert ask(app, "POST", PREDICT, content=GOOD, headers=JSON).status_code == 200


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(ROW),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["instances", "size", "shore", "x"]), inner, max_size=3
            )
        ),
        max_leaves=8,
    )
)
def test_whatever_comes_is_answered_or_refused(app, body):
    """Never with a fault of ours; and only a whole row is predicted."""
    answer = ask(app, "POST", PREDICT, content=json.dumps(body).encode(), headers=JSON)
    assert answer.status_code in {200, 400, 422}
    if answer.status_code == 200:
        assert all(row.keys() == ROW.keys() for row in body["instances"])
