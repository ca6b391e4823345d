"""Two fresh runs with the same configuration: are data, trials, predictions and model equal?"""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path

from workplace import HOUSING_CSV, fresh_project, run, show

_COMPARED = (
    *("data/*/*.parquet", "data/*/*_metadata.json", "models/*.json", "models/*.yaml"),
    *("models/*.parquet", "models/model/*"),
)
_OF_THE_REGISTRY = {"models/model_config.yaml"}  # holds the run's id


def main() -> None:
    source = ["ingestion.rows=2000", "model_candidates=quick"]
    if "--real" in sys.argv and HOUSING_CSV.exists():
        source = ["ingestion=file", f"ingestion.path={HOUSING_CSV}"]
    first, second = _hashes(source), _hashes(source)
    rows = [
        (name, digest[:12], "equal" if second.get(name) == digest else "DIFFERS")
        for name, digest in first.items()
    ]
    show("Two fresh runs", ("file", "sha256", "in the second run"), rows)


def _hashes(source: list[str]) -> dict[str, str]:
    with fresh_project() as project:
        if code := run(project, "heddle", "run", *source).code:
            raise SystemExit(code)
        files = [p for pattern in _COMPARED for p in sorted(project.glob(pattern))]
        named = {_name(project, p): sha256(p.read_bytes()).hexdigest() for p in files}
        return {name: digest for name, digest in named.items() if name not in _OF_THE_REGISTRY}


def _name(project: Path, path: Path) -> str:
    return path.relative_to(project).as_posix()


if __name__ == "__main__":
    main()
