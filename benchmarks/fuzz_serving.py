"""Requests made from the API's own description, to the app of a trained model: are all judged well?

usage: fuzz_serving.py [MODEL] [EXAMPLES]     (projects/housing/models/model, 2000 per seed)

MODEL is the folder of a saved model, such as `make run` leaves. Seeds 1 to 5, the last one behind
keys; schemathesis makes valid and invalid requests and checks each answer against the description:
status, type, body, headers. Asked in this process, without a socket. Ends with 1 on any fault.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from workplace import ROOT, show

sys.path.insert(0, str(ROOT))

from tests.fuzzing import ACCEPTED, REFUSED, Told, fuzz

from heddle.serving.address import Address
from heddle.serving.api.app import make_app
from heddle.serving.api.keys import new_key
from heddle.serving.api.settings import Settings
from heddle.serving.cascade import Cascade
from heddle.serving.live import Live

SEEDS, EXAMPLES, LEAST = (1, 2, 3, 4, 5), 2_000, 10_000


def main() -> None:
    model = Path(sys.argv[1]) if sys.argv[1:] else ROOT / "projects" / "housing" / "models/model"
    examples = int(sys.argv[2]) if sys.argv[2:] else EXAMPLES
    if not (model / "manifest.json").is_file():
        raise SystemExit(f"no model in {model}: run `make run` first, or name another folder")
    live = Live(Cascade(None), Address(folder=model.resolve()))
    live.load()
    whole, said, table = Told(), [], []
    for seed in SEEDS:
        start = time.perf_counter()
        one = asked(live, seed, examples, said)
        table.append((seed, *line(one), f"{time.perf_counter() - start:.0f}"))
        for mine, added in ((whole.statuses, one.statuses), (whole.modes, one.modes)):
            mine.update(added)
        whole.checks.update(one.checks)
        for check, words in one.faults.items():
            whole.faults.setdefault(check, []).extend(words)
    table.append(("all", *line(whole), ""))
    head = ("seed", "cases", "2xx", "4xx", "5xx", "meant valid", "meant invalid")
    head += ("invalid accepted", "valid refused", "other faults", "seconds")
    show(f"{sum(whole.statuses.values()):,} requests from the API's description", head, table)
    print("checks:", ", ".join(f"{name} {count:,}" for name, count in sorted(whole.checks.items())))
    for words in [*(f"{c}: {w}" for c, told in whole.faults.items() for w in told[:5]), *said[:5]]:
        print(words)
    cases = sum(whole.statuses.values())
    if whole.faults or said or (examples >= EXAMPLES and cases < LEAST):
        raise SystemExit(1)


def asked(live: Live, seed: int, examples: int, said: list[str]) -> Told:
    """Return what became of one seed's requests; the last seed's are asked behind keys."""
    if seed != SEEDS[-1]:
        return fuzz(make_app(live, notice=said.append), seed=seed, examples=examples)
    key, words = new_key("fuzz")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "keys"
        path.write_text(f"{words} rate=100000 burst=100000\n")
        app = make_app(live, Settings(keys=path), notice=said.append)
        return fuzz(app, seed=seed, examples=examples, key=key)


def line(told: Told) -> tuple[str, ...]:
    """Return cases, answers by class, what the requests were meant to be, and the faults."""
    classes = [sum(n for s, n in told.statuses.items() if s // 100 == c) for c in (2, 4, 5)]
    judged = [told.of(ACCEPTED), told.of(REFUSED)]
    other = sum(map(len, told.faults.values())) - sum(judged)
    counts = [sum(classes), *classes, told.modes["valid"], told.modes["invalid"], *judged, other]
    return tuple(f"{count:,}" for count in counts)


if __name__ == "__main__":
    main()
