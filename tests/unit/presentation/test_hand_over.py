"""Signals to a stage."""

from __future__ import annotations

import subprocess
import sys

_BOTH_AT_ONCE = """
import signal
from heddle.presentation.hand_over import interrupt_once
interrupt_once()
both = {signal.SIGINT, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, both)
for number in both:
    signal.raise_signal(number)
try:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, both)
except KeyboardInterrupt:
    print("once")
"""


def test_two_signals_at_once_interrupt_once_and_nothing_is_said():
    """A terminal sends SIGINT while the run sends SIGTERM: one interrupt, no words of Python's."""
    done = subprocess.run(
        [sys.executable, "-c", _BOTH_AT_ONCE], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("once\n", "")
