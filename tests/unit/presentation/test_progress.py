"""Bars on a terminal, lines in a log."""

from __future__ import annotations

import io

from rich.console import Console

from heddle.presentation.progress import PlainProgress, TerminalProgress, progress_for


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
