"""The items API as clients see it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest


def create(api: Any, item: dict[str, Any], **headers: str) -> Any:
    return api.post("/a/items", json=item, headers=headers)


def test_create_answers_with_the_item_and_where_it_is(api, broom):
    answer = create(api, broom)
    assert answer.status_code == 201
    item = answer.json()
    assert item | broom == item
    assert item["version"] == 1
    assert item["description"] == ""
    assert item["expires_at"] is None
    assert UUID(item["id"]).version == 7
    assert answer.headers["location"] == f"/a/items/{item['id']}"
    assert answer.headers["etag"] == '"1"'
    assert api.get(answer.headers["location"]).json() == item


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "   "}, "body.name"),
        ({"name": "x" * 121}, "body.name"),
        ({"category": "Garden Tools"}, "body.category"),
        ({"price_cents": -1}, "body.price_cents"),
        ({"price_cents": 12.5}, "body.price_cents"),
        ({"price_cents": "1250"}, "body.price_cents"),
        ({"quantity": True}, "body.quantity"),
        ({"quantity": 1_000_001}, "body.quantity"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "body.expires_at"),
        ({"expires_at": "2099-01-01T00:00:00"}, "body.expires_at"),
        ({"color": "red"}, "body.color"),
    ],
)
def test_each_wrong_field_is_named(api, broom, change, field):
    answer = create(api, broom | change)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_all_wrong_fields_come_in_one_answer(api):
    answer = create(api, {"name": "", "price_cents": -1})
    fields = {error["field"] for error in answer.json()["errors"]}
    assert fields == {"body.name", "body.category", "body.price_cents", "body.quantity"}


def test_what_is_not_json_is_a_bad_request(api):
    answer = api.post("/a/items", content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:problem:invalid-request"


def test_half_a_surrogate_pair_is_no_text(api, broom):
    body = json.dumps(broom | {"name": "\ud800"})
    answer = api.post("/a/items", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422


def test_a_huge_body_is_refused(api, broom):
    answer = create(api, broom | {"description": "x" * 70_000})
    assert answer.status_code == 413
    assert answer.json()["detail"] == "The body is over 65536 bytes."
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_read_with_the_current_etag_sends_nothing(api, broom):
    created = create(api, broom)
    path = created.headers["location"]
    assert api.get(path, headers={"If-None-Match": 'W/"1"'}).status_code == 304
    assert api.get(path, headers={"If-None-Match": '"7", "1"'}).status_code == 304
    assert api.get(path, headers={"If-None-Match": "*"}).status_code == 304
    assert api.get(path, headers={"If-None-Match": '"2"'}).status_code == 200
    assert api.get(path, headers={"If-None-Match": "1"}).status_code == 200


def test_put_replaces_every_field(api, broom):
    path = create(api, broom | {"description": "long handle"}).headers["location"]
    answer = api.put(path, json=broom | {"quantity": 3}, headers={"If-Match": '"1"'})
    assert answer.status_code == 200
    assert answer.headers["etag"] == '"2"'
    item = answer.json()
    assert (item["quantity"], item["description"], item["version"]) == (3, "", 2)
    assert item["updated_at"] > item["created_at"]
    assert api.get(path).json() == item


def test_patch_changes_only_what_is_sent(api, broom):
    path = create(api, broom).headers["location"]
    answer = api.patch(path, json={"quantity": 0}, headers={"If-Match": '"1"'})
    assert answer.status_code == 200
    item = api.get(path).json()
    assert item == answer.json()
    assert item | broom | {"quantity": 0} == item


def test_patch_takes_merge_patch_documents_and_rejects_nulls(api, broom):
    path = create(api, broom | {"expires_at": "2099-01-01T00:00:00Z"}).headers["location"]
    headers = {"If-Match": "*", "content-type": "application/merge-patch+json"}
    answer = api.patch(path, content=b'{"expires_at": null}', headers=headers)
    assert answer.status_code == 200
    assert answer.json()["expires_at"] is None
    answer = api.patch(path, content=b'{"name": null}', headers=headers)
    assert answer.status_code == 422
    assert "name cannot be null" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_write_needs_the_version_that_it_changes(api, broom, method):
    path = create(api, broom).headers["location"]
    body = {} if method == "DELETE" else {"json": broom}
    assert api.request(method, path, **body).status_code == 428
    assert api.request(method, path, **body, headers={"If-Match": "1"}).status_code == 400
    assert api.request(method, path, **body, headers={"If-Match": ""}).status_code == 400
    assert api.request(method, path, **body, headers={"If-Match": 'W/"1"'}).status_code == 412
    stale = api.request(method, path, **body, headers={"If-Match": '"2"'})
    assert stale.status_code == 412
    assert stale.json()["type"] == "urn:problem:version-conflict"
    assert stale.json()["current_version"] == 1
    assert api.request(method, path, **body, headers={"If-Match": '"9", "1"'}).status_code < 300


def test_of_two_writes_from_one_version_the_second_loses(api, broom):
    path = create(api, broom).headers["location"]
    assert api.patch(path, json={"quantity": 1}, headers={"If-Match": '"1"'}).status_code == 200
    assert api.patch(path, json={"quantity": 2}, headers={"If-Match": '"1"'}).status_code == 412
    assert api.get(path).json()["quantity"] == 1


def test_delete(api, broom):
    path = create(api, broom).headers["location"]
    answer = api.delete(path, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.get(path).status_code == 404
    assert api.delete(path, headers={"If-Match": '"1"'}).status_code == 404


def test_what_does_not_exist_is_not_found(api, broom):
    nowhere = "/a/items/01890000-0000-7000-8000-000000000000"
    assert api.get(nowhere).status_code == 404
    assert api.put(nowhere, json=broom, headers={"If-Match": "*"}).status_code == 404
    assert api.get("/a/items/not-an-id").status_code == 422


def test_an_expired_item_is_gone_before_the_table_removes_it(api, dynamodb, broom):
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    created = create(api, broom | {"expires_at": soon}).json()
    assert [item["id"] for item in api.get("/a/items").json()["items"]] == [created["id"]]
    row = dynamodb.scan(TableName="items-test")["Items"][0]
    assert abs(int(row["expires_at"]["N"]) - datetime.now(UTC).timestamp() - 3600) < 60
    dynamodb.put_item(TableName="items-test", Item=row | {"expires_at": {"N": "1000000000"}})
    assert api.get(f"/a/items/{created['id']}").status_code == 404
    assert api.get("/a/items").json() == {"items": [], "next_cursor": None}


def test_the_same_idempotency_key_creates_one_item(api, broom):
    first = create(api, broom, **{"Idempotency-Key": "key-000001"})
    again = create(api, broom, **{"Idempotency-Key": "key-000001"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert len(api.get("/a/items").json()["items"]) == 1


def test_an_idempotency_key_belongs_to_one_body(api, broom):
    create(api, broom, **{"Idempotency-Key": "key-000001"})
    answer = create(api, broom | {"quantity": 1}, **{"Idempotency-Key": "key-000001"})
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:problem:idempotency-key-reused"


def test_an_idempotency_key_is_forgotten_in_time(api, dynamodb, broom):
    create(api, broom, **{"Idempotency-Key": "key-000001"})
    row = dynamodb.get_item(
        TableName="items-test", Key={"pk": {"S": "IDEMPOTENCY#key-000001"}, "sk": {"S": "REQUEST"}}
    )["Item"]
    dynamodb.put_item(TableName="items-test", Item=row | {"expires_at": {"N": "1000000000"}})
    assert "idempotent-replayed" not in create(api, broom, **{"Idempotency-Key": "key-000001"}).headers
    assert len(api.get("/a/items").json()["items"]) == 2


def test_the_probes_answer_at_the_root_and_below_the_base_path(api):
    for path in ("/health", "/a/health"):
        assert api.get(path).json() == {"status": "ok"}
    for path in ("/ready", "/a/ready"):
        assert api.get(path).json() == {"status": "ready"}


def test_nothing_else_is_served_at_the_root(api):
    answer = api.get("/items")
    assert answer.status_code == 404
    assert answer.json()["instance"] == "/items"
    assert api.put("/a/items").status_code == 405


def test_not_ready_without_the_table_yet_alive(api, dynamodb):
    dynamodb.delete_table(TableName="items-test")
    answer = api.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:problem:table-unavailable"
    assert api.get("/health").status_code == 200


def test_every_answer_has_a_request_id(api):
    assert api.get("/health", headers={"X-Request-Id": "from-the-edge.1"}).headers["x-request-id"] == "from-the-edge.1"
    made = api.get("/a/items/nonsense", headers={"X-Request-Id": 'evil" id\t'})
    assert made.json()["request_id"] == made.headers["x-request-id"]
    assert len(made.headers["x-request-id"]) == 32


def test_the_openapi_document_is_served_below_the_base_path(api):
    document = api.get("/a/openapi.json").json()
    assert set(document["paths"]["/a/items/{item_id}"]) == {"get", "put", "patch", "delete"}
