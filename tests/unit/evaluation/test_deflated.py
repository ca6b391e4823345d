import math

import numpy as np
import pytest

from heddle.evaluation.deflated import (
    deflated_sharpe,
    expected_best,
    moments,
    probabilistic_sharpe,
)

YEAR = math.sqrt(250)


@pytest.mark.parametrize(
    ("trials", "skew", "kurtosis", "published"),
    [(100, -3.0, 10.0, 0.9004), (46, -3.0, 10.0, 0.9505), (88, 0.0, 3.0, 0.9505)],
)
def test_the_example_of_the_paper_is_reproduced(trials, skew, kurtosis, published):
    """A yearly ratio of 2.5 over five years, and a variance of 1/2 between the tries."""
    found = deflated_sharpe(
        2.5 / YEAR,
        rows=1250,
        skew=skew,
        kurtosis=kurtosis,
        trials=trials,
        spread=math.sqrt(0.5) / YEAR,
    )
    assert found == pytest.approx(published, abs=5e-4)


def test_one_try_is_not_deflated():
    """It is the probabilistic ratio, which for normal returns and no skill is 1/2."""
    how = {"rows": 60, "skew": 0.3, "kurtosis": 4.0}
    assert deflated_sharpe(0.2, trials=1, spread=0.5, **how) == probabilistic_sharpe(0.2, **how)
    assert probabilistic_sharpe(0.0, **how) == 0.5


def test_more_tries_and_fatter_tails_make_one_less_sure_and_more_rows_surer():
    """In the direction that the formula has."""
    how = {"rows": 500, "skew": 0.0, "kurtosis": 3.0, "trials": 20, "spread": 0.03}
    base = deflated_sharpe(0.15, **how)
    assert deflated_sharpe(0.15, **how | {"trials": 200}) < base
    assert deflated_sharpe(0.15, **how | {"kurtosis": 12.0}) < base
    assert deflated_sharpe(0.15, **how | {"skew": -2.0}) < base
    assert deflated_sharpe(0.15, **how | {"rows": 900}) > base


def test_the_expected_best_is_what_simulation_finds():
    """The best of 50 ratios without skill, on average over 2,000 draws."""
    drawn = np.random.default_rng(0).normal(0, 0.1, size=(2000, 50)).max(axis=1)
    assert expected_best(50, 0.1) == pytest.approx(drawn.mean(), rel=0.02)


def test_without_skill_the_deflated_ratio_of_the_best_is_rarely_high():
    """Of 300 competitions of 20 strategies by chance, about 5 % come above 0.95."""
    rng, found = np.random.default_rng(1), []
    for _ in range(300):
        drawn = rng.normal(0, 0.01, size=(20, 250))
        ratios = drawn.mean(axis=1) / drawn.std(axis=1, ddof=1)
        sharpe, skew, kurtosis = moments(drawn[ratios.argmax()])
        spread = float(ratios.std(ddof=1))
        how = {"rows": 250, "skew": skew, "kurtosis": kurtosis, "trials": 20, "spread": spread}
        found.append(deflated_sharpe(sharpe, **how) > 0.95)
    assert np.mean(found) < 0.07


def test_moments_are_those_of_scipy():
    """Skewness and kurtosis by the biased estimators, the ratio with n - 1."""
    from scipy.stats import kurtosis, skew

    drawn = np.random.default_rng(2).standard_t(5, size=80)
    expected = (drawn.mean() / drawn.std(ddof=1), skew(drawn), kurtosis(drawn, fisher=False))
    assert moments(drawn) == pytest.approx(expected)


def test_what_has_no_ratio_is_not_a_number():
    """One return, returns that do not vary, one row; never infinite."""
    assert all(math.isnan(v) for v in (*moments([0.1]), *moments([0.1, 0.1, 0.1]), *moments([])))
    nothing = {"skew": math.nan, "kurtosis": math.nan}
    assert math.isnan(probabilistic_sharpe(math.nan, rows=10, **nothing))
    assert math.isnan(probabilistic_sharpe(0.1, rows=1, skew=0.0, kurtosis=3.0))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: expected_best(0, 0.1), "trials >= 1 and spread >= 0 must hold, but got 0"),
        (lambda: expected_best(2, -0.1), "but got 2 and -0.1"),
        (lambda: moments([0.1, math.inf]), "returns must be finite"),
    ],
)
def test_bounds_are_kept(call, words):
    """The words show what was given."""
    with pytest.raises(ValueError, match=words):
        call()
