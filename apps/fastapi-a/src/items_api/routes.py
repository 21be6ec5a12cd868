"""The HTTP face of the store: paths, headers and status codes."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import StringConstraints

from . import cursors, preconditions
from .ids import new_id
from .models import Category, Item, ItemInput, ItemPage, ItemPatch
from .settings import Settings
from .store import ItemStore, RequestInProgressError, VersionConflictError
from .web.problems import Problem, ProblemDetails

_ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ProblemDetails, "description": "The request is at fault"},
    "5XX": {"model": ProblemDetails, "description": "The service is at fault"},
}
router = APIRouter(prefix="/items", tags=["items"], responses=_ERRORS)
probes = APIRouter(tags=["probes"])


def _store(request: Request) -> ItemStore:
    store: ItemStore = request.app.state.store
    return store


def _signing_key(request: Request) -> bytes:
    settings: Settings = request.app.state.settings
    return settings.api_signing_key.get_secret_value().encode()


Store = Annotated[ItemStore, Depends(_store)]
SigningKey = Annotated[bytes, Depends(_signing_key)]
IfMatch = Annotated[str | None, Header(description="ETag of the version to change, or `*`", alias="If-Match")]
IdempotencyKey = Annotated[
    Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{8,128}$")] | None,
    Header(description="a request sent again with the same key within 24 hours creates nothing more"),
]


@router.get("")
async def list_items(
    store: Store,
    key: SigningKey,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    category: Annotated[Category | None, Query()] = None,
    cursor: Annotated[str | None, Query(max_length=512)] = None,
) -> ItemPage:
    """Items, newest first, page by page."""
    before = None
    if cursor is not None:
        try:
            values = cursors.decode(cursor, key)
        except cursors.InvalidCursorError as error:
            raise Problem(400, "The cursor is not valid; start again without one.", slug="invalid-cursor") from error
        if values["category"] != category:
            raise Problem(400, "The cursor belongs to a listing of another category.", slug="invalid-cursor")
        before = values["before"]
    items, position = await store.page(limit, category, before)
    following = cursors.encode({"before": position, "category": category}, key) if position else None
    return ItemPage(items=items, next_cursor=following)


@router.post("", status_code=201)
async def create_item(
    store: Store, request: Request, response: Response, body: ItemInput, idempotency_key: IdempotencyKey = None
) -> Item:
    """Create an item."""
    now = datetime.now(UTC)
    item = Item(id=new_id(), version=1, created_at=now, updated_at=now, **body.model_dump())
    if idempotency_key is None:
        await store.create(item)
    else:
        digest = hashlib.sha256(body.model_dump_json().encode()).hexdigest()
        try:
            remembered = await store.create_once(item, idempotency_key, digest)
        except RequestInProgressError as error:
            raise Problem(
                409,
                "A request with this idempotency key is still under way.",
                slug="request-in-progress",
                headers={"Retry-After": "1"},
            ) from error
        if remembered is not None:
            if remembered.digest != digest:
                raise Problem(422, "This idempotency key was used with another body.", slug="idempotency-key-reused")
            item = remembered.item
            response.headers["Idempotent-Replayed"] = "true"
    response.headers["Location"] = f"{request.url.path}/{item.id}"
    response.headers["ETag"] = item.etag
    return item


@router.get("/{item_id}", response_model=Item, responses={304: {"description": "Unchanged since that ETag"}})
async def read_item(
    store: Store,
    response: Response,
    item_id: UUID,
    none_match: Annotated[str | None, Header(alias="If-None-Match")] = None,
) -> Item | Response:
    """One item."""
    item = await _existing(store, item_id)
    if none_match is not None and not preconditions.if_none_match(none_match, item.etag):
        return Response(status_code=304, headers={"ETag": item.etag})
    response.headers["ETag"] = item.etag
    return item


@router.put("/{item_id}")
async def replace_item(
    store: Store, response: Response, item_id: UUID, body: ItemInput, if_match: IfMatch = None
) -> Item:
    """Replace every field of an item."""
    return await _update(store, response, item_id, if_match, body.model_dump())


@router.patch("/{item_id}")
async def change_item(
    store: Store, response: Response, item_id: UUID, body: ItemPatch, if_match: IfMatch = None
) -> Item:
    """Change some fields of an item (`application/merge-patch+json`)."""
    return await _update(store, response, item_id, if_match, body.model_dump(exclude_unset=True))


@router.delete("/{item_id}", status_code=204)
async def delete_item(store: Store, item_id: UUID, if_match: IfMatch = None) -> None:
    """Delete an item."""
    current = await _matching(store, item_id, if_match)
    await _or_conflict(lambda: store.delete(current))


@probes.get("/health")
async def health() -> dict[str, str]:
    """Alive: the process answers. Knows nothing of the table, whose trouble no restart would mend."""
    return {"status": "ok"}


@probes.get("/ready", responses={503: {"model": ProblemDetails, "description": "The table cannot be read"}})
async def ready(store: Store) -> dict[str, str]:
    """Ready: the table is there and may be read."""
    try:
        await store.probe()
    except (ClientError, BotoCoreError) as error:
        raise Problem(
            503, "The table cannot be read.", slug="table-unavailable", headers={"Retry-After": "5"}
        ) from error
    return {"status": "ready"}


async def _existing(store: ItemStore, item_id: UUID) -> Item:
    item = await store.get(item_id)
    if item is None:
        raise Problem(404, f"There is no item {item_id}.")
    return item


async def _matching(store: ItemStore, item_id: UUID, if_match: str | None) -> Item:
    """The item as it is now, if the client has seen this version."""
    if if_match is None:
        raise Problem(428, "Send the ETag that you have seen in If-Match, so that nobody's change is lost.")
    current = await _existing(store, item_id)
    try:
        matches = preconditions.if_match(if_match, current.etag)
    except preconditions.MalformedHeaderError as error:
        raise Problem(400, "If-Match must be `*` or a list of quoted ETags.") from error
    if not matches:
        raise _conflict(current.version)
    return current


async def _update(
    store: ItemStore, response: Response, item_id: UUID, if_match: str | None, changes: dict[str, Any]
) -> Item:
    current = await _matching(store, item_id, if_match)
    new = current.model_copy(update={**changes, "version": current.version + 1, "updated_at": datetime.now(UTC)})
    await _or_conflict(lambda: store.replace(current, new))
    response.headers["ETag"] = new.etag
    return new


async def _or_conflict(write: Callable[[], Awaitable[None]]) -> None:
    try:
        await write()
    except VersionConflictError as error:
        raise _conflict(None) from error


def _conflict(version: int | None) -> Problem:
    extra: dict[str, Any] = {} if version is None else {"current_version": version}
    return Problem(412, "The item has changed since you read it; read it again.", slug="version-conflict", **extra)
