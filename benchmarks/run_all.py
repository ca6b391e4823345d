"""Every benchmark, one after the other; or those that are named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FILES = {path.stem.removeprefix("bench_"): path for path in HERE.glob("bench_*.py")}
FILES["serving"] = HERE / "serving.py"
NAMES = sorted(FILES)


def main() -> None:
    wanted = sys.argv[1:] or NAMES
    if unknown := [name for name in wanted if name not in NAMES]:
        raise SystemExit(f"no benchmark {unknown[0]!r}; there are {', '.join(NAMES)}")
    for name in wanted:
        subprocess.run([sys.executable, str(FILES[name])], check=True)


if __name__ == "__main__":
    main()
