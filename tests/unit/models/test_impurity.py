"""Impurity importances against what a plain loop over the trees' nodes finds."""

from dataclasses import replace

import numpy as np
import pytest

from heddle.models.assembly import Choices, Clusters, assemble
from heddle.models.candidates import Candidate
from heddle.models.impurity import impurity_importances


def fitted(name, features, choices, rows, price, *, offset=None, **fixed):
    one = Candidate(name=name, estimator=name, fixed=fixed, offset=offset)
    return name, assemble(features, choices, one, {}, seed=1).fit(rows, price)


def slow(pipeline):
    """What every split took from the squared error, by the first word of its column's name."""
    names = pipeline[:-1].get_feature_names_out()
    total: dict[str, float] = {}
    nodes = pipeline[-1].regressor_.tree_
    size = nodes.impurity * nodes.weighted_n_node_samples
    for node, column in enumerate(nodes.feature):
        if column >= 0:
            gain = size[node] - size[nodes.children_left[node]] - size[nodes.children_right[node]]
            known = str(names[column])
            for sign, raw in (("kind_", "kind"), ("near_", "east, north")):
                known = raw if known.startswith(sign) else known
            total[known] = total.get(known, 0.0) + gain
    return {name: gain / sum(total.values()) for name, gain in total.items()}


def test_columns_of_one_raw_column_count_together(features, rows, price):
    """Those of 0 and 1 of a category, rare ones and clusters included; the sum is 1."""
    places = Choices(clusters=Clusters(kind="rbf", k=2, gamma=0.5))  # as many as coordinates
    model = fitted("decision_tree", features, places, rows, price, max_depth=6)
    told = impurity_importances([model])
    shares = {row["feature"]: row["share"] for row in told["columns"]}
    known = slow(model[1])
    assert {n: s for n, s in shares.items() if s} == pytest.approx(known)
    assert {"kind", "east, north"} <= set(known)
    assert sum(shares.values()) == pytest.approx(1.0)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)


@pytest.mark.parametrize("name", ["random_forest", "gradient_boosting", "lightgbm", "xgboost"])
def test_every_kind_of_trees_names_the_column_that_decides(name, features, choices, rows):
    """By the loss that its splits took away, not by how often it was split on."""
    target = 100.0 * rows["rooms"].to_numpy() + rows["homes"].to_numpy() % 3
    model = fitted(name, features, choices, rows, target, n_estimators=5)
    told = impurity_importances([model])["columns"]
    assert (told[0]["feature"], told[0]["share"] > 0.7) == ("rooms", True)
    assert {row["feature"] for row in told} >= {*features.raw[2:], "rooms_per_home", "east, north"}


def test_members_are_averaged_and_those_without_trees_left_out(features, choices, rows, price):
    """A linear model and histogram trees tell no such figure; a constant tree has none."""
    encoded = replace(features, encoding="target", min_frequency=1)
    tree = fitted("decision_tree", encoded, choices, rows, price, offset="beds")
    forest = fitted("random_forest", features, choices, rows, price, n_estimators=3)
    silent = [
        fitted("ridge", features, choices, rows, price),
        fitted("hist_gradient_boosting", features, choices, rows, price, max_iter=2),
        fitted("decision_tree", features, choices, rows, np.full(len(price), 7.0)),
    ]
    both = impurity_importances([tree, silent[0], forest])
    assert both["members"] == ["decision_tree", "random_forest"]
    assert both["offsets"] == ["beds"]
    alone = [
        {row["feature"]: row["share"] for row in impurity_importances([m])["columns"]}
        for m in (tree, forest)
    ]
    for row in both["columns"]:
        mean = sum(one.get(row["feature"], 0.0) for one in alone) / 2
        assert row["share"] == pytest.approx(mean)
    assert impurity_importances(silent) == {"members": [], "offsets": [], "columns": []}
