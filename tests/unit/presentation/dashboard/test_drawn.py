"""What the report made stands on a page: words, tables, charts, drawings."""

from streamlit.testing.v1 import AppTest

from heddle.presentation.dashboard.drawn import plain, stylesheet
from heddle.presentation.dashboard.theme import palette


def test_the_style_touches_nothing_else_on_the_page():
    """Every rule stands within one element, in the colours of the page's shade."""
    for kind in ("light", "dark"):
        text = stylesheet(kind)
        assert f"--ink:{palette(kind)['ink']};" in text.split("}")[0]
        depth = 0
        for at, sign in enumerate(text):
            if depth == 0 and sign == "{":
                assert text[:at].endswith(".heddle")
            depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth == 0
    assert "</" not in stylesheet("light")


def test_names_stay_as_they_are_in_markdown():
    """No underscore or bracket is taken for a mark."""
    assert plain("a_b*c") == r"a\_b\*c"


def test_a_chapter_is_drawn_in_the_colours_of_the_page():
    """A chart has a key of its own page, no name of a colour is left in it."""

    def script():
        from heddle.presentation.dashboard.drawn import draw_section, dressed
        from heddle.presentation.report.charts import SERIES, bars, chart
        from heddle.presentation.report.lineage import lineage_section
        from heddle.presentation.report.markup import Section, el, folded, join
        from heddle.presentation.report.pipeline_graph import StageNode

        data, layout, _ = bars(["a"], [1.0], title="x", colours=[SERIES[0]])
        drawn = [chart(f"c{n}", "Bars", "so", data, layout) for n in range(3)]
        inside = folded("a_b", el("div", *drawn[1:], class_="pair"))
        dressed()
        draw_section(Section("Title", "anchor", join([drawn[0], inside])), "page")
        draw_section(lineage_section([StageNode("a", "", (), ("v1",))], {}), "page", heading=False)
        draw_section(None, "page")

    page = AppTest.from_function(script).run()
    assert not page.exception
    assert [one.value for one in page.subheader] == ["Title"]
    charts = page.get("plotly_chart")
    assert len(charts) == 3
    assert all("var(--" not in one.proto.spec for one in charts)
    assert page.expander[0].label == r"a\_b"
    assert len(page.get("image")) == 1
