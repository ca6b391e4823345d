"""Colours of pages."""

from streamlit import config

from heddle.presentation.dashboard.theme import coloured, options, palette


def test_streamlit_knows_every_option():
    """A name that it does not know would be ignored, or end it."""
    assert set(options()) <= set(config.get_config_options())


def test_dark_pages_have_every_colour_of_light_ones():
    """A chart names a colour without knowing the page."""
    assert set(palette("light")) == set(palette("dark"))
    assert palette("light")["paper"] != palette("dark")["paper"]


def test_names_of_colours_become_colours_wherever_they_stand():
    """Lists, mappings, parts of a text; numbers stay."""
    told = coloured({"a": ["var(--ink)", 1], "b": {"c": "1px solid var(--line)"}}, "light")
    assert told == {"a": ["#1f2328", 1], "b": {"c": "1px solid #dcd9d2"}}
