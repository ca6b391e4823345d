from dataclasses import replace

import skops.io

from heddle.features.on_history import OnHistory
from heddle.models.assembly import Choices, Clusters, assemble, average
from heddle.models.candidates import Candidate
from heddle.models.catalogue import ESTIMATORS, available, make
from heddle.models.on_history import HistoryModel
from heddle.models.trusted import TRUSTED_TYPES

# skops lists scikit-learn's public estimators when it is imported, and asks for this one only if
# that was before anybody enabled it: a serving process may go either way.
LATE = "sklearn.impute._iterative.IterativeImputer"


def test_the_list_is_what_the_catalogue_needs_and_nothing_more(
    features, rows, price, prices, on_prices
):
    """Every estimator and imputation is saved; the union of what skops asks for is the list."""
    assert [name for name in ESTIMATORS if available(name)] == []
    found = set()
    combinations = [(name, "median") for name in ESTIMATORS]
    combinations += [("ridge", how) for how in ("none", "knn", "iterative", "iterative_forest")]
    for name, how in combinations:
        known = make(name, {}, seed=1).get_params()
        small = {k: 3 for k in ("n_estimators", "max_iter") if k in known and name != "lasso"}
        small = {} if name == "ridge" else small
        choices = Choices(imputation=how, clusters=Clusters(kind="rbf", k=3))
        seen = ("rooms",) if name == "naive" else ()
        one = Candidate(name=name, estimator=name, target="log", columns=seen)
        encoding = {"encoding": "target", "min_frequency": 1} if how == "knn" else {}
        model = assemble(replace(features, **encoding), choices, one, small, seed=1)
        if name == "ridge":
            model = average([("a", model), ("b", model)])
        data = skops.io.dumps(model.fit(rows, price))
        found |= set(skops.io.get_untrusted_types(data=data))
    ridge = Candidate(name="ridge", estimator="ridge")
    model = assemble(on_prices, Choices(), ridge, {}, seed=1)
    history = HistoryModel(OnHistory.of(on_prices.history), model)
    data = skops.io.dumps(history.fit(prices, prices["close"]))
    found |= set(skops.io.get_untrusted_types(data=data))
    assert sorted(found | {LATE}) == sorted(TRUSTED_TYPES)
