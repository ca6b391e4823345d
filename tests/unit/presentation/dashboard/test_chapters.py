"""A chapter of the report is taken apart without losing a word of it."""

from hypothesis import given
from hypothesis import strategies as st

from heddle.presentation.dashboard.chapters import Beside, Drawing, Fold, Picture, Words, pieces
from heddle.presentation.report.charts import SERIES, bars, chart
from heddle.presentation.report.lineage import lineage_section
from heddle.presentation.report.markup import Column, el, folded, join, para, table
from heddle.presentation.report.pipeline_graph import StageNode


def drawing(anchor, title="Bars", says="so it is"):
    data, layout, height = bars(["a <b>"], [1.0], title="x", colours=[SERIES[0]])
    return chart(anchor, title, says, data, layout, height=height)


def test_drawings_folds_and_pairs_come_one_by_one():
    """In the order of the chapter; words around them stay as they were written."""
    whole = join(
        [
            para("1 < 2 & 3"),
            drawing("first", "A & B", "1 < 2"),
            folded("more", table("t", [Column("h")], [["c"]]), drawing("second"), opened=True),
            el("div", drawing("third"), drawing("fourth"), class_="pair"),
            para("end"),
        ]
    )
    start, first, fold, both, end = pieces(whole)
    assert start == Words("<p>1 &lt; 2 &amp; 3</p>")
    assert isinstance(first, Drawing)
    assert (first.anchor, first.title, first.says) == ("first", "A & B", "1 < 2")
    assert first.spec["data"][0]["y"] == ["a &lt;b&gt;"]
    assert isinstance(fold, Fold)
    assert (fold.title, fold.opened) == ("more", True)
    assert [type(part) for part in fold.inside] == [Words, Drawing]
    assert isinstance(both, Beside)
    assert [part.anchor for part in both.inside] == ["third", "fourth"]
    assert end == Words("<p>end</p>")


def test_a_drawing_of_stages_is_a_picture():
    """With its marks and the table beside it."""
    graph = [StageNode("a", "", (), ("v1",)), StageNode("b", "", ("v1",), ("v2",))]
    _, picture, rest = pieces(lineage_section(graph, {}, {"a": ("never ran",)}).html)
    assert isinstance(picture, Picture)
    assert picture.svg.startswith("<svg viewBox=")
    assert 'class="stale"' in picture.svg
    assert "never ran" in rest.html


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_markup_alone_is_one_part_whatever_its_words(texts):
    """Nothing is added, dropped or read twice."""
    whole = el("div", *(el("p", text, title=text) for text in texts))
    assert "".join(part.html for part in pieces(whole)) == whole
