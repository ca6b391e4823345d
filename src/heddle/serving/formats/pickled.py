"""A pickle, joblib or cloudpickle file: reading it runs whatever its maker wanted.

It is reached only when the command line allows it; nothing here makes it safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heddle.domain.errors import IntegrityError
from heddle.registry.manifest import Manifest

__all__ = ["read"]


@dataclass(frozen=True, slots=True)
class _Pickled:
    columns: tuple[str, ...]
    model: Any

    def predict(self, frame: Any) -> NDArray[np.float64]:
        """Return predictions of shape (n_rows,): of a pandas frame, if the model knows names."""
        import pandas as pd

        shown = pd.DataFrame({name: list(frame[name]) for name in self.columns})
        named = hasattr(self.model, "feature_names_in_")
        said = self.model.predict(shown if named else shown.to_numpy())
        return np.asarray(said, dtype=np.float64).reshape(len(shown))


def read(content: bytes, manifest: Manifest) -> Any:
    """Return the model. Raises IntegrityError if it cannot predict."""
    import joblib

    model = joblib.load(BytesIO(content))
    if not callable(getattr(model, "predict", None)):
        raise IntegrityError(f"holds a {type(model).__name__}, which cannot predict")
    return _Pickled(tuple(manifest.columns), model)
