"""An items service that answers as a test tells it, behind the HTTP client's transport."""

import asyncio
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import httpx2
import pytest
from reports_api.main import create_app
from reports_api.settings import Settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

__all__ = ["FakeItems", "TestClient", "item"]


def item(number: int, **change: Any) -> dict[str, Any]:
    """An item as the items service sends it."""
    return {
        "id": str(UUID(int=number)),
        "version": 1,
        "name": f"item {number}",
        "category": "tools",
        "description": "",
        "price_cents": 100,
        "quantity": 10,
        "reorder_level": 2,
        "expires_at": None,
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
    } | change


class FakeItems:
    """Serves `items` in pages; `fail` may answer or raise instead, and sees how many requests came before."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.requests: list[httpx2.Request] = []
        self.fail: Callable[[int], httpx2.Response | None] = lambda _: None
        self.delay_seconds = 0.0

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)
        if (answer := self.fail(len(self.requests) - 1)) is not None:
            return answer
        if request.url.path == "/a/health":
            return httpx2.Response(200, json={"status": "ok"})
        assert request.url.path == "/a/items"
        start = int(request.url.params.get("cursor", "0"))
        end = start + int(request.url.params["limit"])
        following = str(end) if end < len(self.items) else None
        return httpx2.Response(200, json={"items": self.items[start:end], "next_cursor": following})


@pytest.fixture
def items() -> FakeItems:
    return FakeItems()


@pytest.fixture
def settings() -> Settings:
    return Settings(items_url="http://balancer.test/a/")


@pytest.fixture
def api(items: FakeItems, settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings, httpx2.MockTransport(items))) as client:
        yield client
