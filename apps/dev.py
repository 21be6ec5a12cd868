#!/usr/bin/env python3
"""The whole system on one port of this machine: site, both services, and a table in memory.

    apps/test.sh                                  # once: makes the environment with the tools
    target/apps-venv/bin/python apps/dev.py       # then open http://127.0.0.1:8080

Paths are routed as CloudFront and the load balancer do it: /a and /b to the services, the rest to the site. The table
lives in moto inside this process, starts with some items and is gone at the end; with `--endpoint-url` it is made in
an emulator that runs already.
"""

import argparse
import asyncio
import contextlib
import hashlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

APPS = Path(__file__).parent
sys.path[:0] = [str(APPS / "fastapi-a" / "src"), str(APPS / "fastapi-b" / "src")]

import boto3  # noqa: E402
import httpx2  # noqa: E402
import items_api.main  # noqa: E402
import items_api.settings  # noqa: E402
import reports_api.main  # noqa: E402
import reports_api.settings  # noqa: E402
import uvicorn  # noqa: E402
from moto import mock_aws  # noqa: E402
from pydantic import HttpUrl, SecretStr  # noqa: E402
from starlette.applications import Starlette  # noqa: E402
from starlette.routing import Mount  # noqa: E402
from starlette.staticfiles import StaticFiles  # noqa: E402
from starlette.types import ASGIApp, Message, Receive, Scope, Send  # noqa: E402

TABLE = "items"
SITE_POLICY = (
    b"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; frame-ancestors 'none'; "
    b"require-trusted-types-for 'script'"
)
SAMPLES = [
    ("Garden fork", "garden-tools", 3450, 12, 4),
    ("Watering can, 10 l", "garden-tools", 1990, 3, 5),
    ("Secateurs", "garden-tools", 2799, 0, 3),
    ("White wall paint, 10 l", "paint", 5495, 22, 6),
    ("Masking tape, 50 m", "paint", 349, 140, 40),
    ("Cordless drill", "power-tools", 12900, 8, 2),
    ("Jigsaw", "power-tools", 8950, 1, 2),
    ("Work gloves, size 9", "clothing", 790, 64, 20),
]


def make_table() -> None:
    """The table as the environments make it, if it is not there."""
    client = boto3.client("dynamodb")
    with contextlib.suppress(client.exceptions.ResourceInUseException):
        client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )


async def add_samples(items: ASGIApp) -> None:
    """Some items to look at; added once, even to a table that outlives this process."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(items), base_url="http://items") as client:
        for sample in SAMPLES:
            item = dict(zip(("name", "category", "price_cents", "quantity", "reorder_level"), sample, strict=True))
            key = "sample-" + hashlib.sha256(str(item["name"]).encode()).hexdigest()[:16]
            answer = await client.post("/a/items", json=item, headers={"Idempotency-Key": key})
            answer.raise_for_status()


@contextlib.asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[None]:
    """Start and stop `app` by ASGI's lifespan protocol, as a server does."""
    to_app: asyncio.Queue[Any] = asyncio.Queue()
    from_app: asyncio.Queue[Any] = asyncio.Queue()
    task = asyncio.create_task(app({"type": "lifespan", "asgi": {"version": "3.0"}}, to_app.get, from_app.put))
    for phase in ("startup", "shutdown"):
        await to_app.put({"type": f"lifespan.{phase}"})
        answer = await from_app.get()
        if answer["type"] != f"lifespan.{phase}.complete":
            raise RuntimeError(f"{phase} failed: {answer.get('message')}")
        if phase == "startup":
            yield
    await task


class Router:
    """Sends each request where CloudFront and the load balancer would."""

    def __init__(self, items: ASGIApp, reports: ASGIApp, site: ASGIApp) -> None:
        self._services = {"/a": items, "/b": reports}
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (service := self._services.get("/" + scope["path"].split("/")[1])):
            await service(scope, receive, send)
            return

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", SITE_POLICY)]
            await send(message)

        await self._site(scope, receive, send_with_policy)


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="The whole system on one port of this machine.")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--endpoint-url", help="an emulator of AWS to use instead of a table in this process")
    parser.add_argument("--empty", action="store_true", help="start without items")
    arguments = parser.parse_args()

    # Never a real account: whatever credentials this shell has stay out of it.
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
        os.environ.pop(name, None)
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    if arguments.endpoint_url:
        os.environ["AWS_ENDPOINT_URL"] = arguments.endpoint_url
    else:
        os.environ.pop("AWS_ENDPOINT_URL", None)

    with contextlib.nullcontext() if arguments.endpoint_url else mock_aws():
        make_table()
        serve(arguments.port, empty=arguments.empty)


def serve(port: int, *, empty: bool) -> None:
    """Both services and the site, in one server."""
    items = items_api.main.create_app(
        items_api.settings.Settings(table_name=TABLE, api_signing_key=SecretStr("only-for-this-machine"))
    )
    reports = reports_api.main.create_app(
        reports_api.settings.Settings(items_url=HttpUrl(f"http://127.0.0.1:{port}/a"), cache_seconds=1)
    )

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with running(items), running(reports):
            if not empty:
                await add_samples(items)
            yield

    files = StaticFiles(directory=APPS / "site" / "public", html=True)
    site = Starlette(routes=[Mount("/", files)], lifespan=lifespan)
    uvicorn.run(Router(items, reports, site), host="127.0.0.1", port=port, log_config=None, access_log=False)


if __name__ == "__main__":
    main()
