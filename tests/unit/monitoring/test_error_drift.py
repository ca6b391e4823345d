"""Errors that have grown."""

from __future__ import annotations

import numpy as np
import pytest

from heddle.domain.errors import DataContractError
from heddle.monitoring.drift import Limits
from heddle.monitoring.error_drift import error_drift


def test_worse_errors_are_an_alarm_and_luck_is_none():
    """By a tenth and beyond chance."""
    rng = np.random.default_rng(3)
    then, same, worse = (np.abs(rng.normal(0, s, 1000)) for s in (1, 1, 1.4))
    assert not error_drift(then, same, Limits()).alarm
    found = error_drift(then, worse, Limits())
    assert found.alarm
    assert found.words.startswith("mean absolute error 0.7")
    with pytest.raises(DataContractError, match="1000 and 3 errors are too few"):
        error_drift(then, worse[:3], Limits())
