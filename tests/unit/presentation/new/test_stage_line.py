"""One more stage, every other byte as it was."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError
from heddle.pipeline.yaml_text import load
from heddle.presentation.new.stage_line import stage_line, with_stage

NEW = {"step": "lag", "reads": "v1", "writes": "v2"}
LINE = "v2_lag: {step: lag, reads: v1, writes: v2}"

# a stage called {}, as people write them
STYLES = (
    "{}: {{step: a, writes: v0}}  # on its line",
    "{}:\n  step: a\n  writes: [v0, models/x]   # and why",
    "{}:\n  writes:\n    - v0\n    - v1\n  step: a",
    "{}:\n  step: a\n  desc: |\n    Two lines\n    of text.\n  writes: v0",
    "{}:\n  writes: v0\n  step: a\n  desc: >\n    Folded,\n    at the end.",
    '{}:\n  {{step: a,\n   writes: "v0"}}',
    "{}:\n- a\n- b",
    "{}:",
)
STAGES = st.lists(
    st.tuples(st.sampled_from(STYLES), st.sampled_from(["", "\n", "# about the next\n"])),
    min_size=1,
    max_size=5,
)


def pipeline(stages: list[tuple[str, str]], indent: int, end: str, tail: str) -> str:
    body = "".join(style.format(f"s{i}") + "\n" + gap for i, (style, gap) in enumerate(stages))
    lines = "".join(" " * indent + line for line in body.splitlines(keepends=True))
    text = f"# Each stage once.\nstages:\n{lines}{tail}"
    return text.removesuffix("\n").replace("\n", end) + (end if tail else "")


@given(
    STAGES,
    st.integers(1, 4),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "# the end\n", "other: {keep: me}\n"]),
    st.data(),
)
def test_a_line_is_added_and_nothing_else_changes(stages, indent, end, tail, data):
    """Wherever the stage stands and however the file is written; taken out, the old bytes stay."""
    text = pipeline(stages, indent, end, tail)
    after = data.draw(st.sampled_from([f"s{i}" for i in range(len(stages))]))
    assume(not text.endswith("at the end."))  # the next test

    made = with_stage(text, "v2_lag", NEW, after=after, where="base.yaml")

    assert load(made) == {**load(text), "stages": {**load(text)["stages"], "v2_lag": NEW}}
    assert made.replace(f"{' ' * indent}{LINE}{end}", "") in {text, text + end}
    assert made.count(LINE) == 1


def test_it_stands_below_the_stage_that_it_reads():
    """A trailing comment stays with its stage, a comment above the next one with that."""
    text = "stages:\n  a: {writes: v1}  # raw\n\n  # later\n  b:\n    writes: split\n"
    made = with_stage(text, "v2_lag", NEW, after="a", where="")
    assert made == text.replace("# raw\n", f"# raw\n  {LINE}\n")
    last = with_stage(text, "v2_lag", NEW, after="in another file", where="")
    assert last == text + f"  {LINE}\n"


def test_stages_in_braces_take_it_too():
    """On the same line, or over several."""
    text = "stages: {a: {step: x, writes: v1}, b: {step: y, writes: v5}}  # short\n"
    made = with_stage(text, "v2_lag", NEW, after="a", where="")
    assert made == text.replace("v1}", f"v1}}, {LINE}")


@pytest.mark.parametrize("text", ["", "stages:\n", "stages: {}\n", "other: 1\n", "- a\n"])
def test_a_file_without_stages_is_refused(text):
    """With the line to write."""
    with pytest.raises(ConfigError) as told:
        with_stage(text, "v2_lag", NEW, after="a", where="configs/pipeline/x.yaml")
    assert str(told.value) == (
        f"configs/pipeline/x.yaml: declares no stages. Add to its stages by hand: {LINE}"
    )


def test_a_file_that_would_say_something_else_is_refused():
    """A block of text at the end of a file would get the newline that the line needs."""
    text = "stages:\n  a:\n    step: x\n    desc: |\n      no newline here"
    with pytest.raises(ConfigError, match=r"cannot take a line more as it is written\. Add to"):
        with_stage(text, "v2_lag", NEW, after="a", where="base.yaml")


def test_names_that_yaml_takes_for_something_else_are_quoted():
    """`on` and `1e3` are texts here."""
    assert stage_line("v2_on", {"reads": "1e3"}) == "v2_on: {reads: '1e3'}"
