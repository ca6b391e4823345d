"""The map."""

import plotly.graph_objects as go
from tests.saved_project import rows

from heddle.presentation.dashboard.map import clicked, map_of
from heddle.presentation.dashboard.theme import coloured

AT = ("longitude", "latitude")


def test_rows_are_points_and_the_row_is_marked():
    """Plotly takes the chart; there are at most so many points."""
    told = map_of(rows(1, 3_000), AT, "price", (7.0, 52.0))
    points, here = go.Figure(coloured(told, "dark")).data
    assert len(points.x) == 1_500
    assert (here.x, here.y) == ((7.0,), (52.0,))
    assert len(points.marker.color) == 1_500


def test_a_row_without_coordinates_is_not_marked():
    """Until they are given."""
    assert len(map_of(rows(1, 50), AT, "price", (None, 52.0))["data"]) == 1


def test_a_click_tells_where():
    """On a training row, not on the mark."""
    event = {"selection": {"points": [{"x": 7, "y": 52.5, "curve_number": 0}]}}
    assert clicked(event) == (7.0, 52.5)
    assert clicked({"selection": {"points": [{"x": 7, "y": 52.5, "curve_number": 1}]}}) is None
    assert clicked({"selection": {"points": []}}) is None
    assert clicked(None) is None
