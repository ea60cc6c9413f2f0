"""docs/reference/sdk.md names every public method of the client library, and none that is not there."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agentmessage.sdk import AgentMessage, Page, webhooks
from agentmessage.sdk.sync.event_stream import EventStream
from agentmessage.sdk.sync.ndjson import RowStream

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "sdk.md"
HEADING = re.compile(r"^#### ([\w.]+)$", re.MULTILINE)


def public(name: str, thing: Any) -> Iterator[str]:
    """Names of what can be called or read on a thing and on the families below it."""
    for word in dir(thing):
        if word.startswith("_"):
            continue
        member = inspect.getattr_static(thing, word)
        if inspect.isfunction(member) or isinstance(member, property):
            yield f"{name}.{word}"
        elif type(member).__module__.startswith("agentmessage.sdk.sync.resources"):
            yield from public(f"{name}.{word}".removeprefix("client."), member)


def test_the_reference_names_every_public_method() -> None:
    with AgentMessage(api_key="am_live_x") as client:
        there = set(public("client", client))
    for name, kind in (("page", Page), ("stream", EventStream), ("lines", RowStream)):
        there |= set(public(name, kind))
    there |= {f"webhooks.{name}" for name in ("unwrap", "verify") if hasattr(webhooks, name)}
    written = HEADING.findall(PAGE.read_text())

    assert sorted(written) == sorted(there)
    assert {"messages.wait_for_reply", "messages.upload_media", "events.stream", "billing.stream_usage"} <= there
    assert {"webhooks.unwrap", "client.with_options"} <= there
