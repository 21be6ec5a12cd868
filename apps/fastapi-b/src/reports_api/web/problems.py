"""Errors as `application/problem+json` (RFC 9457): every answer that is not a success has this one shape.

`type` is `about:blank` where the status says it all, and `urn:problem:<slug>` where a client has to tell causes apart.
"""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from . import logs

logger = logging.getLogger(__name__)


class Problem(Exception):  # noqa: N818 - the RFC calls it a problem
    """An answer other than success, raised where its cause is known."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        slug: str | None = None,
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.slug = slug
        self.headers = headers
        self.extra = extra


class ProblemDetails(BaseModel):
    """The body of every error, for the OpenAPI document."""

    type: str = Field(examples=["about:blank"])
    title: str
    status: int
    detail: str
    instance: str
    request_id: str | None = None


def response(request: Request, problem: Problem) -> JSONResponse:
    """The HTTP form of a problem."""
    body: dict[str, Any] = {
        "type": f"urn:problem:{problem.slug}" if problem.slug else "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "instance": request.url.path,
        "request_id": logs.request_id.get(),
        **problem.extra,
    }
    return JSONResponse(body, problem.status, problem.headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Make `app` answer each kind of error with problem details."""

    @app.exception_handler(Problem)
    async def on_problem(request: Request, error: Problem) -> JSONResponse:
        return response(request, error)

    @app.exception_handler(HTTPException)
    async def on_http_exception(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers) if error.headers else None
        return response(request, Problem(error.status_code, str(error.detail), headers=headers))

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        # The offending input is left out: it may hold what nobody wants repeated in an answer or a log.
        errors = [
            {"field": ".".join(str(part) for part in each["loc"]), "message": each["msg"], "code": each["type"]}
            for each in error.errors()
        ]
        unreadable = any(each["code"] == "json_invalid" for each in errors)
        status = HTTPStatus.BAD_REQUEST if unreadable else HTTPStatus.UNPROCESSABLE_ENTITY
        detail = "The body is not JSON." if unreadable else "The request does not have the right form; see `errors`."
        return response(request, Problem(status, detail, slug="invalid-request", errors=errors))

    @app.exception_handler(Exception)
    async def on_unexpected(request: Request, error: Exception) -> JSONResponse:
        logger.error("unexpected error", exc_info=error)
        return response(request, Problem(500, "Something went wrong here; the request id finds it in the logs."))
