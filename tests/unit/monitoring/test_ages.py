"""How old is told in words, judged where a limit is set."""

from datetime import UTC, datetime, timedelta

from heddle.monitoring.ages import Made, ages
from heddle.monitoring.answers import Monitor

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_what_is_not_known_is_not_told():
    """Rows of a file were not asked, a folder was not registered."""
    assert ages(None, Made(), NOW, Monitor(age_hours=1, model_days=1)) == []


def test_an_age_at_its_limit_is_fine():
    """Beyond it is an alarm; a clock that is behind makes nothing younger than new."""
    cfg = Monitor(age_hours=3, model_days=2)
    made = Made(registered=NOW - timedelta(days=2))
    asked, model = ages(NOW + timedelta(hours=1), made, NOW, cfg)
    assert asked["words"] == "the last one was 0.0 hours ago, limit 3 hours"
    assert model["words"] == "registered 2.0 days ago with its training rows, limit 2 days"
    assert (asked["state"], model["state"], model["times_limit"]) == ("ok", "ok", 1.0)
    later = ages(NOW, made, NOW + timedelta(days=1), cfg)
    assert [one["state"] for one in later] == ["alarm", "alarm"]
