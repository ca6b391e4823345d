"""The short way answers what the route answers, and nothing else."""

import pytest
from tests.asking import PREDICT, ROW, ask, limited

from heddle.serving.api.shortcut import Shortcut


@pytest.fixture
def ways(live):
    """An app as it is, and one that goes the long way."""
    short, long = limited(live), limited(live)
    long.user_middleware = [one for one in long.user_middleware if one.cls is not Shortcut]
    assert len(long.user_middleware) == len(short.user_middleware) - 1
    return short, long


def seen(answer):
    told = answer.json() if answer.content else {}
    for one in told.get("predictions", ()):
        one.pop("id")
    return answer.status_code, sorted(answer.headers), told


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("POST", PREDICT, {"json": {"instances": [ROW]}}),
        ("POST", PREDICT, {"json": {"instances": []}}),
        ("POST", PREDICT, {"content": b"{}"}),
        ("GET", PREDICT, {}),
        ("POST", PREDICT + "/", {"json": {"instances": [ROW]}}),
        ("POST", "/health/live", {}),
    ],
)
def test_both_ways_lead_to_one_answer(ways, method, path, more):
    """Whether it is a prediction, a refusal or a wrong method."""
    short, long = (seen(ask(app, method, path, **more)) for app in ways)
    assert short == long
