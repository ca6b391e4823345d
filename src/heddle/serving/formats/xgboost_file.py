"""A booster in XGBoost's own files, UBJSON or JSON."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from heddle.domain.errors import ConfigError, IntegrityError
from heddle.registry.manifest import Manifest
from heddle.serving.formats.numbers import ForeignModel, numeric_columns

__all__ = ["read"]


def read(content: bytes, manifest: Manifest) -> Any:
    """Return the booster; it predicts on one thread, and nulls are missing values.

    Raises:
        ConfigError: XGBoost is not installed.
        IntegrityError: a booster of other columns, or of categories.
    """
    if find_spec("xgboost") is None:
        raise ConfigError("the model needs XGBoost", todo="pip install 'heddle-ml[xgboost]'")
    import xgboost

    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(content))
    if "c" in (booster.feature_types or ()):
        raise IntegrityError("asks for categories, and only numbers are taken")
    columns = numeric_columns(manifest, booster.feature_names)
    if booster.num_features() != len(columns):
        raise IntegrityError(
            f"asks for {booster.num_features()} columns, the manifest has {len(columns)}"
        )
    return ForeignModel(
        columns, lambda shown: booster.inplace_predict(shown, validate_features=False)
    )
