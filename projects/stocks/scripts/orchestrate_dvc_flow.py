"""The pipeline as a Prefect flow, one task a stage: `heddle flow` from this project's folder."""

import sys
from pathlib import Path

from heddle.presentation.cli import run

if __name__ == "__main__":
    sys.exit(run(["flow", "-C", str(Path(__file__).resolve().parents[1]), *sys.argv[1:]]))
