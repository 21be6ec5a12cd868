"""What the store does when DynamoDB answers late, twice, or not at all."""

import asyncio
import logging
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from botocore.stub import Stubber
from conftest import TABLE, TestClient
from items_api.ids import new_id
from items_api.main import create_app
from items_api.models import Item
from items_api.store import ItemStore, RequestInProgressError, VersionConflictError, connect


def item(**change) -> Item:
    now = datetime.now(UTC)
    fields = {
        "id": new_id(),
        "version": 1,
        "name": "Broom",
        "category": "tools",
        "description": "",
        "price_cents": 1,
        "quantity": 1,
        "reorder_level": 0,
        "created_at": now,
        "updated_at": now,
    }
    return Item(**fields | change)


def changed(old: Item, **change) -> Item:
    return old.model_copy(update={"version": old.version + 1, **change})


@pytest.fixture
def store(dynamodb) -> ItemStore:
    return ItemStore(dynamodb, TABLE)


def test_a_race_between_two_writers_has_one_winner(store):
    first = item()
    asyncio.run(store.create(first))
    asyncio.run(store.replace(first, changed(first, quantity=5)))
    with pytest.raises(VersionConflictError):
        asyncio.run(store.replace(first, changed(first, quantity=6)))
    with pytest.raises(VersionConflictError):
        asyncio.run(store.delete(first))
    assert asyncio.run(store.get(first.id)).quantity == 5


def test_a_write_that_meets_itself_has_succeeded(store):
    """The SDK sends a request again when its answer is lost; the second one fails its own condition."""
    first = item()
    asyncio.run(store.create(first))
    second = changed(first, quantity=5)
    asyncio.run(store.replace(first, second))
    asyncio.run(store.replace(first, second))
    asyncio.run(store.delete(second))
    asyncio.run(store.delete(second))
    assert asyncio.run(store.get(first.id)) is None


def test_an_item_deleted_meanwhile_is_not_brought_back(store):
    first = item()
    asyncio.run(store.create(first))
    asyncio.run(store.delete(first))
    with pytest.raises(VersionConflictError):
        asyncio.run(store.replace(first, changed(first)))


@pytest.mark.parametrize("operation", ["replace", "delete"])
def test_other_refusals_are_not_taken_for_conflicts(dynamodb, operation):
    store, old = ItemStore(dynamodb, TABLE), item()
    with Stubber(dynamodb) as stub:
        stub.add_client_error("put_item" if operation == "replace" else "delete_item", "AccessDeniedException")
        write = store.replace(old, changed(old)) if operation == "replace" else store.delete(old)
        with pytest.raises(ClientError, match="AccessDenied"):
            asyncio.run(write)


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ([{"Code": "TransactionConflict"}, {"Code": "None"}], RequestInProgressError),
        ([{"Code": "ThrottlingError"}, {"Code": "None"}], ClientError),
    ],
)
def test_a_cancelled_transaction_is_read_by_its_reasons(dynamodb, reasons, expected):
    with Stubber(dynamodb) as stub:
        stub.add_client_error(
            "transact_write_items",
            "TransactionCanceledException",
            modeled_fields={"CancellationReasons": reasons},
        )
        with pytest.raises(expected):
            asyncio.run(ItemStore(dynamodb, TABLE).create_once(item(), "key-000001", "digest"))


def test_a_memory_that_vanishes_before_it_is_read_asks_for_another_try(dynamodb):
    with Stubber(dynamodb) as stub:
        stub.add_client_error(
            "transact_write_items",
            "TransactionCanceledException",
            modeled_fields={"CancellationReasons": [{"Code": "ConditionalCheckFailed"}, {"Code": "None"}]},
        )
        stub.add_response("get_item", {})
        with pytest.raises(RequestInProgressError):
            asyncio.run(ItemStore(dynamodb, TABLE).create_once(item(), "key-000001", "digest"))


def fails_with(error):
    async def fail(*_args, **_keywords):
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "GetItem"), 503),
        (ClientError({"Error": {"Code": "AccessDeniedException", "Message": "arn:secret"}}, "GetItem"), 500),
        (ConnectTimeoutError(endpoint_url="https://dynamodb.invalid"), 503),
        (ZeroDivisionError("inner detail"), 500),
    ],
)
def test_trouble_with_the_table_is_told_without_its_details(api, monkeypatch, error, status, caplog):
    monkeypatch.setattr(ItemStore, "get", fails_with(error))
    quiet = TestClient(api.app, raise_server_exceptions=False)
    with caplog.at_level(logging.ERROR):
        answer = quiet.get(f"/a/items/{new_id()}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"]
    assert "arn:secret" not in answer.text
    assert "inner detail" not in answer.text
    assert ("retry-after" in answer.headers) == (status == 503)
    assert caplog.records


def test_a_request_still_under_way_is_a_conflict(api, monkeypatch, broom):
    monkeypatch.setattr(ItemStore, "create_once", fails_with(RequestInProgressError()))
    answer = api.post("/a/items", json=broom, headers={"Idempotency-Key": "key-000001"})
    assert answer.status_code == 409
    assert answer.headers["retry-after"] == "1"


def test_a_lost_race_is_a_conflict(api, monkeypatch, broom):
    path = api.post("/a/items", json=broom).headers["location"]
    monkeypatch.setattr(ItemStore, "replace", fails_with(VersionConflictError()))
    answer = api.patch(path, json={"quantity": 1}, headers={"If-Match": '"1"'})
    assert answer.status_code == 412
    assert "current_version" not in answer.json()


def test_the_client_gives_up_early(dynamodb):
    config = connect("eu-west-1").meta.config
    assert (config.connect_timeout, config.read_timeout, config.retries["total_max_attempts"]) == (1, 2, 3)


def test_ids_sort_by_time(monkeypatch):
    made = []
    for millisecond in range(1_700_000_000_000, 1_700_000_000_300):
        monkeypatch.setattr("time.time_ns", lambda now=millisecond: now * 1_000_000)
        made.append(str(new_id()))
    assert made == sorted(made)
    assert len(set(made)) == 300


def test_the_service_can_be_served_at_the_root(dynamodb, settings):
    with TestClient(create_app(settings.model_copy(update={"base_path": ""}))) as api:
        assert api.get("/items").status_code == 200
        assert api.get("/health").status_code == 200
