"""Taking one contact's content out of an answer that was kept; pure."""

from typing import Any, cast

import msgspec

MAX_DEPTH = 8


def blank(body: bytes, contact: str) -> bytes | None:
    """A stored JSON answer without what was said to or by a contact; None where there was nothing of it."""
    try:
        answer: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    blanked = _blank(answer, contact, 0)
    return None if blanked == answer else msgspec.json.encode(blanked)


def _blank(value: Any, contact: str, depth: int) -> Any:
    if depth == MAX_DEPTH:
        return value
    if isinstance(value, list):
        return [_blank(part, contact, depth + 1) for part in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    fields = {name: _blank(part, contact, depth + 1) for name, part in cast("dict[str, Any]", value).items()}
    if contact not in (fields.get("to"), fields.get("from")):
        return fields
    return fields | {name: empty for name, empty in EMPTY.items() if name in fields}


EMPTY: dict[str, Any] = {"text": None, "body": None, "media": [], "media_urls": [], "tag": None, "metadata": None}
"""The fields of a message that hold content, in either direction, and what they are without it."""
