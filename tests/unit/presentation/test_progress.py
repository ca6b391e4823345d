"""Bars on a terminal, lines in a log."""

from __future__ import annotations

import io

from rich.console import Console

from heddle.presentation.progress import (
    LoggedProgress,
    PlainProgress,
    TerminalProgress,
    progress_for,
)


def test_a_log_gets_lines_and_a_terminal_bars(capsys):
    """Notices are shown as they are, also when they look like markup."""
    assert isinstance(progress_for(Console(file=io.StringIO())), PlainProgress)
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80)
    shown = progress_for(console)
    assert isinstance(shown, TerminalProgress)
    with shown.task("outer", 2) as outer, shown.task("inner") as inner:
        outer.advance(1, "half")
        inner.advance()
    shown.notice("a [bold] guess")
    assert "a [bold] guess" in screen.getvalue()
    plain = PlainProgress()
    with plain.task("short", 1) as bar:
        bar.advance()
    plain.notice("a [bold] guess")
    assert capsys.readouterr().err == "  note: a [bold] guess\n"


def test_what_is_shown_is_logged_too(caplog, capsys):
    """Notices as they are shown, and the seconds of each task."""
    caplog.set_level("INFO", "heddle")
    shown = LoggedProgress(PlainProgress())
    with shown.task("short", 1) as bar:
        bar.advance()
    shown.notice("a guess: 100 %")
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
        *(("INFO", "part"), ("WARNING", "a guess: 100 %"))
    ]
    assert caplog.records[0].facts["name"] == "short"
    assert capsys.readouterr().err == "  note: a guess: 100 %\n"


def test_the_time_left_is_told_only_where_steps_cost_the_same():
    """Side by side: one bar tells it, the other does not; steps and time gone stand in both."""
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    shown = TerminalProgress(console)
    with shown.task("rows", 4) as rows, shown.task("candidates", 3, even=False) as candidates:
        rows.advance(2, "half")
        candidates.advance(0, "ridge 0/5")
        candidates.advance(1)
        paper = Console(file=io.StringIO(), width=120)
        paper.print(shown._bars.get_renderable())
    even, uneven = paper.file.getvalue().splitlines()
    assert " ".join(even.split()[-5:]) == "2/4 0:00:00 left -:--:-- half"
    assert " ".join(uneven.split()[-4:]) == "1/3 0:00:00 ridge 0/5"
