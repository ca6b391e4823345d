"""What a command needs and this environment lacks, in one line."""

from __future__ import annotations

from importlib.util import find_spec

from heddle.domain.errors import ConfigError

__all__ = ["TRAINING", "lacking"]

# modules of the extra `train`; what serves and predicts imports none of them
TRAINING = ("dvc", "hydra", "jinja2", "mlflow", "omegaconf", "optuna", "plotly")


def lacking(fault: ModuleNotFoundError) -> ConfigError | None:
    """Return what to tell of a library that the extra `train` brings; None of any other.

    >>> lacking(ModuleNotFoundError("No module named 'steps.mine'", name="steps.mine")) is None
    True
    """
    library = (fault.name or "").partition(".")[0]
    if library not in TRAINING or find_spec(library) is not None:
        return None
    return ConfigError(
        f"this needs {library}, and what trains is not installed here",
        todo="pip install 'heddle-ml[train]'",
    )
