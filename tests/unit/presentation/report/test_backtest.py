"""The chapter of the back-test, of documents that the stage's own functions made."""

import json
import re

import pytest

from heddle.domain.errors import IntegrityError
from heddle.presentation.report.backtest import backtest_section
from heddle.presentation.report.inputs import Inputs, read_inputs
from heddle.presentation.report.sections import sections
from heddle.presentation.report.wording import Wording

WORDS = Wording(metric="rmse", target="forward_return", scale="return", points=100)
EVIL = "</script><img src=x onerror=alert(1)>"


@pytest.fixture
def told(price_project):
    return read_inputs(price_project.context(reads=()))


@pytest.fixture
def section(told):
    return backtest_section(told, WORDS)


def test_the_verdict_comes_first_and_then_what_flatters(prices, section):
    """In the stage's own words: edge or not, what was seen, survivorship, how much was tried."""
    words = prices.plain(section)
    assert words.startswith("No edge On 120 sessions that no choice had seen the Sharpe ratio")
    assert 'class="verdict warn"' in section.html
    assert "(survivorship)" in words
    assert "16 sets of parameters were searched before" in words
    assert words.index("Read with care") < words.index("Wealth")


def test_it_says_how_it_was_walked_and_traded(prices, section):
    """Refits, the session after, the ladder and what a side costs."""
    words = prices.plain(section)
    assert "Every 40 sessions the model was fitted anew on all of its past, 8 times in all" in words
    assert "bought at the open of the next one and held for 5 sessions" in words
    assert "each signal with 1/5 of the capital" in words
    assert "Each side costs 1 bps and 2 bps of slippage" in words


def test_wealth_ends_where_the_document_says(prices, told, section):
    """Before and after costs, beside buy and hold; who never trades is not drawn."""
    drawn = {t["name"]: t["y"] for t in prices.spec(section, "backtest-wealth")["data"]}
    assert list(drawn) == [
        "model, net", "model, before costs", "buy and hold", "always up", "drift",
    ]  # fmt: skip
    rows = {row["strategy"]: row for row in told.backtest["strategies"]}
    for name, strategy, kind in (
        ("model, net", "model", "net"),
        ("model, before costs", "model", "gross"),
        ("buy and hold", "buy_and_hold", "net"),
    ):
        total = rows[strategy][kind]["total_return"]
        assert drawn[name][-1] == pytest.approx(1 + total, rel=1e-4)


def test_the_deepest_fall_is_drawn_however_few_points_there_are(prices, told, section):
    """Thinning must not make a strategy look safer."""
    drawn = {t["name"]: t["y"] for t in prices.spec(section, "backtest-drawdown")["data"]}
    row = next(r for r in told.backtest["strategies"] if r["strategy"] == "model")
    assert min(drawn["model, net"]) == pytest.approx(100 * row["net"]["max_drawdown"], rel=1e-4)
    assert len(drawn["model, net"]) <= WORDS.points + 1


def test_each_drawing_over_sessions_marks_where_unseen_ones_begin(prices, told, section):
    """A shade to the end and a rule at its beginning."""
    since = told.backtest["sessions"]["unseen_from"]
    for anchor in ("wealth", "drawdown", "sharpe", "position"):
        layout = prices.spec(section, f"backtest-{anchor}")["layout"]
        shade, rule = layout["shapes"]
        assert (shade["x0"], shade["x1"]) == (since, told.backtest["sessions"]["last"])
        assert rule["x0"] == rule["x1"] == since


def test_without_unseen_sessions_nothing_is_shaded(prices, told):
    """And there is one span of tables."""
    found = {**told.backtest, "unseen": None}
    found["sessions"] = {**found["sessions"], "unseen_from": None}
    section = backtest_section(Inputs(backtest=found, equity=told.equity), WORDS)
    assert "shapes" not in prices.spec(section, "backtest-wealth")["layout"]
    assert "Unseen sessions" not in prices.plain(section)


def test_without_a_back_test_there_is_no_chapter():
    """Other projects do not hear of it."""
    assert backtest_section(Inputs(), WORDS) is None


def test_without_the_course_there_are_tables(prices, told):
    """A sentence stands where the drawings would."""
    section = backtest_section(Inputs(backtest=told.backtest), WORDS)
    assert "There is no course of the strategies to draw." in prices.plain(section)
    assert "backtest-wealth" not in section.html


def test_the_chapters_of_a_price_project(told):
    """Those of returns are there, those of studies that nobody made are not."""
    made = [part.title for part in sections(told, WORDS)]
    assert made[2:8] == [
        "Leaderboard",
        "Tuning",
        "Selection",
        "Back-test",
        "Test rows",
        "Forecasts",
    ]
    assert "Imputation" not in made
    assert told.horizon == 5


def test_plotly_knows_every_word_and_names_stay_text(price_project):
    """On the whole page, with a strategy and a feature whose names are mark-up."""
    from plotly.graph_objects import Figure

    place = price_project.root / "models/backtest.json"
    text = place.read_text(encoding="utf-8").replace("return_lag_1", EVIL.replace('"', ""))
    place.write_text(text.replace('"always_up"', json.dumps(EVIL)), encoding="utf-8")
    page = price_project.run()
    assert "<img" not in page[page.index("<main>") : page.index("</main>")]
    specs = re.findall(r'<script type="application/json" id="[^"]+">(.*?)</script>', page)
    assert len(specs) > 10
    for found in specs:
        spec = json.loads(re.sub(r"var\(--[a-z0-9-]+\)", "#123456", found))
        assert len(Figure(spec).data) == len(spec["data"])
        assert spec["layout"]["xaxis"]["title"]["text"]


@pytest.mark.parametrize("name", ["equity", "trades"])
def test_a_table_that_is_none_is_refused(price_project, name):
    """With its name and what to do."""
    (price_project.root / f"models/{name}.parquet").write_bytes(b"PAR1")
    with pytest.raises(IntegrityError, match=rf"models/{name}\.parquet: cannot be read"):
        price_project.run()
