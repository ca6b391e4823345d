import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.metrics.pairwise import rbf_kernel

from heddle.domain.errors import ConfigError
from heddle.features.clusters import GeoClusters

PLACES = np.random.default_rng(0).uniform(0, 10, size=(300, 2))


def test_similarities_agree_with_scikit_learns_kernel():
    """exp(-gamma d^2) to the centres of k-means, from a second source."""
    made = GeoClusters(kind="rbf", k=7, gamma=0.3).fit(PLACES)
    expected = rbf_kernel(PLACES, made.centers_, gamma=0.3)
    np.testing.assert_allclose(made.transform(PLACES), expected, atol=1e-12)


def test_labels_are_those_of_k_means_as_ones_and_zeros():
    """One 1 per row, at the nearest centre, never an ordinal number."""
    made = GeoClusters(kind="labels", k=5, seed=3).fit(PLACES)
    found = made.transform(PLACES)
    expected = KMeans(5, n_init=1, random_state=3).fit(PLACES).predict(PLACES)
    np.testing.assert_array_equal(found.argmax(axis=1), expected)
    np.testing.assert_array_equal(found.sum(axis=1), 1.0)


@given(start=st.integers(0, 290), size=st.integers(1, 10))
def test_a_row_alone_has_the_features_it_has_among_others(start, size):
    """One request and a batch of thousands agree to the last bit."""
    made = GeoClusters(kind="rbf", k=4).fit(PLACES)
    rows = slice(start, start + size)
    np.testing.assert_array_equal(made.transform(PLACES[rows]), made.transform(PLACES)[rows])


def test_rows_without_coordinates_have_zeros_and_teach_nothing():
    """A gap is nowhere: it moves no centre."""
    holed = np.vstack([PLACES, [[np.nan, 1.0], [2.0, np.nan]]])
    made = GeoClusters(kind="rbf", k=4).fit(holed)
    np.testing.assert_array_equal(made.centers_, GeoClusters(kind="rbf", k=4).fit(PLACES).centers_)
    np.testing.assert_array_equal(made.transform(holed)[-2:], 0.0)


def test_the_same_seed_gives_the_same_bits_and_clones_keep_it():
    """Centres come from one thread."""
    made = GeoClusters(kind="rbf", k=20, seed=5)
    np.testing.assert_array_equal(made.fit(PLACES).centers_, clone(made).fit(PLACES).centers_)


def test_names_say_what_a_column_is():
    """Similarity or membership; none has no column."""
    names = {
        kind: GeoClusters(kind=kind, k=2).fit(PLACES).get_feature_names_out().tolist()
        for kind in ("rbf", "labels", "none")
    }
    assert names == {"rbf": ["near_0", "near_1"], "labels": ["cluster_0", "cluster_1"], "none": []}
    assert GeoClusters(kind="none").fit(PLACES).transform(PLACES).shape == (300, 0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kind": "label"}, "did you mean 'labels'"),
        ({"k": 0}, "k >= 1 must hold, but got 0"),
        ({"gamma": 0.0}, "gamma > 0 must hold, but got 0.0"),
        ({"k": 301}, "301 clusters need as many distinct places; the rows have 300. Set k to 300"),
    ],
)
def test_impossible_clusters_are_refused(settings, words):
    """Also more centres than there are places."""
    with pytest.raises(ConfigError, match=words):
        GeoClusters(**settings).fit(PLACES)
