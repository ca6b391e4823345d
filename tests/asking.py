"""Asking an app for predictions without a socket."""

import asyncio

import httpx

from heddle.serving.api.app import make_app
from heddle.serving.api.settings import Settings

PREDICT = "/api/v1/predict"
ROW = {"size": 50.0, "shore": "near"}


def ask_all(app, *requests):
    """Return the answers to (method, path, keyword arguments) that are asked at once."""

    async def asked():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            coming = [client.request(method, path, **more) for method, path, more in requests]
            return await asyncio.gather(*coming)

    return asyncio.run(asked())


def ask(app, method, path, **more):
    """Return the answer to one request."""
    return ask_all(app, (method, path, more))[0]


def predict(app, *rows, **more):
    """Return the answer to rows."""
    return ask(app, "POST", PREDICT, json={"instances": list(rows)}, **more)


def limited(live, **settings):
    """Return an app with settings of its own."""
    return make_app(live, Settings(**settings))
