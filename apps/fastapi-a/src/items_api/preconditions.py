"""`If-Match` and `If-None-Match`, read as RFC 9110 says."""

import re

_ENTITY_TAG = re.compile(r'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|$)')


class MalformedHeaderError(ValueError):
    """Not `*` and not a list of quoted entity tags."""


def _tags(header: str) -> list[tuple[bool, str]]:
    """The (weak, opaque) pairs of a list of entity tags."""
    found = []
    position = 0
    while position < len(header):
        match = _ENTITY_TAG.match(header, position)
        if match is None:
            raise MalformedHeaderError
        found.append((match[1] is not None, f'"{match[2]}"'))
        position = match.end()
    if not found:
        raise MalformedHeaderError
    return found


def if_match(header: str, etag: str) -> bool:
    """Whether `If-Match` holds for the strong tag `etag`. Weak tags never match: they do not name exact content."""
    return header.strip() == "*" or any(not weak and tag == etag for weak, tag in _tags(header))


def if_none_match(header: str, etag: str) -> bool:
    """Whether `If-None-Match` holds, so that the content is sent. Compares weakly; a malformed one is ignored."""
    try:
        return header.strip() != "*" and all(tag != etag for _, tag in _tags(header))
    except MalformedHeaderError:
        return True
