"""What a command costs that has nothing to do, beside an empty Python and DVC, in one run."""

from __future__ import annotations

import sys

from workplace import fresh_project, median_seconds, run, show

_SMALL = ("ingestion.rows=2000", "model_candidates=quick")


def main() -> None:
    with fresh_project() as project:
        run(project, "heddle", "run", *_SMALL)
        commands = {
            "python -c pass": ((sys.executable, "-c", "pass"), None),
            "dvc status": (("dvc", "status"), None),
            "heddle --help": (("heddle", "--help"), 0.4),
            "heddle status": (("heddle", "status", *_SMALL), 1.5),
            "heddle run (nothing to do)": (("heddle", "run", *_SMALL), 3.0),
            "heddle rollback --help": (("heddle", "rollback", "--help"), None),
        }
        found = {name: median_seconds(project, *words) for name, (words, _) in commands.items()}
        python, dvc = found["python -c pass"], found["dvc status"]
        rows = [
            (
                name,
                f"{seconds:.3f}",
                f"{seconds / python:.1f}",
                f"{seconds / dvc:.2f}",
                f"<= {bar} s: {'met' if seconds <= bar else 'MISSED'}" if bar else "",
            )
            for (name, (_, bar)), seconds in zip(commands.items(), found.values(), strict=True)
        ]
        head = ("command", "median s", "x python", "x dvc status", "target")
        show("Commands with nothing to do", head, rows)


if __name__ == "__main__":
    main()
