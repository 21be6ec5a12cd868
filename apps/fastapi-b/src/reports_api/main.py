"""The application, put together."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp

from . import routes
from .items import ItemsClient, ItemsFailedError
from .settings import Settings
from .snapshots import Snapshots
from .web import logs, problems
from .web.requests import RequestContext

logger = logging.getLogger(__name__)


def create_app(settings: Settings, transport: httpx2.AsyncBaseTransport | None = None) -> ASGIApp:
    """The whole service below `settings.base_path`, with its probes at the root as well.

    `transport` takes the place of the network towards the items service.
    """
    logs.configure("reports-api", settings.log_level)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        client = ItemsClient(str(settings.items_url), deadline_seconds=settings.deadline_seconds, transport=transport)
        app.state.items = client
        app.state.snapshots = Snapshots(
            client,
            max_items=settings.max_items,
            cache_seconds=settings.cache_seconds,
            stale_seconds=settings.stale_seconds,
        )
        logger.info("started", extra={"items_url": str(settings.items_url), "base_path": settings.base_path})
        yield
        await client.close()
        logger.info("stopped")

    app = FastAPI(
        title="Reports",
        description="Stock and price reports over the items of the shop.",
        version="1.0.0",
        lifespan=lifespan,
        # The interactive pages load scripts from elsewhere; the document is enough for any tool.
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{settings.base_path}/openapi.json",
        redirect_slashes=False,
    )
    problems.install(app)

    @app.exception_handler(ItemsFailedError)
    async def on_items_failed(request: Request, error: ItemsFailedError) -> JSONResponse:
        logger.error("no report without items", extra={"error": str(error)})
        return problems.response(request, routes.to_problem(error))

    app.include_router(routes.router, prefix=settings.base_path)
    app.include_router(routes.probes)
    if settings.base_path:
        app.include_router(routes.probes, prefix=settings.base_path, include_in_schema=False)
    return RequestContext(app)
