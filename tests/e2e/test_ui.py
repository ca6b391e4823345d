"""The pages of a project that has run, in a browser."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from tests.browser import NARROW, WIDE, Pages, browser, opened, settled

from heddle.presentation.dashboard.app import pages_of
from heddle.presentation.dashboard.asking import ask
from heddle.presentation.dashboard.place import Place


@pytest.fixture(scope="module")
def place(finished_clone: Path) -> Place:
    """The housing project."""
    return Place(finished_clone / "projects" / "housing")


@pytest.fixture(scope="module")
def pages(place: Place):
    """One server and one browser for all tests here."""
    with browser() as made, opened(place.root) as url:
        yield Pages(made, url)


def test_every_page_opens_and_fits_a_telephone(pages: Pages, place: Place) -> None:
    """Without a fault, an error of the console or a request elsewhere."""
    shown = pages_of(place)
    assert {"Predict", "Batch", "Leaderboard", "Registry"} <= {page.TITLE for page in shown}
    with pages.open("") as page:
        for one in shown:
            page.get_by_test_id("stSidebarNavLink").filter(has_text=one.TITLE).click()
            page.get_by_role("heading", level=1, name=one.TITLE, exact=True).wait_for()
            settled(page)
            page.set_viewport_size(NARROW)
            assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
            page.set_viewport_size(WIDE)


def test_a_prediction_in_the_form_is_the_api_s_answer(pages: Pages, place: Place) -> None:
    """What is typed is what is asked, and what is shown is what was answered."""
    with pages.open("predict", scheme="dark") as page:
        field = page.get_by_label("median_income", exact=True)
        field.fill("5.25")
        field.press("Tab")
        page.get_by_role("button", name="Predict", exact=False).last.click()
        page.get_by_test_id("stMetric").wait_for()
        settled(page)
        page.get_by_role("tab", name="The answer as JSON").click()
        shown = json.loads(page.locator("code.language-json").inner_text())
        page.get_by_role("tab", name="The same from a shell").click()
        line = page.locator("code.language-bash").last.inner_text()
    row = json.loads(re.search(r"-d '(.*)'", line, re.DOTALL)[1])["instances"][0]
    assert row["median_income"] == 5.25
    (said,) = shown["predictions"]
    with ThreadPoolExecutor(1) as aside:  # this thread has the browser's event loop
        asked = aside.submit(ask, place, row).result()
    assert said | {"id": ""} == asked.told | {"id": ""}
    assert place.requests.find(said["id"]) is not None


def test_a_file_is_given_and_its_predictions_are_taken_away(
    pages: Pages, place: Place, tmp_path: Path
) -> None:
    """Bad rows are listed, and can be taken, too."""
    manifest = place.manifest
    rows = place.reference(place.model.digest).select(list(manifest.columns)).head(30)
    rows = rows.with_columns(
        total_rooms=pl.when(pl.row_index() < 2).then(-1.0).otherwise(pl.col("total_rooms"))
    )
    rows.write_csv(tmp_path / "rows.csv")
    with pages.open("batch") as page:
        page.locator("input[type=file]").set_input_files(tmp_path / "rows.csv")
        page.get_by_role("button", name="Predict the file").click()
        page.get_by_text("Rows left out", exact=True).wait_for()
        for words, name in (("predictions", "good.csv"), ("rows left out", "bad.csv")):
            with page.expect_download() as coming:
                page.get_by_role("button", name=f"Take the {words}").click()
            coming.value.save_as(tmp_path / name)
    good = pl.read_csv(tmp_path / "good.csv")
    said = place.model.predict(rows[2:])
    assert good["prediction"].to_list() == pytest.approx(said.tolist(), rel=1e-9)
    assert pl.read_csv(tmp_path / "bad.csv")["column"].to_list() == ["total_rooms"] * 2
