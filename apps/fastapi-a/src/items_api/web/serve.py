"""Running a service in its container: uvicorn, with time-outs that fit a load balancer in front."""

import uvicorn
from starlette.types import ASGIApp

# Longer than the load balancer's idle time-out (60 s), so that it never sends a request down a connection that the
# service is just closing: that race shows as a stray 502.
_KEEP_ALIVE_SECONDS = 75
# Shorter than the 30 s that ECS leaves between SIGTERM and SIGKILL: requests under way finish, then connections close.
_GRACE_SECONDS = 20


def run(app: ASGIApp, port: int) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way."""
    uvicorn.run(
        app,
        host="0.0.0.0",  # noqa: S104 - a container is reached from outside or not at all
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
