"""Retries, circuit breaker and cached readings, in a time that the test moves."""

import asyncio

import httpx2
import pytest
from conftest import FakeItems, item
from reports_api.breaker import CircuitBreaker, CircuitOpenError
from reports_api.items import ItemsClient, ItemsFailedError, ItemsTimeoutError, ItemsUnavailableError, RetryPolicy
from reports_api.snapshots import Snapshots


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def client(items: FakeItems, clock: Clock, **change) -> ItemsClient:
    return ItemsClient(
        "http://balancer.test/a",
        **{
            "deadline_seconds": 10,
            "breaker": CircuitBreaker(clock=clock),
            "transport": httpx2.MockTransport(items),
            "sleep": clock.sleep,
            "chance": lambda: 1.0,
        }
        | change,
    )


def test_a_passing_failure_is_tried_again(items, clock):
    items.items = [item(1)]
    items.fail = lambda number: httpx2.Response(502) if number < 2 else None
    found, complete = asyncio.run(client(items, clock).all(10))
    assert (len(found), complete) == (1, True)
    assert clock.slept == [0.1, 0.2]


def test_tries_are_bounded(items, clock):
    items.fail = lambda _: httpx2.Response(429)
    with pytest.raises(ItemsFailedError, match="status 429"):
        asyncio.run(client(items, clock).all(10))
    assert len(items.requests) == 3


def test_a_mistake_is_not_tried_again(items, clock):
    items.fail = lambda _: httpx2.Response(422)
    with pytest.raises(ItemsFailedError, match="422"):
        asyncio.run(client(items, clock).all(10))
    assert len(items.requests) == 1


@pytest.mark.parametrize(
    ("header", "slept"), [("1", 1.0), ("3600", 2.0), ("0", 0.1), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.1), ("-5", 0.1)]
)
def test_retry_after_is_heeded_within_reason(items, clock, header, slept):
    items.fail = lambda number: httpx2.Response(503, headers={"retry-after": header}) if number == 0 else None
    asyncio.run(client(items, clock).all(10))
    assert clock.slept == [slept]


def test_pauses_are_random_up_to_a_limit_that_doubles():
    policy = RetryPolicy(attempts=99, first_limit_seconds=0.1, longest_seconds=2)
    assert [policy.pause(failures, 0, 1.0) for failures in (1, 2, 3, 9)] == [0.1, 0.2, 0.4, 2]
    assert policy.pause(3, 0, 0.5) == 0.2
    assert policy.pause(3, 0, 0.0) == 0.0


def test_the_breaker_opens_tries_once_and_closes(clock):
    breaker = CircuitBreaker(threshold=3, cooldown_seconds=10, clock=clock)
    for _ in range(3):
        breaker.before_call()
        assert not breaker.is_open
        breaker.failed()
    assert breaker.is_open
    clock.now += 4
    with pytest.raises(CircuitOpenError) as refused:
        breaker.before_call()
    assert refused.value.retry_after_seconds == 6
    clock.now += 6
    breaker.before_call()
    with pytest.raises(CircuitOpenError):  # one trial at a time
        breaker.before_call()
    breaker.failed()
    with pytest.raises(CircuitOpenError):
        breaker.before_call()
    clock.now += 10
    breaker.before_call()
    breaker.succeeded()
    assert not breaker.is_open
    breaker.before_call()
    breaker.before_call()


def test_a_success_between_failures_keeps_the_breaker_closed(clock):
    breaker = CircuitBreaker(threshold=2, clock=clock)
    for _ in range(5):
        breaker.failed()
        breaker.succeeded()
    assert not breaker.is_open


def test_an_open_circuit_sends_nothing_and_recovers(items, clock):
    async def scenario() -> None:
        subject = client(items, clock)
        items.fail = lambda _: httpx2.Response(503)
        with pytest.raises(ItemsFailedError):
            await subject.all(10)
        with pytest.raises(ItemsUnavailableError):
            await subject.all(10)
        sent = len(items.requests)
        with pytest.raises(ItemsUnavailableError):
            await subject.all(10)
        assert len(items.requests) == sent
        items.fail = lambda _: None
        clock.now += 10
        assert await subject.all(10) == ([], True)
        await subject.close()

    asyncio.run(scenario())


