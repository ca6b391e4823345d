"""Days that cannot be are refused, what is odd about them is told, and nothing is changed."""

from __future__ import annotations

import re
from datetime import date

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError, DataContractError
from heddle.frames.sessions import sessions
from heddle.infrastructure.memory import SilentProgress
from heddle.transformations.check_sessions import CheckSessions, check_sessions

pytest.importorskip("exchange_calendars", reason="the extra `calendars` is not installed")

HELD = sessions("XNYS", date(2023, 10, 2), date(2023, 12, 29))


def config(**settings: object) -> CheckSessions:
    return CheckSessions(**{"time": "day", "calendar": "XNYS", "asof": "2023-12-31", **settings})


def told(days, cfg=None, **columns) -> list[str]:
    """What is said of a table that passes, once it is known that it came out as it went in."""
    frame = pl.DataFrame({"day": pl.Series(days, dtype=pl.Date), **columns})
    heard = SilentProgress()
    made = check_sessions(nw.from_native(frame.lazy()), cfg or config(), heard)
    assert made.collect().to_native().equals(frame)
    return heard.notices


def without(*days: str) -> list[date]:
    return [day for day in HELD if str(day) not in days]


def test_sessions_in_order_are_nothing_to_speak_of():
    """Holidays between them are no gaps; a table without rows is in order."""
    assert told(HELD) == []
    assert told([]) == []
    assert told(HELD[:1]) == []


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ([*HELD[:5], HELD[4]], "check_sessions: twice or more: 2023-10-06. Keep one row of each"),
        ([HELD[1], HELD[0]], "2023-10-02 in row 2 stands after 2023-10-03. Sort the rows by day"),
        ([*HELD, date(2024, 1, 2)], "later than 2023-12-31, asof: 2024-01-02. Drop the rows that"),
        ([*HELD, date(2023, 12, 30)], "no sessions of XNYS: 2023-12-30. Mend the dates"),
        (
            [HELD[0], *(date(2023, 11, d) for d in (4, 5, 11, 12, 18, 19, 23))],
            "no sessions of XNYS: 2023-11-04, 2023-11-05, 2023-11-11, 2023-11-12, 2023-11-18 and 2",
        ),
        ([*HELD, None], "column 'day' is null in some rows"),
    ],
)
def test_days_that_cannot_be_are_refused_by_name(days, words):
    """Twice, out of order, in the future, on a holiday, not known."""
    with pytest.raises(DataContractError, match=re.escape(words)):
        told(days)


def test_without_asof_a_session_must_have_closed_by_now():
    """A bar of today is not whole before the close; one of tomorrow is made up."""
    with pytest.raises(DataContractError, match="the last session of XNYS that has closed: 2049"):
        told([date(2049, 1, 4)], config(asof=None))
    assert told(HELD, config(asof=None)) == []


def test_a_few_missing_sessions_are_told_and_many_are_refused():
    """Five in a row pass, six do not; the bound can be another."""
    gone = [str(day) for day in HELD[10:16]]
    (words,) = told(without(*gone[:5]))
    assert words == (
        f"check_sessions: sessions without a row: {', '.join(gone[:5])}; what counts rows, as the "
        "targets do, spans more sessions there"
    )
    what = f"a gap of 6 sessions between {HELD[9]} and {HELD[16]}, at most 5 may be missing"
    with pytest.raises(DataContractError, match=what):
        told(without(*gone))
    assert told(without(*gone), config(largest_gap=6))[0].count(f", {gone[4]} and 1 more;")
    with pytest.raises(DataContractError, match=f"a gap of 1 session between {HELD[2]}"):
        told(without(str(HELD[3])), config(largest_gap=0))


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (0.1, "is 0.1 times that of the row before: a split of 10 for 1 that is not adjusted?"),
        (0.26, "a split of 4 for 1 that is not adjusted?"),
        (0.5, "a split of 2 for 1 that"),
        (20.4, "is 20.4 times that of the row before: a split of 1 for 20 that is not adjusted?"),
        (0.01, "a split of 100 for 1"),
        (0.0003, "No usual ratio is near"),
    ],
)
def test_a_price_that_jumps_as_at_a_split_is_told_with_the_ratio(ratio, said):
    """Date and likely factor; the table passes."""
    price = [100.0 if day < date(2023, 11, 24) else 100 * ratio for day in HELD]
    (words,) = told(HELD, config(price="price"), price=price)
    assert words.startswith("check_sessions: price at 2023-11-24 is ")
    assert said in words


