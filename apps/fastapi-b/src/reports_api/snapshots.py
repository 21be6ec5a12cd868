"""One reading of the items serves every report for a short time, and stands in for a while when a new one fails."""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from .items import ItemsClient, ItemsFailedError
from .report import Item

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Snapshot:
    """The items as they were at a moment."""

    items: list[Item]
    complete: bool
    as_of: datetime
    read_at: float  # by the monotonic clock
    stale: bool = False  # stands in for a reading that failed


class Snapshots:
    """Hands out readings. However many ask at once, one of them reads and the others wait for it."""

    def __init__(
        self,
        client: ItemsClient,
        *,
        max_items: int,
        cache_seconds: float,
        stale_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._max_items = max_items
        self._cache_seconds = cache_seconds
        self._stale_seconds = stale_seconds
        self._clock = clock
        self._reading = asyncio.Lock()
        self._last: Snapshot | None = None
        self._failure: ItemsFailedError | None = None
        self._failed_at = -math.inf

    async def current(self) -> Snapshot:
        """A reading not older than the cache time; an older one, marked, if the items service fails."""
        started = self._clock()
        async with self._reading:
            if self._last and self._last.read_at >= started - self._cache_seconds:
                return self._last
            # A reading that failed while this caller waited has failed for it too: callers in a queue, each running
            # into the same time-out after the other, would wait for minutes.
            if self._failure is None or self._failed_at < started:
                await self._read()
            if self._failure is None and self._last:
                return self._last
            return self._stand_in()

    async def _read(self) -> None:
        as_of, read_at = datetime.now(UTC), self._clock()
        try:
            items, complete = await self._client.all(self._max_items)
        except ItemsFailedError as error:
            self._failure, self._failed_at = error, self._clock()
        else:
            self._last, self._failure = Snapshot(items, complete, as_of, read_at), None

    def _stand_in(self) -> Snapshot:
        """The last reading, marked as stale, in the place of the one that failed."""
        assert self._failure is not None  # noqa: S101 - only asked for after a failure
        if self._last is None or self._clock() - self._last.read_at > self._stale_seconds:
            raise self._failure
        logger.warning("an older reading stands in", extra={"as_of": self._last.as_of, "error": str(self._failure)})
        return replace(self._last, stale=True)
