from dataclasses import replace

import pytest

from heddle.evaluation.proof import Case, Proof, reasons, words

ROW = {"difference": -0.2, "p_value": 0.001, "p_corrected": 0.01, "low": -0.3, "high": -0.1}
CASE = Case(
    metric="rmse",
    winner="ridge",
    mean=0.9,
    against="zero",
    least=1.0,
    row=ROW | {"deflated_sharpe": 0.97},
    candidates=4,
    trials=100,
    bets_against="always_up",
)


def test_the_corrected_p_decides_whatever_the_plain_one_says():
    """A search may make of 0.001 what is nothing; both are told."""
    assert reasons(CASE, Proof()) == []
    searched = replace(CASE, row=CASE.row | {"p_corrected": 0.2})
    (told,) = reasons(searched, Proof())
    assert told.startswith("paired, the losses differ by -0.2 (p 0.001, corrected for 4 candidates")
    assert told.endswith(" 0.2, 95% interval -0.3 to -0.1)")


def test_the_words_say_what_was_chosen_on_the_rows_of_the_test():
    """The candidates in p, the trials in the deflation; without bets, nothing makes up for them."""
    told = words(CASE, [])
    assert told == (
        "an edge: ridge has rmse 0.9, the best baseline zero 1 (corrected p 0.01, deflated Sharpe"
        " ratio beyond always_up 0.97); parameters were chosen on these rows: p is corrected for"
        " 4 candidates, the Sharpe ratio for 100 trials"
    )
    level = replace(CASE, bets_against=None, row=ROW, trials=1)
    assert words(level, []).endswith("p is corrected for 4 candidates, not for 1 trial")
    assert words(level, ["it rained"]).startswith("no edge: ridge has rmse 0.9, the best baseline")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"block": 0}, "block, draws and year must be at least 1"),
        ({"level": 1.0}, "0 < level < 1"),
        ({"tie": -0.1}, "0 <= tie < 1 must hold"),
    ],
)
def test_bounds_are_kept(values, words):
    """In the words of the configuration."""
    with pytest.raises(ValueError, match=words):
        Proof(**values)
