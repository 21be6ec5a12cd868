"""The application, put together."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from botocore.exceptions import BotoCoreError, ClientError
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp

from . import routes, store
from .settings import Settings
from .web import logs, problems
from .web.requests import RequestContext

logger = logging.getLogger(__name__)

# Codes with which DynamoDB asks callers to slow down or to come back.
_BUSY = {
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
}


def create_app(settings: Settings) -> ASGIApp:
    """The whole service below `settings.base_path`, with its probes at the root as well."""
    logs.configure("items-api", settings.log_level)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        client = store.connect(settings.aws_region)
        app.state.store = store.ItemStore(client, settings.table_name)
        logger.info("started", extra={"table": settings.table_name, "base_path": settings.base_path})
        yield
        client.close()
        logger.info("stopped")

    app = FastAPI(
        title="Items",
        description="Items of a shop, with optimistic locking and cursor pagination.",
        version="1.0.0",
        lifespan=lifespan,
        # The interactive pages load scripts from elsewhere; the document is enough for any tool.
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{settings.base_path}/openapi.json",
        redirect_slashes=False,
    )
    app.state.settings = settings
    problems.install(app)

    @app.exception_handler(ClientError)
    @app.exception_handler(BotoCoreError)
    async def on_aws_error(request: Request, error: ClientError | BotoCoreError) -> JSONResponse:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        logger.error("the table failed", extra={"code": code, "error": str(error)})
        if isinstance(error, ClientError) and code not in _BUSY:
            return problems.response(request, problems.Problem(500, "The table refused; an operator has to look."))
        problem = problems.Problem(
            503, "The table cannot be reached or is busy; try again shortly.", headers={"Retry-After": "1"}
        )
        return problems.response(request, problem)

    app.include_router(routes.router, prefix=settings.base_path)
    app.include_router(routes.probes)
    if settings.base_path:
        app.include_router(routes.probes, prefix=settings.base_path, include_in_schema=False)
    return RequestContext(app)
