"""The reports over HTTP, and what a caller hears when the items service fails."""

import math
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from . import report
from .items import ItemsClient, ItemsFailedError, ItemsTimeoutError, ItemsUnavailableError
from .snapshots import Snapshot, Snapshots
from .web.problems import Problem, ProblemDetails

_ERRORS: dict[int | str, dict[str, Any]] = {
    502: {"model": ProblemDetails, "description": "The items service failed"},
    503: {"model": ProblemDetails, "description": "The items service has failed repeatedly and is left alone"},
    504: {"model": ProblemDetails, "description": "The items service did not answer in time"},
}
router = APIRouter(tags=["reports"], responses=_ERRORS)
probes = APIRouter(tags=["probes"])


class Reading(BaseModel):
    """What a report rests on."""

    as_of: datetime = Field(description="when the items were read")
    stale: bool = Field(description="the items service fails now; this is an earlier reading")
    complete: bool = Field(description="false when there are more items than a report takes in")


class Summary(Reading):
    """Totals of the whole stock and of each category."""

    totals: report.Totals
    categories: list[report.CategoryTotals]


class LowStockReport(Reading):
    """What to order again, most urgent first."""

    total: int = Field(description="how many there are, listed here or not")
    items: list[report.LowStock]


def to_problem(error: ItemsFailedError) -> Problem:
    """The gateway error that fits how the items service failed."""
    if isinstance(error, ItemsUnavailableError):
        return Problem(
            503,
            "The items service has failed repeatedly and is left alone for a moment.",
            slug="items-unavailable",
            headers={"Retry-After": str(math.ceil(error.retry_after_seconds))},
        )
    if isinstance(error, ItemsTimeoutError):
        return Problem(504, "The items service did not answer in time.", slug="items-timeout")
    return Problem(502, "The items service failed.", slug="items-failed")


async def _snapshot(request: Request) -> Snapshot:
    snapshots: Snapshots = request.app.state.snapshots
    return await snapshots.current()


Current = Annotated[Snapshot, Depends(_snapshot)]


def _reading(snapshot: Snapshot) -> dict[str, Any]:
    return {"as_of": snapshot.as_of, "stale": snapshot.stale, "complete": snapshot.complete}


@router.get("/summary")
async def summary(snapshot: Current) -> Summary:
    """Counts, units and value of the stock, in all and by category."""
    totals, categories = report.summarise(snapshot.items)
    return Summary(**_reading(snapshot), totals=totals, categories=categories)


@router.get("/low-stock")
async def low_stock(
    snapshot: Current,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    category: Annotated[str | None, Query(max_length=40)] = None,
) -> LowStockReport:
    """Items at or below their reorder level."""
    low = report.low_stock(snapshot.items, category)
    return LowStockReport(**_reading(snapshot), total=len(low), items=low[:limit])


@probes.get("/health")
async def health() -> dict[str, str]:
    """Alive: the process answers. Knows nothing of the items service, so that its trouble does not spread."""
    return {"status": "ok"}


@probes.get("/ready", responses=_ERRORS)
async def ready(request: Request) -> dict[str, str]:
    """Ready: the items service can be reached. For people and dashboards; a load balancer should ask /health."""
    client: ItemsClient = request.app.state.items
    await client.probe()
    return {"status": "ready"}
