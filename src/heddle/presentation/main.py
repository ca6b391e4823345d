"""The command `heddle`: the stage process first, which loads nothing else; then the commands."""

from __future__ import annotations

import gc
import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and end the process with its exit code."""
    if sys.argv[1:2] == ["stage"]:
        if "HEDDLE_WORKER" in os.environ and len(sys.argv) == 3:
            from heddle.presentation.hand_over import hand_over

            code = hand_over(sys.argv[2], os.environ.pop("HEDDLE_WORKER"))
            if code is not None:
                sys.exit(code)
        from heddle.presentation.stage import main as stage

        sys.exit(stage(sys.argv[2:]))
    if sys.argv[1:2] == ["reproduce-one"]:
        from heddle.presentation.parallel import reproduce_one

        sys.exit(reproduce_one(sys.argv[2:]))
    if sys.argv[1:2] == ["worker"]:
        from heddle.presentation.worker import serve

        sys.exit(serve(sys.argv[2:]))
    if sys.argv[1:2] == ["serve"]:
        gc.disable()  # what is loaded stays: looking through it is a sixth of the start
    from heddle.presentation.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
