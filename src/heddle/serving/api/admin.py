"""The other door: which model serves, and its exchange for another version of the same one.

It listens on a Unix socket that only its owner may open, or on a second loopback port with keys of
its own. It loads nothing but versions that the registry has pinned: no path, no address.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from heddle.domain.errors import ConfigError, HeddleError
from heddle.serving.address import read_address
from heddle.serving.api.doors import KeyDoor
from heddle.serving.api.keys import Keys
from heddle.serving.api.limits import Limits
from heddle.serving.api.meters import Meters
from heddle.serving.api.reading import read_json
from heddle.serving.api.refused import Refused
from heddle.serving.api.settings import Settings
from heddle.serving.live import Live, Serving

__all__ = ["make_admin"]

_PATIENCE = 120.0  # seconds that verifying a model may take


def make_admin(
    live: Live, *, keys: Path | None = None, notice: Callable[[str], None] = lambda _: None
) -> FastAPI:
    """Return the app that exchanges models.

    Args:
        live: the model that serves.
        keys: file of hashed keys; None where the socket itself is the lock.
        notice: where faults of ours are told.

    Raises:
        ConfigError: the file of keys cannot be read.
    """
    app = FastAPI(title="Heddle admin", docs_url=None, openapi_url=None, redoc_url=None)

    @app.get("/admin/model")
    async def model() -> dict[str, Any]:
        """Return what serves, and what is followed."""
        return _told(live, live.current)

    @app.post("/admin/swap")
    async def swap(request: Request) -> JSONResponse:
        """Serve `{"model": "name@alias"}` from now on, once it is verified."""
        wanted = _wanted(read_json(await request.body()))
        try:
            address = read_address(wanted, model=live.address.name)
            serving = await asyncio.to_thread(live.admit, address)
        except ConfigError as fault:
            raise Refused(422, str(fault)) from None
        except HeddleError as fault:
            raise Refused(409, f"not taken, the old model serves on: {fault}") from None
        return JSONResponse(_told(live, serving))

    if keys is not None:
        app.add_middleware(KeyDoor, keys=Keys(keys, notice=notice))
    limits = Settings(most_bytes=10_000, timeout_s=_PATIENCE)
    app.add_middleware(Limits, settings=limits, meters=Meters(), notice=notice)
    return app


def _wanted(document: Any) -> str:
    if type(document) is dict and document.keys() == {"model"}:
        wanted = document["model"]
        if type(wanted) is str and wanted:
            return wanted
    raise Refused(422, 'the body must be {"model": "NAME@ALIAS"} or {"model": "NAME/VERSION"}')


def _told(live: Live, serving: Serving | None) -> dict[str, Any]:
    return {
        "follows": str(live.address),
        "model_version": serving.model.label if serving else None,
        "model_digest": serving.digest if serving else None,
        "source": serving.source if serving else None,
        "since": serving.since.isoformat() if serving else None,
    }
