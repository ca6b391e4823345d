"""What is not markup is escaped, whatever it says."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from heddle.presentation.report.markup import Column, el, folded, join, lines, table, tiles


class Seen(HTMLParser):
    """What a browser would make of a text: tags with their attributes, and the words."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.words = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)


def parsed(text):
    seen = Seen()
    seen.feed(text)
    seen.close()
    return seen


NASTY = st.text(alphabet=st.sampled_from("<>&\"'/=!- abscript"), max_size=30)


@given(NASTY)
def test_any_text_comes_out_as_the_words_that_went_in(text):
    """As a child and as an attribute it adds no tag, and it is read back unchanged."""
    seen = parsed(el("p", text, title=text))
    assert seen.tags == [("p", {"title": text})]
    assert "".join(seen.words) == text


@given(NASTY)
def test_no_cell_caption_or_head_of_a_table_adds_a_tag(text):
    """Every place of a table, a list, a fold and a tile is escaped."""
    made = join(
        [
            table(text, [Column(text, hint=text), Column(text, number=True)], [[text, text]]),
            lines([text]),
            folded(text, text),
            tiles([(text, text, text)]),
        ]
    )
    known = {"div", "table", "caption", "thead", "tbody", "tr", "th", "td", "ul", "li", "details"}
    assert {tag for tag, _ in parsed(made).tags} <= known | {"summary", "dl", "dt", "dd"}


def test_markup_goes_in_as_it_is_and_nothing_as_nothing():
    """Elements nest; None and False leave no trace; true is an attribute without a value."""
    made = el("p", el("b", "a<b"), None, False, 0, hidden=True, title=None, class_="x")
    assert made == '<p hidden class="x"><b>a&lt;b</b>0</p>'


def test_a_row_of_another_length_is_refused():
    """A table never shifts its cells silently."""
    try:
        table("t", [Column("a"), Column("b")], [["1"]])
    except ValueError as fault:
        assert "zip()" in str(fault)  # noqa: PT017 - the message is Python's own
    else:
        raise AssertionError("a short row went through")
