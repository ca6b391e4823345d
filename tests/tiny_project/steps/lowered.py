import polars as pl


def lowered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col("word").str.to_lowercase())
