"""What the client decides without a socket: requests, responses, retries."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from agentmessage.sdk import errors, models
from agentmessage.sdk._request import Request, segment
from agentmessage.sdk._request import given as some_given
from agentmessage.sdk._response import Response, listed, one
from agentmessage.sdk._retries import (
    MAX_PAUSE_S,
    MAX_RETRY_AFTER_S,
    pause_after_connection_error,
    pause_after_response,
    pause_s,
)
from agentmessage.sdk.exceptions import APIError
from agentmessage.sdk.open_enum import OpenEnum

GET = Request("GET", "/v1/messages")
POST = Request("POST", "/v1/messages", body={})
KEYED = msgspec.structs.replace(POST, idempotency_key="one-key")
DELETE = Request("DELETE", "/v1/messages/1")
UNSURE = {"attempt": 0, "max_retries": 3, "chance": 0.5}


def test_every_post_gets_a_key_of_its_own_and_keeps_it() -> None:
    assert POST.keyed().idempotency_key != KEYED.idempotency_key
    assert KEYED.keyed() is KEYED
    assert GET.keyed() is GET
    assert DELETE.keyed() is DELETE


@pytest.mark.parametrize(
    ("call", "status", "is_repeated"),
    [
        (GET, 503, True),
        (GET, 502, True),
        (GET, 504, True),
        (GET, 429, True),
        (GET, 500, False),
        (GET, 404, False),
        (KEYED, 503, True),
        (POST, 503, False),
        (DELETE, 503, False),
        (DELETE, 504, False),
        (DELETE, 429, True),
        (POST, 429, True),
    ],
    ids=str,
)
def test_only_what_is_harmless_is_repeated_after_an_answer(call: Request, status: int, *, is_repeated: bool) -> None:
    pause = pause_after_response(call, status=status, retry_after_s=None, **UNSURE)

    assert (pause is not None) is is_repeated


@pytest.mark.parametrize(
    ("call", "was_sent", "is_repeated"),
    [(GET, True, True), (KEYED, True, True), (POST, True, False), (DELETE, True, False), (DELETE, False, True)],
    ids=str,
)
def test_only_what_is_harmless_is_repeated_after_a_break(call: Request, *, was_sent: bool, is_repeated: bool) -> None:
    assert (pause_after_connection_error(call, was_sent=was_sent, **UNSURE) is not None) is is_repeated


def test_the_last_try_is_the_last() -> None:
    assert pause_after_response(GET, status=503, retry_after_s=None, attempt=3, max_retries=3, chance=0.5) is None
    assert pause_after_connection_error(GET, was_sent=True, attempt=3, max_retries=3, chance=0.5) is None


@given(st.integers(0, 2000), st.floats(0, 1, exclude_max=True))
def test_a_pause_is_anything_up_to_twice_the_one_before(attempt: int, chance: float) -> None:
    assert 0 <= pause_s(attempt, chance) <= min(MAX_PAUSE_S, 0.5 * 2 ** min(attempt, 10))


@given(st.floats(0, MAX_RETRY_AFTER_S), st.floats(0, 1, exclude_max=True))
def test_a_retry_is_never_sooner_than_asked(retry_after_s: float, chance: float) -> None:
    pause = pause_after_response(GET, status=429, retry_after_s=retry_after_s, attempt=0, max_retries=1, chance=chance)

    assert pause is not None
    assert retry_after_s <= pause < retry_after_s + 1


@given(st.text(min_size=1))
def test_an_id_stays_one_segment_of_the_path(text: str) -> None:
    found = segment(text)

    assert found.isascii()
    assert not set(found) & set("/?#")
    assert found not in {".", ".."}


def test_values_are_written_as_the_contract_writes_them() -> None:
    noon = datetime(2026, 4, 26, 12, tzinfo=UTC)
    some_id = UUID("01978a3e-0000-7000-8000-000000000001")
    query = {"since": noon, "is": True, "id": some_id, "status": models.MessageStatus.SENT, "none": None, "left": UNSET}

    call = Request("POST", "/v1/x", query=query, body={"at": noon, "id": some_id, "clear": None, "left": UNSET})

    assert call.parameters() == {
        "since": "2026-04-26T12:00:00Z",
        "is": "true",
        "id": str(some_id),
        "status": "sent",
    }
    assert msgspec.json.decode(call.content() or b"") == {
        "at": "2026-04-26T12:00:00Z",
        "id": str(some_id),
        "clear": None,
    }


def test_a_body_that_may_be_left_out_is_left_out() -> None:
    assert some_given({"reason": UNSET}) is None
    assert some_given({"reason": None}) == {"reason": None}
    assert Request("POST", "/v1/x").content() is None


def test_a_call_that_waits_at_the_platform_may_take_that_longer() -> None:
    assert GET.attempt_timeout_s(60) == 60
    assert Request("GET", "/v1/x", query={"timeout_s": 60}).attempt_timeout_s(60) == 120


def answer(data: Any, *, status: int = 200, meta: Any = None, **headers: str) -> Response:
    """An answer of the platform."""
    body = {"success": True, "data": data, **({"meta": meta} if meta is not None else {})}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, named, msgspec.json.encode(body))


MESSAGE_ERROR = {"code": "UNREACHABLE", "carrier_code": None, "carrier_text": None}


def test_what_a_newer_platform_adds_is_ignored() -> None:
    found = one(models.MessageError, answer({**MESSAGE_ERROR, "color": "red"}))

    assert found.code == "UNREACHABLE"
    with pytest.raises(AttributeError, match="immutable"):
        found.code = "OTHER"  # type: ignore[misc]


def test_a_word_that_nobody_heard_of_is_a_member_of_its_own() -> None:
    class Color(OpenEnum):
        RED = "red"

    blue = msgspec.json.decode(b'"blue"', type=Color)

    assert isinstance(blue, Color)
    assert blue == "blue"
    assert blue.value == "blue"
    assert {blue: 1}["blue"] == 1  # type: ignore[index]
    assert msgspec.json.encode(blue) == b'"blue"'
    assert msgspec.json.decode(b'"red"', type=Color) is Color.RED
    assert list(Color) == [Color.RED]


def test_the_next_cursor_may_be_in_the_header() -> None:
    page = {"total": 0, "limit": 1, "offset": 0, "next_cursor": None, "last_event_at": None}

    _, in_header = listed(models.MessageError, answer([MESSAGE_ERROR], meta=page, x_next_cursor="abc"))
    _, in_meta = listed(models.MessageError, answer([MESSAGE_ERROR], meta={**page, "next_cursor": "def"}))
    _, nowhere = listed(models.MessageError, answer([MESSAGE_ERROR], meta=page))

    assert (in_header.next_cursor, in_meta.next_cursor, nowhere.next_cursor) == ("abc", "def", None)


@pytest.mark.parametrize("kind", errors.BY_CODE.values(), ids=lambda kind: kind.code)
def test_a_refusal_is_raised_as_the_exception_of_its_code(kind: type[APIError]) -> None:
    detail = {"code": kind.code, "message": "no", "request_id": "01JTBQH2FZ8K1RXC0WJ4Z9P3VM", "details": {"to": "x"}}
    refused = Response(422, {"retry-after": "7"}, msgspec.json.encode({"success": False, "error": detail}))

    with pytest.raises(kind) as raised:
        refused.require_success()

    assert type(raised.value) is kind
    assert raised.value.fix
    assert (raised.value.details, raised.value.retry_after_s) == ({"to": "x"}, 7)
    assert "01JTBQH2FZ8K1RXC0WJ4Z9P3VM" in str(raised.value)


def test_a_code_that_nobody_heard_of_is_an_api_error() -> None:
    detail = {"code": "SOLAR_FLARE", "message": "too much sun", "request_id": "01JTBQH2FZ8K1RXC0WJ4Z9P3VM"}

    with pytest.raises(APIError, match=r"SOLAR_FLARE \(503\): too much sun") as raised:
        Response(503, {}, msgspec.json.encode({"success": False, "error": detail})).require_success()

    assert type(raised.value) is APIError


def test_the_way_out_is_that_of_the_cause() -> None:
    scope = errors.ForbiddenError(403, "FORBIDDEN", "missing required scope")
    path = errors.ValidationFailedError(400, "VALIDATION_FAILED", "validation failed")
    shape = errors.ValidationFailedError(422, "VALIDATION_FAILED", "validation failed")

    assert scope.fix == "Use a key with the scope that the operation documents, or create one."
    assert "a UUID" in path.fix
    assert shape.fix == "Correct every field named in details, then send the request again."


def test_a_date_of_retry_after_is_seconds_from_now() -> None:
    soon = datetime.now(UTC) + timedelta(seconds=30)

    told = Response(429, {"retry-after": soon.strftime("%a, %d %b %Y %H:%M:%S GMT")}, b"").retry_after_s

    assert told is not None
    assert 28 < told <= 30
    assert Response(429, {"retry-after": "soon"}, b"").retry_after_s is None


LOADED = """\
import sys, time
began = time.process_time()
from agentmessage.sdk import AgentMessage
took = time.process_time() - began
print(took, *[name for name in sys.modules if name.startswith("agentmessage.") or name.partition(".")[0] == name])
"""


def test_importing_it_is_cheap_and_loads_nothing_of_the_platform() -> None:
    said = [
        subprocess.run(  # noqa: S603 - a program of our own
            [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(3)
    ]

    loaded = set(said[0][1:])
    assert not {"aiohttp", "asyncpg", "uvicorn", "structlog", "stripe", "typer", "rich", "asyncio"} & loaded
    assert {name.split(".")[1] for name in loaded if name.startswith("agentmessage.")} == {"sdk"}
    assert min(float(took) for took, *_ in said) < 0.25  # 0.12 s on the machine it was written on, alone
