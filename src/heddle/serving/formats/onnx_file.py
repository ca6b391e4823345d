"""A model in ONNX, asked by onnxruntime: one tensor of numbers in, a number a row out."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heddle.domain.errors import ConfigError, IntegrityError
from heddle.registry.manifest import Manifest
from heddle.serving.formats.numbers import ForeignModel, numeric_columns

__all__ = ["read"]

_TYPES: dict[str, type] = {"tensor(float)": np.float32, "tensor(double)": np.float64}
_FATAL = 4  # onnxruntime tells less serious things to the terminal, besides raising them


def read(content: bytes, manifest: Manifest) -> Any:
    """Return the model; it predicts on one thread, and nulls are NaN.

    Weights in further files are refused: onnxruntime reads none for a model that comes as bytes.

    Raises:
        ConfigError: onnxruntime is not installed.
        IntegrityError: not one tensor of as many numbers as there are columns.
    """
    if find_spec("onnxruntime") is None:
        raise ConfigError("the model needs onnxruntime", todo="pip install 'heddle-ml[onnx]'")
    import onnxruntime  # type: ignore[import-untyped]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL
    session = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
    columns = numeric_columns(manifest, None)
    asked, told = session.get_inputs(), session.get_outputs()
    shapes = [f"{one.name}: {one.type} {one.shape}" for one in asked]
    if (
        len(asked) != 1
        or asked[0].type not in _TYPES
        or len(asked[0].shape) != 2
        or (isinstance(asked[0].shape[1], int) and asked[0].shape[1] != len(columns))
    ):
        raise IntegrityError(
            f"asks for {', '.join(shapes)}, expected one tensor of numbers with"
            f" {len(columns)} columns"
        )
    name, kind, said = asked[0].name, _TYPES[asked[0].type], told[0].name

    def ask(shown: NDArray[np.float64]) -> Any:
        return session.run([said], {name: shown.astype(kind)})[0]

    return ForeignModel(columns, ask)
