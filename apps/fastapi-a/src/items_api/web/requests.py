"""Around each request: its id, a limit to its body, an access log line, and the headers that every answer carries."""

import logging
import re
import time
from uuid import uuid4

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import logs

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class RequestContext:
    """Outermost ASGI layer, so that even the answer to an unexpected error has a request id and a log line."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        # A caller's id goes into logs and answers, so only harmless characters are taken over.
        current = given if _ACCEPTED_ID.fullmatch(given) else uuid4().hex
        token = logs.request_id.set(current)
        started = time.perf_counter()
        status = 0  # stays 0 when the client went away before there was an answer

        received = 0

        async def receive_within_limit() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                # FastAPI passes this one on from where it reads the body, so it becomes problem details like any other.
                raise HTTPException(413, f"The body is over {MAX_BODY_BYTES} bytes.")
            return message

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                answer = MutableHeaders(scope=message)
                answer["x-request-id"] = current
                answer.setdefault("x-content-type-options", "nosniff")
                answer.setdefault("cache-control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive_within_limit, send_with_headers)
        except Exception:
            # The error was answered and logged below this layer; raising it further would only log it again.
            if status == 0:
                raise
        finally:
            probe = scope["path"].endswith(("/health", "/ready"))
            logger.log(
                logging.DEBUG if probe and status < 400 else logging.INFO,
                "request",
                extra={
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "duration_ms": round((time.perf_counter() - started) * 1000, 1),
                    "trace_id": headers.get("x-amzn-trace-id"),
                },
            )
            logs.request_id.reset(token)
