"""Answers of a chart service like Yahoo's, made from a table of bars."""

import json
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import polars as pl

NEW_YORK = "America/New_York"
DAYS = [date(2024, 1, d) for d in (2, 3, 4, 5, 8, 9, 10, 11, 12, 16)]  # the 15th was a holiday


def bars(days=DAYS, close=100.0, volume=1000, adjusted=1.0):
    """One bar a day, a bit different each."""
    closes = [close + step for step, _ in enumerate(days)]
    return pl.DataFrame(
        {
            "session": days,
            "open": [value - 0.5 for value in closes],
            "high": [value + 1 for value in closes],
            "low": [value - 1 for value in closes],
            "close": closes,
            "adj_close": [value * adjusted for value in closes],
            "volume": [volume + 10 * step for step, _ in enumerate(days)],
        },
        schema_overrides={"session": pl.Date, "volume": pl.Int64},
    )


def stamp(day, zone=NEW_YORK, opens=time(9, 30)):
    """The second in which a day's bar begins."""
    return int(datetime.combine(day, opens, ZoneInfo(zone)).astimezone(UTC).timestamp())


def chart(table, zone=NEW_YORK, splits=(), opens=time(9, 30)):
    """The JSON of these bars; a split is a day and how many shares one became."""
    told = {name: table[name].to_list() for name in ("open", "high", "low", "close", "volume")}
    result = {
        "meta": {"symbol": "ABC", "exchangeTimezoneName": zone, "gmtoffset": -18000},
        "timestamp": [stamp(day, zone, opens) for day in table["session"]],
        "indicators": {
            "quote": [told],
            "adjclose": [{"adjclose": table["adj_close"].to_list()}],
        },
    }
    if splits:
        result["events"] = {
            "splits": {
                str(stamp(day, zone, opens)): {
                    "date": stamp(day, zone, opens),
                    "numerator": ratio,
                    "denominator": 1,
                }
                for day, ratio in splits
            }
        }
    return json.dumps({"chart": {"result": [result], "error": None}}).encode()


def fault(code, description):
    """The JSON that says why there is nothing."""
    error = {"code": code, "description": description}
    return json.dumps({"chart": {"result": None, "error": error}}).encode()
