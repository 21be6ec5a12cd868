"""Items in the DynamoDB table. What always holds:

* Keys are `pk` and `sk` (strings); `expires_at` (epoch seconds) is the table's TTL attribute. DynamoDB removes expired
  rows hours later, so every read treats them as gone already.
* Items lie in `SHARDS` partitions, so that no single one takes all the traffic. An item's shard is the last hex digit
  of its id, and within a shard keys sort by creation time, so the newest-first listing is a merge of the shards.
* A write names the version that it replaces and fails if another one is there.
* The SDK blocks, so its calls run in threads, never more of them at once than there are pooled connections.
"""

import asyncio
import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import anyio
import anyio.to_thread
import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import ClientError

from .models import Item

SHARDS = 4
IDEMPOTENCY_SECONDS = 24 * 3600
_CONNECTIONS = 32
# How much of each shard one round of a filtered listing looks at, and how many rounds one request may take.
_FILTERED_ROWS = 100
_ROUNDS = 5
_AFTER_EVERY_ITEM = "ITEM$"  # "$" sorts right after the "#" that every item's key has there
_PROBE = {"pk": {"S": "READINESS"}, "sk": {"S": "READINESS"}}

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize
Row = dict[str, Any]


class VersionConflictError(Exception):
    """The item is no longer at the version that the write was to replace."""


class RequestInProgressError(Exception):
    """The first request with this idempotency key has not finished."""


@dataclass(frozen=True)
class Remembered:
    """What an earlier request with the same idempotency key asked for (as a digest) and got."""

    digest: str
    item: Item


def connect(region: str | None) -> Any:
    """A DynamoDB client that gives up early: a caller is better served by a 503 than by a hung request."""
    config = Config(
        connect_timeout=1,
        read_timeout=2,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=_CONNECTIONS,
    )
    return boto3.client("dynamodb", region_name=region, config=config)


