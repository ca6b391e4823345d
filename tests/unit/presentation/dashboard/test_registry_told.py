"""Registered models as rows of tables."""

from heddle.domain.entities import ModelVersion
from heddle.presentation.dashboard.registry_told import (
    links_table,
    lowered,
    model_rows,
    tag_rows,
    version_words,
    ways_back,
)
from heddle.presentation.data_links import Link


def version(number, aliases=(), **tags):
    return ModelVersion(
        name="flat", number=number, aliases=tuple(aliases), tags=tags, description="",
        run_id="0123456789", uri="", registered_at="2026-01-02T03:04:05+00:00",
    )  # fmt: skip


def test_the_primary_metric_comes_first_and_figures_are_numbers():
    """What is no number stays empty."""
    told = [
        version(2, ["staging"], primary_metric="wmape", wmape="12.5", r2="0.9", algorithm="ridge"),
        version(1, primary_metric="wmape", wmape="?", r2="nan"),
    ]
    first, second = model_rows(told)
    assert list(first)[3:5] == ["wmape", "r2"]
    assert (first["wmape"], first["Aliases"], first["Run"]) == (12.5, "staging", "01234567")
    assert (second["wmape"], second["r2"], second["Algorithm"]) == (None, None, "")
    assert first["Registered"] == "2026-01-02 03:04"
    assert version_words(told[0]) == "version 2 · staging"


def test_only_an_alias_with_a_past_can_be_pointed_back():
    """To the version that it meant last."""
    told = [
        version(3, ["production"], history_production="2 1"),
        version(4, ["staging"], history_production="3"),
    ]
    assert ways_back(told) == {"production": [2, 1]}


def test_links_tags_and_headings_are_told_in_a_row_each():
    """Of a long name the end is shown; an empty tag is left out."""
    far = f"/{'a' * 60}/v1"
    html = links_table([Link(kind="data", name=far, state="changed", says="other <rows>")])
    assert 'class="tone warn">changed</span>' in html
    assert "other &lt;rows&gt;" in html
    assert f'title="{far}">…aaa' in html
    assert tag_rows(version(1, a="x", b="")) == [{"Tag": "a", "Value": "x"}]
    assert lowered("# a\ntext # b\n## c") == "#### a\ntext # b\n##### c"
