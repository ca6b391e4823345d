"""The user's own Kaggle key: from the environment, or from the file that Kaggle gives out."""

from __future__ import annotations

import json
import os
import stat
from base64 import b64encode
from pathlib import Path

from heddle.domain.errors import ConfigError

__all__ = ["kaggle_authorization"]

_USER, _KEY, _FOLDER = "KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_CONFIG_DIR"
_HOW = (
    "Make one on kaggle.com under Settings, API (a legacy key), and put the kaggle.json that comes "
    "into ~/.kaggle with mode 600, or set KAGGLE_USERNAME and KAGGLE_KEY."
)


def kaggle_authorization() -> str:
    """Return the header value that proves who asks; it is kept nowhere.

    Raises:
        ConfigError: there is no key, or others on this machine can read it.
    """
    user, key = os.environ.get(_USER, ""), os.environ.get(_KEY, "")
    if not user and not key:
        user, key = _from_file(Path(os.environ.get(_FOLDER) or "~/.kaggle").expanduser())
    if not user or not key:
        missing = _KEY if user else _USER
        raise ConfigError("is not set, but its partner is", where=f"${missing}", todo=_HOW)
    return "Basic " + b64encode(f"{user}:{key}".encode()).decode()


def _from_file(folder: Path) -> tuple[str, str]:
    path = folder / "kaggle.json"
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise ConfigError(
                f"can be read by others (mode {mode:03o})",
                where=str(path),
                todo=f"Run: chmod 600 {path}",
            )
        told = json.loads(path.read_text(encoding="utf-8"))
        return str(told["username"]), str(told["key"])
    except FileNotFoundError:
        raise ConfigError("no Kaggle key was found", where=str(path), todo=_HOW) from None
    except OSError as fault:
        raise ConfigError(f"cannot be read ({fault.strerror})", where=str(path)) from None
    except (ValueError, KeyError, TypeError):
        what = 'is not {"username": …, "key": …}'
        raise ConfigError(what, where=str(path), todo=_HOW) from None
