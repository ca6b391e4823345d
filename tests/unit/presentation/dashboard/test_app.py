"""The menu of the pages."""

from streamlit.testing.v1 import AppTest

from heddle.domain.errors import ConfigError
from heddle.presentation.dashboard import app
from heddle.presentation.dashboard.theme import palette


def test_every_page_keeps_the_contract(place):
    """A title, an icon, whether it applies, what it shows."""
    for page in app.pages_of(place):
        assert page.TITLE
        assert page.ICON.startswith(":material/")
        assert page.applies(place) is True
        assert callable(page.show)


def test_a_project_without_anything_has_a_page_that_says_what_to_run(tmp_path):
    """The first page, whatever it needs."""
    shown = opened(tmp_path)
    assert not shown.exception
    assert shown.title[0].value == "Predict"
    assert "There is no model to ask" in shown.info[0].value


def test_a_fault_of_ours_is_told_in_its_own_words(place, monkeypatch):
    """Below the heading, without a trace."""
    (first, *_) = app.pages_of(place)

    def faulty(_):
        raise ConfigError("the disk is gone", todo="Look for it.")

    monkeypatch.setattr(first, "show", faulty)
    shown = opened(place.root)
    assert not shown.exception
    assert shown.error[0].value == "the disk is gone. Look for it."


def opened(root, page="predict"):
    """Return what the app shows of a project."""

    def script(root):
        from heddle.presentation.dashboard.app import main

        main(root)

    return AppTest.from_function(script, kwargs={"root": str(root)}, default_timeout=30).run()


def test_pages_are_named_once():
    """An address means one page."""
    assert len(set(app.PAGES)) == len(app.PAGES)


def test_the_part_that_is_shown_stands_out_in_the_shade_of_the_page(place):
    """By the colour of links, which is light on a dark page and dark on a light one."""
    page = opened(place.root)
    (style,) = [one.proto.body for one in page.get("html") if "aria-selected" in one.proto.body]
    assert f"color:{palette('light')['accent']}" in style
