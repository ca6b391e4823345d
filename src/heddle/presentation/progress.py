"""Progress bars and notices on a terminal; plain lines where there is none."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from heddle.domain.ports import Progress, ProgressTask

__all__ = ["LoggedProgress", "PlainProgress", "TerminalProgress", "progress_for"]

_LOG = logging.getLogger(__name__)


def progress_for(console: Console) -> TerminalProgress | PlainProgress:
    """Return bars for a terminal, lines for a log file."""
    return TerminalProgress(console) if console.is_terminal else PlainProgress()


class LoggedProgress:
    """Another progress, of which the log gets the notices and the seconds of each task."""

    def __init__(self, shown: Progress) -> None:
        self._shown = shown

    @contextmanager
    def task(
        self, title: str, total: float | None = None, *, even: bool = True
    ) -> Iterator[ProgressTask]:
        start = time.perf_counter()
        with self._shown.task(title, total, even=even) as bar:
            yield bar
        seconds = round(time.perf_counter() - start, 3)
        _LOG.info("part", extra={"facts": {"name": title, "seconds": seconds}})

    def notice(self, text: str) -> None:
        _LOG.warning(text)
        self._shown.notice(text)


class TerminalProgress:
    """Bars drawn by rich: steps done, time gone, time left if it can be told, a word beside."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars: Any = None
        self._open = 0

    @contextmanager
    def task(self, title: str, total: float | None = None, *, even: bool = True) -> Iterator[_Bar]:
        if self._bars is None:
            self._bars = _bars(self._console)
            self._bars.start()
        self._open += 1
        number = self._bars.add_task(title, total=total, note="", even=even)
        try:
            yield _Bar(self._bars, number)
        finally:
            self._bars.remove_task(number)
            self._open -= 1
            if not self._open:
                self._bars.stop()
                self._bars = None

    def notice(self, text: str) -> None:
        self._console.print(f"  [yellow]note[/] {_escaped(text)}", highlight=False)


def _bars(console: Console) -> Any:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class TimeLeft(ProgressColumn):
        """The time left, where it can be told from the steps done."""

        remaining = TimeRemainingColumn()

        def render(self, task: Any) -> Text:
            left = Text("left ").append(self.remaining.render(task))
            return left if task.fields["even"] else Text()

    return Progress(
        TextColumn("  {task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeLeft(),
        TextColumn("[dim]{task.fields[note]}"),
        console=console,
        transient=True,
    )


class _Bar:
    def __init__(self, bars: Any, number: int) -> None:
        self._bars, self._number = bars, number

    def advance(self, steps: float = 1, note: str = "") -> None:
        self._bars.update(self._number, advance=steps, **({"note": note} if note else {}))


class PlainProgress:
    """One line when something longer than two seconds ends, and notices: fit for a log."""

    @contextmanager
    def task(
        self, title: str, total: float | None = None, *, even: bool = True
    ) -> Iterator[PlainProgress]:
        del total, even
        start = time.monotonic()
        yield self
        seconds = time.monotonic() - start
        if seconds > 2:
            print(f"  {title}: {seconds:.0f} s", file=sys.stderr, flush=True)

    def advance(self, steps: float = 1, note: str = "") -> None:
        """Do nothing: a log has no bar."""

    def notice(self, text: str) -> None:
        print(f"  note: {text}", file=sys.stderr, flush=True)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
