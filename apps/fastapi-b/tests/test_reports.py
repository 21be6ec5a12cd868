"""The reports as clients see them, while the items service is well and while it is not."""

import logging

import httpx2
import pytest
from conftest import TestClient, item
from reports_api.main import create_app
from reports_api.settings import Settings


def test_summary(api, items):
    items.items = [item(n) for n in range(250)]
    answer = api.get("/b/summary")
    assert answer.status_code == 200
    report = answer.json()
    assert report["totals"] == {"items": 250, "units": 2500, "value_cents": 250_000, "low_stock": 0}
    assert report["categories"] == [report["totals"] | {"category": "tools"}]
    assert (report["stale"], report["complete"]) == (False, True)
    assert [request.url.params.get("cursor") for request in items.requests] == [None, "100", "200"]


def test_low_stock(api, items):
    items.items = [item(n, quantity=n % 5, category="ab"[n % 2]) for n in range(10)]
    report = api.get("/b/low-stock", params={"limit": 2}).json()
    assert report["total"] == 6
    assert [each["quantity"] for each in report["items"]] == [0, 0]
    assert api.get("/b/low-stock", params={"category": "a"}).json()["total"] == 3


def test_one_reading_serves_both_reports(api, items):
    api.get("/b/summary")
    api.get("/b/low-stock")
    assert len(items.requests) == 1


def test_more_items_than_a_report_takes_in(items):
    items.items = [item(n) for n in range(120)]
    settings = Settings(items_url="http://balancer.test/a", max_items=110)
    with TestClient(create_app(settings, httpx2.MockTransport(items))) as api:
        report = api.get("/b/summary").json()
    assert (report["totals"]["items"], report["complete"]) == (110, False)


def test_the_request_id_goes_along(api, items):
    api.get("/b/summary", headers={"X-Request-Id": "one-request"})
    assert items.requests[0].headers["x-request-id"] == "one-request"


def raises(error):
    def fail(_):
        raise error

    return fail


@pytest.mark.parametrize(
    ("fail", "status", "slug"),
    [
        (lambda _: httpx2.Response(500), 502, "items-failed"),
        (lambda _: httpx2.Response(301, headers={"location": "https://balancer.test/a/items"}), 502, "items-failed"),
        (lambda _: httpx2.Response(404), 502, "items-failed"),
        (lambda _: httpx2.Response(200, text="<html>"), 502, "items-failed"),
        (lambda _: httpx2.Response(200, json={"items": [{}], "next_cursor": None}), 502, "items-failed"),
        (raises(httpx2.ConnectError("refused")), 502, "items-failed"),
        (raises(httpx2.ReadTimeout("slow")), 504, "items-timeout"),
    ],
)
def test_how_the_items_service_fails_is_told(api, items, fail, status, slug, caplog):
    items.fail = fail
    with caplog.at_level(logging.ERROR):
        answer = api.get("/b/summary")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:problem:{slug}"
    assert answer.json()["request_id"]
    assert "no report without items" in caplog.messages


def test_after_repeated_failures_the_items_service_is_left_alone(api, items):
    items.fail = lambda _: httpx2.Response(503)
    statuses = [api.get("/b/summary").status_code for _ in range(3)]
    assert statuses == [502, 503, 503]
    assert len(items.requests) == 5
    answer = api.get("/b/summary")
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert answer.json()["type"] == "urn:problem:items-unavailable"
    # The probe asks all the same: it has to notice when the items service is back.
    items.fail = lambda _: None
    assert api.get("/ready").status_code == 200


def test_an_answer_too_late_is_a_gateway_timeout(items):
    items.delay_seconds = 5
    settings = Settings(items_url="http://balancer.test/a", deadline_seconds=0.05)
    with TestClient(create_app(settings, httpx2.MockTransport(items))) as api:
        answer = api.get("/b/summary")
    assert answer.status_code == 504


def test_an_earlier_reading_stands_in_and_says_so(items):
    items.items = [item(1)]
    settings = Settings(items_url="http://balancer.test/a", cache_seconds=0)
    with TestClient(create_app(settings, httpx2.MockTransport(items))) as api:
        first = api.get("/b/summary").json()
        items.fail = lambda _: httpx2.Response(404)
        second = api.get("/b/summary").json()
        assert second == first | {"stale": True}
        items.fail = lambda _: None
        assert api.get("/b/summary").json()["stale"] is False


def test_health_knows_nothing_of_the_items_service_but_ready_does(api, items):
    assert api.get("/ready").json() == api.get("/b/ready").json() == {"status": "ready"}
    items.fail = lambda _: httpx2.Response(503)
    assert api.get("/ready").status_code == 502
    items.fail = raises(httpx2.ConnectError("refused"))
    assert api.get("/ready").status_code == 502
    items.fail = raises(httpx2.ConnectTimeout("slow"))
    assert api.get("/b/ready").status_code == 504
    assert api.get("/health").json() == api.get("/b/health").json() == {"status": "ok"}


def test_wrong_parameters_and_paths(api):
    assert api.get("/b/low-stock", params={"limit": 0}).status_code == 422
    assert api.get("/summary").json()["status"] == 404
    assert set(api.get("/b/openapi.json").json()["paths"]) == {"/b/summary", "/b/low-stock", "/health", "/ready"}