class ItemStore:
    """Reads and writes items. Methods raise botocore's errors where the table cannot be reached or refuses."""

    def __init__(self, client: Any, table: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._client = client
        self._table = table
        self._now = now
        self._threads = anyio.CapacityLimiter(_CONNECTIONS)

    async def probe(self) -> None:
        """Read one key that need not exist: shows that the table is there and that this service may read it."""
        await self._call("get_item", Key=_PROBE)

    async def get(self, item_id: UUID) -> Item | None:
        """The item as of its last completed write, if there is one that has not expired."""
        found = await self._call("get_item", Key=_encode(_item_key(item_id)), ConsistentRead=True)
        row = _decode(found["Item"]) if "Item" in found else None
        return _to_item(row) if row and not self._expired(row) else None

    async def create(self, item: Item) -> None:
        """Write a new item. Its id is random, so nothing can be there yet, and repeating the call does no harm."""
        await self._call("put_item", Item=_encode(_to_row(item)))

    async def create_once(self, item: Item, key: str, digest: str) -> Remembered | None:
        """Write a new item unless this idempotency key was used before; then return what that use asked for and got."""
        now = int(self._now().timestamp())
        memory = {
            "pk": f"IDEMPOTENCY#{key}",
            "sk": "REQUEST",
            "digest": digest,
            "item": _to_row(item),
            "expires_at": now + IDEMPOTENCY_SECONDS,
        }
        remember = {
            "TableName": self._table,
            "Item": _encode(memory),
            "ConditionExpression": "attribute_not_exists(pk) OR expires_at <= :now",
            "ExpressionAttributeValues": _encode({":now": now}),
        }
        write = {"TableName": self._table, "Item": _encode(_to_row(item))}
        try:
            await self._run("transact_write_items", TransactItems=[{"Put": remember}, {"Put": write}])
        except ClientError as error:
            reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
            if "TransactionConflict" in reasons:
                raise RequestInProgressError from error
            if "ConditionalCheckFailed" not in reasons:
                raise
        else:
            return None
        found = await self._call("get_item", Key=_encode({"pk": memory["pk"], "sk": memory["sk"]}), ConsistentRead=True)
        if "Item" not in found:
            raise RequestInProgressError
        row = _decode(found["Item"])
        return Remembered(digest=row["digest"], item=_to_item(row["item"]))

    async def replace(self, current: Item, new: Item) -> None:
        """Put `new` in the place of `current`, if that is still there."""
        row = _encode(_to_row(new))
        try:
            await self._call("put_item", Item=row, **_at_version(current))
        except ClientError as error:
            if _code(error) != "ConditionalCheckFailedException":
                raise
            # A write whose answer got lost is sent again by the SDK and then meets itself: that is a success.
            if error.response.get("Item") != row:
                raise VersionConflictError from error

    async def delete(self, current: Item) -> None:
        """Remove `current`, if that is still there."""
        try:
            await self._call("delete_item", Key=_encode(_item_key(current.id)), **_at_version(current))
        except ClientError as error:
            if _code(error) != "ConditionalCheckFailedException":
                raise
            # Gone already: either this very request, sent again by the SDK, or another one with the same aim.
            if "Item" in error.response:
                raise VersionConflictError from error

    async def page(self, limit: int, category: str | None, before: str | None) -> tuple[list[Item], str | None]:
        """Up to `limit` items older than the key `before`, newest first, and the key to go on from, if any are left."""
        items: list[Item] = []
        position: str | None = before or _AFTER_EVERY_ITEM
        for _ in range(_ROUNDS):
            assert position is not None  # noqa: S101 - the loop ends where it becomes None
            found, position = await self._round(limit, category, position)
            items += found
            if len(items) > limit:
                return items[:limit], _sort_key(items[limit - 1].id)
            if len(items) == limit or position is None:
                break
        return items, position

    async def _round(self, limit: int, category: str | None, before: str) -> tuple[list[Item], str | None]:
        """One query to each shard, merged, as far as every shard has been read."""
        size = _FILTERED_ROWS if category else limit
        answers = await asyncio.gather(*(self._shard(shard, size, category, before) for shard in range(SHARDS)))
        # A shard that stopped early may hold more right below its last key; what the others have below that must wait
        # for the next round, or it would come out before its turn.
        frontier = max((last for _, last in answers if last is not None), default=None)
        rows = [row for rows, _ in answers for row in rows if frontier is None or row["sk"] >= frontier]
        rows.sort(key=lambda row: str(row["sk"]), reverse=True)
        return [_to_item(row) for row in rows], frontier

    async def _shard(self, shard: int, size: int, category: str | None, before: str) -> tuple[list[Row], str | None]:
        """Rows of one shard, and the last key looked at if there may be more."""
        values: Row = {":pk": f"ITEMS#{shard}", ":before": before, ":now": int(self._now().timestamp())}
        condition = "(attribute_not_exists(expires_at) OR expires_at > :now)"
        if category:
            values[":category"] = category
            condition += " AND category = :category"
        answer = await self._call(
            "query",
            KeyConditionExpression="pk = :pk AND sk < :before",
            FilterExpression=condition,
            ExpressionAttributeValues=_encode(values),
            ScanIndexForward=False,
            Limit=size,
        )
        last = answer.get("LastEvaluatedKey")
        return [_decode(row) for row in answer["Items"]], last["sk"]["S"] if last else None

    def _expired(self, row: Row) -> bool:
        return "expires_at" in row and row["expires_at"] <= self._now().timestamp()

    async def _call(self, operation: str, **arguments: Any) -> Row:
        return await self._run(operation, TableName=self._table, **arguments)

    async def _run(self, operation: str, **arguments: Any) -> Row:
        call = functools.partial(getattr(self._client, operation), **arguments)
        return await anyio.to_thread.run_sync(call, limiter=self._threads)


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def _sort_key(item_id: UUID) -> str:
    return f"ITEM#{item_id}"


def _item_key(item_id: UUID) -> Row:
    return {"pk": f"ITEMS#{item_id.int % SHARDS}", "sk": _sort_key(item_id)}


def _at_version(item: Item) -> Row:
    return {
        "ConditionExpression": "version = :version",
        "ExpressionAttributeValues": _encode({":version": item.version}),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _to_row(item: Item) -> Row:
    row = {**_item_key(item.id), **item.model_dump(mode="json", exclude={"expires_at"})}
    if item.expires_at is not None:
        row["expires_at"] = int(item.expires_at.timestamp())
    return row


def _to_item(row: Row) -> Item:
    return Item.model_validate(row)


def _encode(row: Row) -> Row:
    return {name: _serialize(value) for name, value in row.items()}


def _decode(row: Row) -> Row:
    return {name: _deserialize(value) for name, value in row.items()}
