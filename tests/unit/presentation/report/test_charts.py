"""Drawings as values: coloured by name, escaped twice, the same every time."""

import html
import json
import math
import re

from hypothesis import given
from hypothesis import strategies as st

from heddle.presentation.report.charts import SERIES, axis, bars, chart, embedded, points
from heddle.presentation.report.markup import trusted


@given(st.text(alphabet=st.sampled_from('<>&/script!-\u2028é"'), max_size=20))
def test_embedded_text_neither_ends_the_script_nor_is_markup_to_plotly(text):
    """It is escaped for Plotly's own tags, then for the page; both undone give the text."""
    made = embedded({"label": text})
    assert not set("<>&\u2028") & set(made)
    label = json.loads(made)["label"]
    assert not set("<>") & set(label)
    assert html.unescape(label) == text


def test_numbers_keep_six_digits_and_what_is_not_finite_becomes_nothing():
    """A page is no place for seventeen digits, and JSON knows no NaN."""
    made = json.loads(embedded({"x": [1.23456789, math.nan, math.inf, 3, True]}))
    assert made == {"x": [1.23457, None, None, 3, True]}


def test_plotly_templates_of_the_house_stay_as_they_are():
    """Only text of this package may carry Plotly's tags."""
    assert json.loads(embedded([trusted("a<br>b")])) == ["a<br>b"]


def test_a_chart_has_title_sentence_name_and_height():
    """Also for those who hear the page instead of seeing it."""
    trace = points([1], [2], SERIES[0], name="seen")
    made = chart("c", "T <i>", "Look & see.", [trace], {"xaxis": axis("K")}, height=200)
    assert "<h3>T &lt;i&gt;</h3>" in made
    assert "<figcaption>Look &amp; see.</figcaption>" in made
    assert 'aria-label="T &lt;i&gt;. Look &amp; see."' in made
    assert 'style="height:200px"' in made
    spec = json.loads(re.search(r'id="c-spec">(.*?)</script>', made)[1])
    assert spec["layout"]["showlegend"] is True
    assert spec["layout"]["height"] == 200


def test_bars_start_at_nought_and_the_first_is_on_top():
    """A bar that does not start at 0 lies about lengths."""
    data, layout, _ = bars(["a", "b"], [1.0, 2.0], title="x", colours=SERIES[:2], sds=[0.1, 0.2])
    assert layout["xaxis"]["rangemode"] == "tozero"
    assert layout["yaxis"]["autorange"] == "reversed"
    assert data[0]["error_x"]["array"] == [0.1, 0.2]
