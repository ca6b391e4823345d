"""Deal the rows of a data version out to train and test, once, for every later stage."""

from __future__ import annotations

from heddle.evaluation.split_plan import Split
from heddle.evaluation.splits import assign, check_columns
from heddle.pipeline.context import StageContext

__all__ = ["Split", "split_rows"]


def split_rows(ctx: StageContext, cfg: Split) -> None:
    """Write the table of (row key, part, fold, block) for the version that the stage reads.

    Raises:
        ConfigError: a column that the version does not have.
        DataContractError: as `heddle.evaluation.splits.assign`.
    """
    version = next(iter(ctx.reads.values()))
    check_columns(ctx.tables.info(version).columns, cfg)
    frame = ctx.tables.read(version, columns=cfg.columns)
    made = assign(frame, cfg)
    ctx.tables.write(
        ctx.writes[0], made, made_by={"step": "split_rows", "strategy": cfg.strategy, "of": version}
    )
    parts = ", ".join(f"{n:,} {part}" for part, n in sorted(made["part"].value_counts().rows()))
    ctx.progress.notice(f"split ({cfg.strategy}, seed {cfg.seed}): {parts}")
