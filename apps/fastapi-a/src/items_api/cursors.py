"""Page cursors that clients hand back unread: signed, so that nobody walks the table with a made-up key."""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any

_PURPOSE = b"cursor.v1:"  # the same secret may sign other things one day


class InvalidCursorError(ValueError):
    """The cursor was not made here, or not with this key."""


def encode(values: dict[str, Any], key: bytes) -> str:
    """`values` as text that is safe in a query string."""
    payload = json.dumps(values, separators=(",", ":"), sort_keys=True).encode()
    return base64.urlsafe_b64encode(_signature(payload, key) + payload).decode().rstrip("=")


def decode(cursor: str, key: bytes) -> dict[str, Any]:
    """The values that `encode` was given."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidCursorError from error
    signature, payload = raw[:32], raw[32:]
    if not hmac.compare_digest(signature, _signature(payload, key)):
        raise InvalidCursorError
    values: dict[str, Any] = json.loads(payload)
    return values


def _signature(payload: bytes, key: bytes) -> bytes:
    return hmac.new(key, _PURPOSE + payload, hashlib.sha256).digest()
