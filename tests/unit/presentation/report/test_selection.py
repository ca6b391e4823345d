"""Whether there is an edge cannot be overlooked, and what speaks for it stands beside."""

from heddle.presentation.report.inputs import Inputs
from heddle.presentation.report.selection import selection_section, verdict
from heddle.presentation.report.summary import summary_section
from heddle.presentation.report.wording import Wording

WORDS = Wording(metric="rmse", target="forward_return", scale="return")


def test_without_an_edge_the_chapter_begins_with_it(prices):
    """The words, the reasons, and the figures of winner and baseline."""
    found = prices.selection()
    assert not found["edge"]
    section = selection_section(found, WORDS)
    words = prices.plain(section)
    assert words.startswith("No edge ridge came first of the candidates, but nothing shows")
    assert "by more than chance. Acting on its forecasts costs fees for nothing." in words
    assert "What speaks against an edge it does not beat the baseline" in words
    assert 'class="verdict warn"' in section.html
    assert "16 sets of parameters were tried in all." in words
    assert "directions earn beyond those of always up is more than luck" in words
    assert "corrected for the search among 2 candidates" in words
    assert "the winner, were chosen on these same rows, which flatters them" in words
    assert "the best of 2 candidates without any worth looks as good" in words
    assert "The 16 trials of parameters are made up for in the deflated Sharpe ratio" in words
    assert "Outcomes of 5 sessions overlap" in words


def test_with_an_edge_it_says_over_whom(prices):
    """In green, with no reasons against it."""
    section = selection_section(prices.selection(edge=True), WORDS)
    words = prices.plain(section)
    assert words.startswith("An edge over drift ridge is better than the best baseline, drift")
    assert "What speaks against" not in words
    assert 'class="verdict good"' in section.html


def test_the_table_has_every_candidate_with_its_base_rate(prices):
    """The winner stands out; the baseline that all are held against has no p-value."""
    found = prices.selection()
    section = selection_section(found, WORDS)
    assert section.html.count("<tr") == 5
    assert '<tr class="strong"><th scope="row">ridge' in section.html
    words = prices.plain(section)
    assert "of the moves were rises, where always saying up is right." in words
    against = words[words.index("Trials") :].split(f"{found['against']} baseline")[1]
    assert against.split()[3:5] == ["%", "\N{EN DASH}"]


def test_skill_is_drawn_around_nought(prices):
    """The baseline it is held against stands at 0."""
    found = prices.selection()
    bar = prices.spec(selection_section(found, WORDS), "selection-skill")["data"][0]
    at = bar["y"].index(f"{found['against']} (baseline)")
    assert bar["x"][at] == 0
    assert len(bar["y"]) == 4


def test_without_a_selection_there_is_no_chapter():
    """Other projects do not hear of it."""
    assert selection_section(None, WORDS) is None


def test_the_summary_says_it_too(prices):
    """Whoever reads only the first chapter has to see it."""
    told = Inputs(selection=prices.selection(), leaderboard=prices.leaderboard())
    assert "No edge ridge came first" in prices.plain(summary_section(told, WORDS))


def test_a_document_with_little_in_it_is_told_as_far_as_it_goes():
    """No figures, no dashes in their place."""
    html = verdict({"winner": "a", "against": "b", "edge": False}, WORDS)
    assert "p-value" not in html
    assert "No edge" in html
