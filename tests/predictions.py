"""A prediction of a session, for tests that need some."""

from __future__ import annotations

from datetime import UTC, date, datetime

from heddle.domain.entities import Prediction

PREDICTION = Prediction(
    series="ABC",
    as_of=date(2024, 3, 1),
    target_session=date(2024, 3, 4),
    horizon=1,
    price=100.0,
    predicted_return=0.01,
    predicted_price=101.0,
    lower_return=-0.04,
    upper_return=0.06,
    lower_price=96.0,
    upper_price=106.0,
    direction="up",
    model_name="m",
    model_version="1",
    model_digest="d" * 64,
    data_hash="h",
    generated_at=datetime(2024, 3, 1, 22, tzinfo=UTC),
)
