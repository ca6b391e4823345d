"""What one data stage costs by itself: its process, reading, writing, describing, hashing."""

from __future__ import annotations

import sys

from workplace import HOUSING_CSV, fresh_project, median_seconds, run, show


def main() -> None:
    source = ["ingestion.rows=20640"]
    if HOUSING_CSV.exists():
        source = ["ingestion=file", f"ingestion.path={HOUSING_CSV}"]
    with fresh_project() as project:
        run(project, "heddle", "run", "split", *source)
        commands = {
            "python -c pass": (sys.executable, "-c", "pass"),
            "python -c 'import polars, narwhals'": (sys.executable, "-c", "import polars,narwhals"),
            "heddle stage v0_ingest": ("heddle", "stage", "v0_ingest"),
            "heddle stage v1_ratios": ("heddle", "stage", "v1_ratios"),
            "heddle stage split": ("heddle", "stage", "split"),
        }
        found = {name: median_seconds(project, *words) for name, words in commands.items()}
        libraries = found["python -c 'import polars, narwhals'"]
        rows = [
            (
                name,
                f"{seconds:.3f}",
                f"{seconds / libraries:.1f}",
                f"<= 1 s: {'met' if seconds <= 1 else 'MISSED'}" if "stage" in name else "",
            )
            for name, seconds in found.items()
        ]
        head = ("process", "median s", "x importing the libraries", "target")
        show("One data stage of 20,640 rows", head, rows)


if __name__ == "__main__":
    main()
