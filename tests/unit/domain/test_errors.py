"""The words of errors, and their exit codes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain import errors
from heddle.domain.errors import ConfigError, HeddleError

TEXTS = st.text(max_size=40)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("HeddleError", 1),
        ("ConfigError", 2),
        ("DataContractError", 3),
        ("GateRefused", 3),
        ("IntegrityError", 4),
        ("ResourceError", 5),
        ("BusyError", 6),
        ("InterruptedRun", 7),
    ],
)
def test_the_exit_codes_are_a_contract(name, code):
    """Scripts depend on them."""
    kind = getattr(errors, name)
    assert kind.exit_code == code
    assert issubclass(kind, HeddleError)


def test_an_error_says_where_what_known_and_what_to_do():
    """In this order, in one line."""
    fault = ConfigError(
        "no option 'quik'", where="a.yaml", wanted="quik", known=["quick", "full"], todo="Take one."
    )
    assert str(fault) == (
        "a.yaml: no option 'quik'; did you mean 'quick'? Known: quick, full. Take one."
    )


def test_many_known_names_are_cut():
    """Twelve are shown, the rest is counted."""
    fault = ConfigError("no x", wanted="zzz", known=[f"name{i}" for i in range(30)])
    assert str(fault).endswith("name11 and 18 more")


@given(TEXTS, st.none() | TEXTS, st.none() | TEXTS, st.lists(TEXTS), st.none() | TEXTS)
def test_an_error_is_one_line_whatever_is_in_it(what, where, wanted, known, todo):
    """Names may hold anything, also line ends."""
    text = str(HeddleError(what, where=where, wanted=wanted, known=known, todo=todo))
    assert len(text.splitlines()) <= 1
