from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    key: str


def side_by_side(left: pl.DataFrame, right: pl.DataFrame, cfg: SideBySide) -> pl.DataFrame:
    small = right.select(cfg.key, low="word")
    return left.join(small, on=cfg.key).sort(cfg.key)
