"""Run one step by hand; see `--help`."""

import sys
from pathlib import Path

from heddle.presentation.universal_step import main

if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[1], sys.argv[1:]))
