"""Reading items from the items service, which may be slow, busy or down.

Each request has time-outs, is tried a few times with growing, randomised pauses (all calls are reads, so repeating
them is safe), and goes through the circuit breaker. Whatever goes wrong comes out as one of three errors.
"""

import asyncio
import logging
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx2
from pydantic import BaseModel, ValidationError

from .breaker import CircuitBreaker, CircuitOpenError
from .report import Item
from .web import logs

logger = logging.getLogger(__name__)

PAGE_SIZE = 100
_TIMEOUTS = httpx2.Timeout(connect=1, read=3, write=3, pool=1)


class ItemsFailedError(Exception):
    """The items service answered wrongly or not at all."""


class ItemsTimeoutError(ItemsFailedError):
    """The items service did not answer in time."""


class ItemsUnavailableError(ItemsFailedError):
    """The items service has failed so often that it is not being asked for a while."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__("the items service has failed repeatedly")
        self.retry_after_seconds = retry_after_seconds


class _BusyError(Exception):
    """An answer that asks for another try, perhaps after a time."""

    def __init__(self, status: int, retry_after: str) -> None:
        super().__init__(f"status {status}")
        self.retry_after_seconds = float(retry_after) if re.fullmatch("[0-9]{1,6}", retry_after) else 0.0


class _Page(BaseModel):
    items: list[Item]
    next_cursor: str | None


@dataclass(frozen=True)
class RetryPolicy:
    """How often to try, and how long to wait between: a random time up to a limit that doubles."""

    attempts: int = 3
    first_limit_seconds: float = 0.1
    longest_seconds: float = 2

    def pause(self, failures: int, asked_for: float, chance: float) -> float:
        """Seconds to wait after so many failures; `chance` is a random number from 0 to 1."""
        limit = min(self.first_limit_seconds * 2.0 ** (failures - 1), self.longest_seconds)
        return min(max(limit * chance, asked_for), self.longest_seconds)


class ItemsClient:
    """Reads from the items service at `base_url`, its base path included."""

    def __init__(
        self,
        base_url: str,
        *,
        deadline_seconds: float,
        policy: RetryPolicy | None = None,
        breaker: CircuitBreaker | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._deadline_seconds = deadline_seconds
        self._policy = policy or RetryPolicy()
        self.breaker = breaker or CircuitBreaker()
        # Redirects are not followed: a service has one address, and a wrong one should show.
        self._http = httpx2.AsyncClient(timeout=_TIMEOUTS, transport=transport)
        self._sleep = sleep
        self._chance = chance

    async def close(self) -> None:
        """Close pooled connections."""
        await self._http.aclose()

    async def all(self, at_most: int) -> tuple[list[Item], bool]:
        """Items, newest first, and whether those are all; stops once there are `at_most`."""
        items: list[Item] = []
        cursor: str | None = None
        try:
            async with asyncio.timeout(self._deadline_seconds):
                while True:
                    page = await self._page(cursor)
                    items += page.items
                    cursor = page.next_cursor
                    if cursor is None or len(items) >= at_most:
                        return items[:at_most], cursor is None and len(items) <= at_most
        except TimeoutError as error:
            self.breaker.failed()
            raise ItemsTimeoutError(f"not read within {self._deadline_seconds} s") from error

    async def probe(self) -> None:
        """One try, past the circuit breaker: can the items service be reached at all?"""
        try:
            answer = await self._http.get(f"{self._base_url}/health", headers=self._headers())
        except httpx2.TimeoutException as error:
            raise ItemsTimeoutError("no answer in time") from error
        except httpx2.HTTPError as error:
            raise ItemsFailedError(f"{type(error).__name__}: {error}") from error
        if answer.status_code != 200:
            raise ItemsFailedError(f"status {answer.status_code}")

    async def _page(self, cursor: str | None) -> _Page:
        failures = 0
        while True:
            try:
                self.breaker.before_call()
            except CircuitOpenError as error:
                raise ItemsUnavailableError(error.retry_after_seconds) from error
            asked_for = 0.0
            failure: ItemsFailedError
            try:
                page = await self._try_page(cursor)
            except _BusyError as error:
                failure, asked_for = ItemsFailedError(str(error)), error.retry_after_seconds
            except httpx2.TimeoutException as error:
                failure = ItemsTimeoutError(f"no answer in time ({type(error).__name__})")
            except httpx2.TransportError as error:
                failure = ItemsFailedError(f"{type(error).__name__}: {error}")
            else:
                return page
            self.breaker.failed()
            failures += 1
            logger.warning("items service failed", extra={"attempt": failures, "error": str(failure)})
            if failures >= self._policy.attempts:
                raise failure
            await self._sleep(self._policy.pause(failures, asked_for, self._chance()))

    async def _try_page(self, cursor: str | None) -> _Page:
        parameters: dict[str, str | int] = {"limit": PAGE_SIZE} | ({"cursor": cursor} if cursor else {})
        answer = await self._http.get(f"{self._base_url}/items", params=parameters, headers=self._headers())
        if answer.status_code == 429 or answer.status_code >= 500:
            raise _BusyError(answer.status_code, answer.headers.get("retry-after", ""))
        # Other answers come from a mistake on either side: the service is up, and asking again would not help.
        self.breaker.succeeded()
        if answer.status_code != 200:
            raise ItemsFailedError(f"status {answer.status_code} where a page of items was expected")
        try:
            return _Page.model_validate_json(answer.content)
        except ValidationError as error:
            raise ItemsFailedError(f"not a page of items: {error.error_count()} fields are wrong") from error

    @staticmethod
    def _headers() -> dict[str, str]:
        """The request id goes along, so that one id finds the logs of both services."""
        current = logs.request_id.get()
        return {"accept": "application/json"} | ({"x-request-id": current} if current else {})
