"""Prefect, if it is installed, and a server that answers; it is loaded inside these functions."""

from __future__ import annotations

import os
from importlib.util import find_spec

from heddle.domain.errors import ConfigError

__all__ = ["need_prefect", "reach_server"]

_ENVIRONMENT = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",  # 12 to 30 s; Prefect waits 20
}


def need_prefect() -> None:
    """Set what Prefect reads when it is loaded, where the user has not.

    Raises:
        ConfigError: the extra is not installed.
    """
    if find_spec("prefect") is None:
        raise ConfigError("Prefect is not installed", todo="pip install 'heddle-ml[prefect]'")
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def reach_server(*, own: bool = False) -> str:
    """Return the server's address; without one configured, a temporary server is started.

    Args:
        own: a temporary one will not do.

    Raises:
        ConfigError: no server answers.
    """
    from prefect.client.orchestration import get_client
    from prefect.settings import get_current_settings

    url = get_current_settings().api.url
    start = "Start one with `prefect server start` and set PREFECT_API_URL"
    if own and url is None:
        raise ConfigError("a schedule needs a Prefect server that stays", todo=f"{start}.")
    try:
        with get_client(sync_client=True) as client:
            fault = client.api_healthcheck()
            found = str(client.api_url)
    except RuntimeError as told:  # the temporary server did not come up
        fault, found = told, "a temporary server"
    if fault is not None:
        todo = f"{start}, or unset it: a temporary server is started then."
        raise ConfigError("no Prefect server answers", where=url or found, todo=todo)
    return found
