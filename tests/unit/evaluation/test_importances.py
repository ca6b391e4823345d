"""Importances of columns, against a plain loop over the same shuffles."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold

from heddle.evaluation.importances import permutation_importances

RNG = np.random.default_rng(5)
ROWS = pd.DataFrame(RNG.normal(size=(200, 3)), columns=["strong", "weak", "noise"])
TARGET = (10 + 5 * ROWS["strong"] + ROWS["weak"]).to_numpy()
FOLDS = list(KFold(4, shuffle=True, random_state=0).split(ROWS))
MODELS = [LinearRegression().fit(ROWS.iloc[train], TARGET[train]) for train, _ in FOLDS]


def test_importances_agree_with_shuffling_one_column_at_a_time():
    """The stacked prediction gives what a plain loop with the same shuffles gives."""
    held = [valid for _, valid in FOLDS]
    names = ["noise", "strong", "weak"]
    table = permutation_importances(
        MODELS, ROWS, TARGET, held, columns=names, key="mae", seed=3, repeats=2, most_rows=30
    )
    slow = {name: [] for name in names}
    for number, (model, positions) in enumerate(zip(MODELS, held, strict=True)):
        rng = np.random.default_rng([3, number])
        kept = np.sort(rng.permutation(positions)[:30])
        base = np.abs(TARGET[kept] - model.predict(ROWS.iloc[kept])).mean()
        for name in names:
            for order in [rng.permutation(30) for _ in range(2)]:
                mixed = ROWS.iloc[kept].copy()
                mixed[name] = mixed[name].to_numpy()[order]
                slow[name].append(np.abs(TARGET[kept] - model.predict(mixed)).mean() - base)
    assert [row["feature"] for row in table] == ["strong", "weak", "noise"]
    for row in table:
        assert row["mean"] == pytest.approx(np.mean(slow[row["feature"]]))
        assert row["sd"] == pytest.approx(np.std(slow[row["feature"]]))


def test_importances_are_losses_also_of_a_metric_that_is_maximised():
    """A useful column has a positive figure under R2 too."""
    table = permutation_importances(
        MODELS, ROWS, TARGET, [v for _, v in FOLDS], columns=["strong"], key="r2", seed=1
    )
    assert table[0]["mean"] > 0.5
