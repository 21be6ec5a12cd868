"""Pages of items: order, completeness, and cursors that cannot be forged."""

import base64
from uuid import UUID

import pytest
from items_api import cursors


def fill(api, broom, count, **change):
    return [api.post("/a/items", json=broom | {"name": f"item {n}"} | change).json()["id"] for n in range(count)]


def walk(api, **parameters):
    pages = []
    cursor = {}
    while True:
        answer = api.get("/a/items", params=parameters | cursor)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        pages.append([item["id"] for item in page["items"]])
        if page["next_cursor"] is None:
            return pages
        cursor = {"cursor": page["next_cursor"]}
        assert len(pages) < 500


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 25, 26, 100])
def test_a_walk_finds_every_item_once_newest_first(api, broom, limit):
    created = fill(api, broom, 25)
    assert {UUID(each).int % 4 for each in created} == {0, 1, 2, 3}
    pages = walk(api, limit=limit)
    found = [each for page in pages for each in page]
    assert found == sorted(created, reverse=True)
    assert all(len(page) <= limit for page in pages)


def test_items_made_meanwhile_do_not_disturb_a_walk(api, broom):
    created = fill(api, broom, 6)
    first = api.get("/a/items", params={"limit": 3}).json()
    fill(api, broom, 3)
    rest = api.get("/a/items", params={"limit": 100, "cursor": first["next_cursor"]}).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == sorted(created, reverse=True)


def test_a_category_is_found_among_many_others(api, broom, monkeypatch):
    monkeypatch.setattr("items_api.store._FILTERED_ROWS", 2)
    wanted = fill(api, broom, 3, category="rare")
    fill(api, broom, 60)
    wanted += fill(api, broom, 2, category="rare")
    pages = walk(api, limit=2, category="rare")
    assert [each for page in pages for each in page] == sorted(wanted, reverse=True)
    assert all(len(page) <= 2 for page in pages)
    # Five rounds a request end before the older ones are reached: a page may be empty and still have a next one.
    assert [] in pages


def test_no_items(api):
    assert api.get("/a/items").json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("limit", ["0", "101", "ten"])
def test_the_limit_has_limits(api, limit):
    assert api.get("/a/items", params={"limit": limit}).status_code == 422


def test_a_cursor_belongs_to_its_category(api, broom):
    fill(api, broom, 2)
    cursor = api.get("/a/items", params={"limit": 1}).json()["next_cursor"]
    answer = api.get("/a/items", params={"cursor": cursor, "category": "tools"})
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:problem:invalid-cursor"


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "+/+/", "é", "a" * 512])
def test_a_made_up_cursor_is_refused(api, cursor):
    answer = api.get("/a/items", params={"cursor": cursor})
    assert answer.status_code == 400, answer.text


def test_every_changed_byte_of_a_cursor_shows():
    key = b"one key"
    cursor = cursors.encode({"before": "ITEM#1", "category": None}, key)
    assert cursors.decode(cursor, key) == {"before": "ITEM#1", "category": None}
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    for position in range(len(raw)):
        forged = bytes(raw[:position]) + bytes([raw[position] ^ 1]) + bytes(raw[position + 1 :])
        with pytest.raises(cursors.InvalidCursorError):
            cursors.decode(base64.urlsafe_b64encode(forged).decode().rstrip("="), key)
    with pytest.raises(cursors.InvalidCursorError):
        cursors.decode(cursor, b"another key")
