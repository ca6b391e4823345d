from io import StringIO

import pytest
from rich.console import Console

from heddle.presentation.summary import leaderboard_table

ENTRIES = [
    {"candidate": "ridge", "baseline": False, "mean": 71_273.4, "sd": 1.25, "trials": 4},
    {"candidate": "last", "baseline": True, "mean": 80_000.0, "sd": 2.5, "trials": 1},
]
BOARD = {"metric": "rmse", "direction": "minimise", "entries": ENTRIES, "skipped": []}


def shown(board, tmp_path):
    console = Console(file=StringIO(), width=120)
    console.print(leaderboard_table(board, tmp_path))
    lines = [line.split() for line in console.file.getvalue().splitlines()]
    heads = next(i for i, words in enumerate(lines) if words[0] == "candidate")
    return lines[heads:]


def test_figures_are_as_long_as_they_are_useful(tmp_path):
    """Large ones whole with thousands apart, small ones with three decimals, tiny with five."""
    tiny = {"candidate": "drift", "baseline": True, "mean": 90_000, "sd": 0.03687, "trials": 1}
    assert shown({**BOARD, "entries": [*ENTRIES, tiny]}, tmp_path)[1:] == [
        ["ridge", "71,273", "1.250", "4"],
        ["last", "(baseline)", "80,000", "2.500", "1"],
        ["drift", "(baseline)", "90,000", "0.03687", "1"],
    ]


def test_seconds_come_from_the_stage_that_competes(tmp_path):
    """Some projects call it compete, some tune."""
    timings = tmp_path / "reports" / "timings"
    timings.mkdir(parents=True)
    (timings / "tune.json").write_text('{"seconds": 9, "parts": {"ridge": 1.25}}')
    assert shown(BOARD, tmp_path)[1][-1] == "1.2"
    (timings / "compete.json").write_text('{"seconds": 9, "parts": {"ridge": 7}}')
    assert shown(BOARD, tmp_path)[1][-1] == "7.0"


@pytest.mark.parametrize("skill", [0.109, None])
def test_skill_has_a_column_where_a_baseline_is_named(tmp_path, skill):
    """In per cent with its sign; nothing where the baseline makes no error."""
    entries = [{**ENTRIES[0], "skill": skill}]
    rows = shown({**BOARD, "entries": entries, "skill_against": "last"}, tmp_path)
    assert " ".join(rows[0]) == "candidate mean sd skill against last trials seconds"
    assert rows[1] == ["ridge", "71,273", "1.250", *(["+10.9%"] if skill else []), "4"]


def test_who_could_not_compete_says_why(tmp_path):
    """Below the others."""
    skipped = [{"candidate": "boost", "reason": "not installed"}]
    assert shown({**BOARD, "skipped": skipped}, tmp_path)[-1] == ["boost", "not", "installed"]
