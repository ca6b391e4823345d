"""How runs are to be logged, as configuration says it."""

from __future__ import annotations

import pytest

from heddle.domain.errors import ConfigError
from heddle.pipeline.log_settings import LogSettings, about_logs, read_log_settings


@pytest.mark.parametrize(
    ("told", "number"),
    [("INFO", 20), ("info", 20), (10, 10), ("10", 10), (25, 25), ("CRITICAL", 50), (1, 1)],
)
def test_a_level_is_a_number_or_a_name(told, number):
    """As the one who types it likes."""
    assert read_log_settings({"logging_utils": {"level": told}}).number == number


def test_what_is_not_said_is_default():
    """Without the group, too."""
    for config in ({}, {"logging_utils": None}, {"logging_utils": {}}):
        assert read_log_settings(config) == LogSettings(level="INFO", format="text", keep=50)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            {"level": "debg"},
            "no level 'debg'; did you mean 'DEBUG'? Known: DEBUG, INFO, WARNING, ERROR, CRITICAL",
        ),
        (
            {"level": 0},
            "no level 0. Known: DEBUG, INFO, WARNING, ERROR, CRITICAL. By number: DEBUG (10)",
        ),
        ({"level": 51}, "no level 51."),
        ({"level": "-10"}, "no level '-10'."),
        ({"level": True}, "logging_utils.level: must be"),
        ({"level": 10.5}, "logging_utils.level: must be"),
        ({"levl": 10}, "logging_utils: unknown key 'levl'; did you mean 'level'?"),
        ({"format": "yaml"}, "logging_utils.format: 'yaml' is not a choice. Known: text, json"),
        ({"keep": 0}, "logging_utils: keep must be at least 1, not 0"),
        ("loud", "logging_utils: must be a mapping, not 'loud'"),
    ],
)
def test_what_there_is_not_is_refused(told, said):
    """In one line that names what there is."""
    with pytest.raises(ConfigError) as fault:
        read_log_settings({"logging_utils": told})
    assert said in str(fault.value)


def test_an_override_about_logs_is_told_apart():
    """With a plus or without; a group of a like name is another matter."""
    assert about_logs("logging_utils.level=10")
    assert about_logs("+logging_utils.format=json")
    assert not about_logs("logging_utils_of_mine.level=10")
    assert not about_logs("transformations.x.logging_utils.level=10")
