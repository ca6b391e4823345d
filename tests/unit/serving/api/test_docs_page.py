"""The page that describes the API: whole without a network, and of use."""

import re
from base64 import b64encode
from hashlib import sha256

import pytest
from tests.asking import ask, limited
from tests.browser import chromium

from heddle.serving.api.app import make_app
from heddle.serving.api.listening import listen
from heddle.serving.api.server import served_aside


def test_the_page_names_no_other_place(app):
    """No address outside: styles and script are in it."""
    page = ask(app, "GET", "/docs").text
    assert "//" not in re.sub(r"(?m)^// .*$", "", page)
    assert re.findall(r'(?:src|href)="([^"]+)"', page) == [
        *("data:,", "#ask", "openapi.json", "openapi.json")
    ]


def test_nothing_runs_that_is_not_the_pages_own(app):
    """The browser is told the hashes of style and script, and to ask nobody else."""
    answer = ask(app, "GET", "/docs")
    policy = answer.headers["content-security-policy"]
    for tag, kind in (("style", "style-src"), ("script", "script-src")):
        (inside,) = re.findall(f"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL)
        assert f"{kind} 'sha256-{b64encode(sha256(inside.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "connect-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_every_part_that_the_script_fills_is_there(app):
    """Its ids, each once; every field has a label."""
    page = ask(app, "GET", "/docs").text
    ids = re.findall(r' id="([\w-]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'at\("([\w-]+)"\)', page)) <= set(ids)
    assert {"body", "key"} <= set(re.findall(r'<label for="(\w+)"', page))


def test_the_page_is_closed_with_the_description(live):
    """`--no-docs` leaves neither."""
    assert ask(limited(live, docs=False), "GET", "/docs").status_code == 404


def test_a_row_is_asked_with_the_keyboard(live):
    """Example, answer, a fault beside its field; the browser asks nobody but the server."""
    playwright = pytest.importorskip("playwright.sync_api")
    door = listen("127.0.0.1", 0)
    url = "http://{}:{}".format(*door.getsockname())
    faults, asked = [], []
    with served_aside(make_app(live), door), playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on("request", lambda one: asked.append(one.url))
        page.goto(f"{url}/docs")
        page.wait_for_selector("#columns tr")
        assert page.inner_text("#model").startswith("price/1, ridge, from the registry, wmape 12")
        page.click("#switch")
        assert (page.is_visible("#body"), page.is_visible("#x-size")) == (True, False)
        page.click("#switch")
        assert (page.is_visible("#body"), page.is_visible("#x-size")) == (False, True)
        page.focus("#x-size")
        page.keyboard.press("Enter")
        page.wait_for_selector(".big")
        first = page.inner_text(".big")
        page.fill("#x-size", "5000")
        page.keyboard.press("Enter")
        page.wait_for_selector(".fault")
        assert page.inner_text(".fault li") == "instances[0].size is above 1000"
        assert page.evaluate("document.activeElement.id") == "x-size"
        page.fill("#x-size", "500")
        page.focus("#x-shore")
        page.keyboard.type("is")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector(".flag")
        assert page.inner_text(".big") != first
        assert page.inner_text(".flag >> nth=1") == "unknown_category:shore"
        browser.close()
    assert faults == []
    assert {one.rpartition("/")[0].partition("/api")[0] for one in asked} == {url}
