"""The monitoring page: words first, nothing injected, charts only of what is an alarm."""

from heddle.presentation.report.monitoring import monitoring_page

COLUMN = {
    "column": "<b>size",
    "kind": "number",
    "data_version": "v0",
    "stage": "fetch",
    "psi": 6.8,
    "distance": 2.16,
    "p_value": 1e-9,
    "missing": [0.0, 0.1],
    "unseen": 0.98,
    "alarms": ["distribution"],
    "histogram": {
        "edges": [0.0, 1.0, 2.0],
        "reference": [0.5, 0.5],
        "current": [0.9, 0.0],
        "missing": [0.0, 0.1],
    },
}
CALM = {**COLUMN, "column": "age", "alarms": [], "p_value": 0.5, "distance": None}
CALM.pop("histogram")
TOLD = {
    "model": "price/3",
    "model_digest": "ab" * 32,
    "source": "requests",
    "rows": 1000,
    "reference_rows": 10_000,
    "outcomes": 0,
    "alarms": [{"words": "<b>size (v0 of stage fetch): median 5 -> 50"}],
    "columns": [CALM, COLUMN],
    "checks": [{"name": "error", "state": "unknown", "words": "0 outcomes are known"}],
    "notes": ["column 'name' is redacted"],
    "limits": {"psi": 0.2},
}


def test_the_page_says_what_is_wrong_and_where():
    """Alarms in words, the column's row and chart; the names of others cannot be mark-up."""
    page = monitoring_page(TOLD, project="flats")
    text = page[: page.index("</main>")]
    assert "&lt;b&gt;size (v0 of stage fetch): median 5 -&gt; 50" in text
    assert "<b>size" not in text
    assert "v0 · fetch" in text
    assert "&lt; 0.001" in text
    assert text.count('class="figure-block"') == 1
    assert "column &#x27;name&#x27; is redacted" in text
    assert "1,000 rows beside 10,000 rows of training; 0 outcomes known." in text


def test_a_report_of_sessions_has_checks_and_no_columns():
    """With a value and a limit each; alarms are the names of checks."""
    check = {"name": "rmse", "state": "alarm", "value": 0.05, "limit": 0.03, "words": "2.1 times"}
    told = {
        "model": "share/1",
        "model_digest": "",
        "at": "2026-05-01",
        "predictions": 106,
        "checks": [check],
        "alarms": ["rmse"],
        "limits": {},
    }
    page = monitoring_page(told, project="shares")
    assert "106 predictions · looked at 2026-05-01" in page
    assert "rmse: 2.1 times" in page
    assert 'id="columns"' not in page