def test_a_large_move_is_no_jump():
    """A log return of one half is the bound; a price that is no number is not looked at."""
    price = [100.0, 61.0, 100.0, 60.0, 100.0]
    found = told(HELD[:5], config(price="price"), price=price)
    assert [words.split(" is ")[0][-10:] for words in found] == ["2023-10-05", "2023-10-06"]
    assert told(HELD[:3], config(price="price"), price=[1.0, None, 9.0]) == []
    assert len(told(HELD[:2], config(price="price", jump=0.1), price=[1.0, 1.2])) == 1


def test_several_series_are_looked_at_one_by_one():
    """A day may stand in each; what is told names the series."""
    frame = pl.concat(
        [
            pl.DataFrame({"day": HELD, "name": "a", "price": 5.0}),
            pl.DataFrame({"day": without(str(HELD[7])), "name": "b", "price": 9.0}),
        ]
    )
    heard = SilentProgress()
    cfg = config(by=("name",), price="price")
    check_sessions(nw.from_native(frame.lazy()), cfg, heard)
    (words,) = heard.notices
    assert words.startswith(f"check_sessions: name='b': sessions without a row: {HELD[7]}; what")
    with pytest.raises(DataContractError, match="twice or more"):
        check_sessions(nw.from_native(frame.lazy()), config(), heard)


@given(st.sets(st.integers(0, 60), min_size=1), st.integers(0, 8))
def test_gaps_are_those_of_the_definition(places, most):
    """Sessions between the first row and the last that have none, and the longest run of them."""
    days = [HELD[p] for p in sorted(places)]
    missing = [d for d in HELD if days[0] < d < days[-1] and d not in days]
    longest = max(
        (b - a - 1 for a, b in zip(sorted(places), sorted(places)[1:], strict=False)), default=0
    )
    cfg = config(largest_gap=most)
    if longest > most:
        with pytest.raises(DataContractError, match=f"a gap of {longest} session"):
            told(days, cfg)
    else:
        assert len(told(days, cfg)) == bool(missing)


def test_moments_are_no_days():
    """The contract makes days of them, or refuses."""
    frame = pl.DataFrame({"day": HELD}).cast(pl.Datetime)
    with pytest.raises(DataContractError, match=r"column 'day' is Datetime.*, not a date"):
        check_sessions(nw.from_native(frame.lazy()), config(), SilentProgress())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"largest_gap": -1}, "`largest_gap` must be at least 0, not -1"),
        ({"jump": 0.0}, "`jump` must be above 0, not 0"),
        ({"asof": "20231231"}, "`asof` must be a date, as 2024-02-29, not '20231231'"),
        ({"asof": "2023-13-01"}, "`asof` must be a date"),
    ],
)
def test_wrong_bounds_are_refused(settings, words):
    """Before any table is looked at."""
    with pytest.raises(ValueError, match=re.escape(words)):
        config(**settings)


def test_an_unknown_calendar_or_column_is_told():
    """With what there is."""
    with pytest.raises(ConfigError, match="no calendar 'XNYX'; did you mean 'XNYS'"):
        told(HELD, config(calendar="XNYX"))
    with pytest.raises(DataContractError, match="input has no column 'dai'; did you mean 'day'"):
        told(HELD, config(time="dai"))