def test_the_deadline_holds_for_all_pages_together(items, clock):
    items.items = [item(n) for n in range(500)]
    items.delay_seconds = 0.03
    with pytest.raises(ItemsTimeoutError):
        asyncio.run(client(items, clock, deadline_seconds=0.08).all(1000))
    assert 2 <= len(items.requests) <= 3


@pytest.mark.parametrize(("count", "at_most", "complete"), [(100, 100, True), (101, 100, False), (150, 120, False)])
def test_complete_means_all_of_them(items, clock, count, at_most, complete):
    items.items = [item(n) for n in range(count)]
    found, said = asyncio.run(client(items, clock).all(at_most))
    assert (len(found), said) == (at_most, complete)


def snapshots(items: FakeItems, clock: Clock, **change) -> Snapshots:
    settings = {"max_items": 1000, "cache_seconds": 15, "stale_seconds": 300, "clock": clock} | change
    return Snapshots(client(items, clock), **settings)


def test_readings_are_kept_for_the_cache_time_only(items, clock):
    async def scenario() -> None:
        subject = snapshots(items, clock)
        first = await subject.current()
        clock.now += 15
        assert await subject.current() is first
        clock.now += 0.1
        assert await subject.current() is not first

    asyncio.run(scenario())
    assert len(items.requests) == 2


def test_many_callers_make_one_reading(items, clock):
    items.delay_seconds = 0.01

    async def scenario() -> None:
        subject = snapshots(items, clock, cache_seconds=0)
        readings = await asyncio.gather(*(subject.current() for _ in range(20)))
        assert all(reading is readings[0] for reading in readings)

    asyncio.run(scenario())
    assert len(items.requests) == 1


def test_a_failed_reading_fails_for_all_who_waited_for_it_and_for_no_other(items, clock):
    items.delay_seconds = 0.01
    items.fail = lambda _: httpx2.Response(404)

    async def scenario() -> None:
        subject = snapshots(items, clock)
        outcomes = await asyncio.gather(*(subject.current() for _ in range(20)), return_exceptions=True)
        assert all(isinstance(outcome, ItemsFailedError) for outcome in outcomes)
        assert len(items.requests) == 1
        items.fail = lambda _: None
        clock.now += 0.1
        assert (await subject.current()).items == []

    asyncio.run(scenario())


def test_an_old_reading_stands_in_only_so_long(items, clock):
    async def scenario() -> None:
        subject = snapshots(items, clock)
        await subject.current()
        items.fail = lambda _: httpx2.Response(404)
        clock.now += 299
        assert (await subject.current()).stale
        clock.now += 2
        with pytest.raises(ItemsFailedError):
            await subject.current()

    asyncio.run(scenario())


def test_an_answer_from_the_items_service_resets_the_count_of_failures(items, clock):
    async def scenario() -> None:
        subject = client(items, clock, policy=RetryPolicy(attempts=1))
        for status in (503, 503, 503, 503, 404, 503, 503, 503, 503):
            items.fail = lambda _, status=status: httpx2.Response(status)
            with pytest.raises(ItemsFailedError, match=str(status)):
                await subject.all(10)
        assert not subject.breaker.is_open
        with pytest.raises(ItemsFailedError):
            await subject.all(10)
        assert subject.breaker.is_open

    asyncio.run(scenario())


def test_a_missed_deadline_counts_as_a_failure(items, clock):
    items.delay_seconds = 5
    subject = client(items, clock, deadline_seconds=0.02, breaker=CircuitBreaker(threshold=1, clock=clock))
    with pytest.raises(ItemsTimeoutError):
        asyncio.run(subject.all(10))
    assert subject.breaker.is_open
