import numpy as np
import pytest

from heddle.domain.errors import ConfigError
from heddle.evaluation.losses import row_losses
from heddle.evaluation.metrics import METRICS

RNG = np.random.default_rng(0)
ACTUAL, SAID = RNG.uniform(50, 150, 40), RNG.uniform(50, 150, 40)
OF_THE_MEAN = {
    "rmse": np.sqrt,
    "mae": float,
    "mape": lambda mean: 100 * mean,
    "smape": float,
    "wmape": lambda mean: 100 * mean / ACTUAL.mean(),
    "r2": lambda mean: 1 - mean / ACTUAL.var(),
    **{k: (lambda mean: 100 * (1 - mean)) for k in METRICS if k.startswith("within_")},
}


@pytest.mark.parametrize("key", OF_THE_MEAN)
def test_a_metric_is_a_function_of_the_mean_loss(key):
    """So that a lower mean loss is a better metric on the same rows."""
    mean = row_losses(key, ACTUAL, SAID).mean()
    assert OF_THE_MEAN[key](mean) == pytest.approx(METRICS[key](ACTUAL, SAID))


@pytest.mark.parametrize("key", METRICS)
def test_every_metric_has_its_loss_and_it_is_least_without_error(key):
    """One for each row; 0 where the prediction is exact."""
    found = row_losses(key, ACTUAL, SAID)
    assert found.shape == ACTUAL.shape
    assert (row_losses(key, ACTUAL, ACTUAL) == 0).all()
    assert (found >= 0).all()
    assert found.max() > 0


def test_an_unknown_metric_is_named():
    """With those that there are."""
    with pytest.raises(ConfigError, match="no metric 'rmsle'"):
        row_losses("rmsle", [1.0], [1.0])
