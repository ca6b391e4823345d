"""A booster in LightGBM's own text."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import Any

from heddle.domain.errors import ConfigError, IntegrityError
from heddle.registry.manifest import Manifest
from heddle.serving.formats.numbers import ForeignModel, numeric_columns

__all__ = ["read"]

_UNNAMED = re.compile(r"Column_\d+")


def read(content: bytes, manifest: Manifest) -> Any:
    """Return the booster; it predicts on one thread, and nulls are missing values.

    Raises:
        ConfigError: LightGBM is not installed.
        IntegrityError: a booster of other columns, or of categories.
    """
    if find_spec("lightgbm") is None:
        raise ConfigError("the model needs LightGBM", todo="pip install 'heddle-ml[lightgbm]'")
    import lightgbm

    text = content.decode()
    if "\npandas_categorical:[[" in text:
        raise IntegrityError("holds categories of a pandas frame, and only numbers are taken")
    booster = lightgbm.Booster(model_str=text)
    said = booster.feature_name()
    # LightGBM writes no blanks in names
    given = {re.sub(r"\s", "_", name): name for name in manifest.columns}
    named = None if all(_UNNAMED.fullmatch(name) for name in said) else said
    columns = numeric_columns(manifest, named and [given.get(name, name) for name in named])
    if len(said) != len(columns):
        raise IntegrityError(f"asks for {len(said)} columns, the manifest has {len(columns)}")
    return ForeignModel(columns, lambda shown: booster.predict(shown, num_threads=1))
