"""Callbacks of texts: authentic or not, whole or in pieces, read into what was heard."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.carriers.bandwidth import BandwidthTextCallbacks, TextCallback
from agentmessage.carriers.http_request import basic
from agentmessage.carriers.messaging import InboundHeard, ReceiptHeard, ReceiptState, TextError
from agentmessage.carriers.protocols import Callback, ForgedCallback, UnreadableCallback
from tests.carriers.tapes import BANDWIDTH

NOW = datetime(2026, 7, 1, tzinfo=UTC)
AUTHENTIC = {"authorization": basic("agentmessage", "hook")}
OURS = "019aaaaa-0000-7000-8000-000000000001"


def event(kind: str, *, message: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "time": "2026-06-30T18:42:36.979Z",
        "type": kind,
        "to": "+12125550112",
        "description": "words",
        "message": {
            "id": "bw-1",
            "owner": "+14155550100",
            "applicationId": "app-1",
            "time": "2026-06-30T18:42:35.876Z",
            "segmentCount": 1,
            "direction": "out",
            "to": ["+12125550112"],
            "from": "+14155550100",
            "text": "",
            "tag": OURS,
            **(message or {}),
        },
    }
    return {**told, **more}


def read(body: object, headers: dict[str, str] | None = None) -> TextCallback:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    callback = Callback(AUTHENTIC if headers is None else headers, "http://us.test", raw, NOW)
    return BandwidthTextCallbacks(BANDWIDTH).read(callback)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("message-sending", ReceiptState.SENT),
        ("message-sent", ReceiptState.SENT),
        ("message-delivered", ReceiptState.DELIVERED),
    ],
)
def test_a_status_is_a_receipt_for_the_carriers_id_and_for_ours(kind: str, state: ReceiptState) -> None:
    (heard,) = read([event(kind)]).heard

    assert isinstance(heard, ReceiptHeard)
    assert (heard.carrier, heard.carrier_message_id, heard.message_id) == ("bandwidth", "bw-1", UUID(OURS))
    assert (heard.state, heard.error, heard.code) == (state, None, None)
    assert heard.happened_at == datetime(2026, 6, 30, 18, 42, 36, 979_000, tzinfo=UTC)
    assert heard.raw == "words"


@pytest.mark.parametrize(
    ("more", "error", "code"),
    [({"errorCode": 4770}, TextError.CARRIER_FILTERED, "4770"), ({}, TextError.UNKNOWN, None)],
)
def test_a_failure_has_our_word_and_the_carriers_code(more: dict[str, Any], error: TextError, code: str | None) -> None:
    (heard,) = read([event("message-failed", **more)]).heard

    assert isinstance(heard, ReceiptHeard)
    assert (heard.state, heard.error, heard.code) == (ReceiptState.FAILED, error, code)


def test_a_receipt_is_kept_without_what_it_repeats_of_the_text() -> None:
    said = {"text": "Hi Ann", "media": ["https://c.test/ann.png"]}
    heard = read([event("message-failed", message=said), event("message-failed", message=said, description="")]).heard

    assert [one.raw for one in heard] == ["words", "message-failed"]


@pytest.mark.parametrize("tag", [None, "", "order-7", "019aaaaa"])
def test_a_tag_of_somebody_else_is_no_id_of_ours(tag: str | None) -> None:
    (heard,) = read([event("message-delivered", message={"tag": tag})]).heard

    assert isinstance(heard, ReceiptHeard)
    assert heard.message_id is None


def test_a_text_from_a_handset_is_heard_with_its_media() -> None:
    message = {
        "id": "in-1",
        "from": "+12125550112",
        "direction": "in",
        "text": "héllo",
        "media": ["https://c.test/1.png"],
    }
    told = event("message-received", message=message, to="+14155550100")

    (heard,) = read([told]).heard

    assert isinstance(heard, InboundHeard)
    assert (heard.carrier_message_id, heard.sender, heard.recipient) == ("in-1", "+12125550112", "+14155550100")
    assert (heard.text, heard.media, heard.parts) == ("héllo", ("https://c.test/1.png",), 1)
    assert json.loads(heard.raw) == told


@pytest.mark.parametrize(
    ("sender", "heard_as"),
    [
        ("72345", "72345"),
        ("2125550112", "+12125550112"),
        ("3235550143", "+13235550143"),
        ("13235550143", "+13235550143"),
        ("01113235550143", "+13235550143"),
        ("6591234567", "6591234567"),
        ("ACME", "ACME"),
    ],
)
def test_a_sender_need_not_be_a_long_number(sender: str, heard_as: str) -> None:
    (heard,) = read([event("message-received", message={"from": sender}, to="+14155550100")]).heard

    assert isinstance(heard, InboundHeard)
    assert heard.sender == heard_as


@pytest.mark.parametrize(
    ("to", "heard_as"), [("4155550100", "+14155550100"), ("14155550100", "+14155550100"), ("72345", "72345")]
)
def test_a_recipient_is_written_our_way(to: str, heard_as: str) -> None:
    (heard,) = read([event("message-received", to=to)]).heard

    assert isinstance(heard, InboundHeard)
    assert heard.recipient == heard_as


def test_what_no_column_takes_is_replaced() -> None:
    (heard,) = read([event("message-received", message={"text": "a\x00b"}, to="+14155550100")]).heard

    assert isinstance(heard, InboundHeard)
    assert heard.text == "a\ufffdb"


def test_an_array_is_heard_in_its_order_and_an_object_alone_too() -> None:
    several = read([event("message-sent"), event("message-delivered")])
    alone = read(event("message-delivered"))

    assert [heard.state for heard in several.heard if isinstance(heard, ReceiptHeard)] == [
        ReceiptState.SENT,
        ReceiptState.DELIVERED,
    ]
    assert len(alone.heard) == 1


@pytest.mark.parametrize("kind", ["message-read", "suggestion-response", "message-teleported"])
def test_what_concerns_no_text_of_ours_is_passed_over(kind: str) -> None:
    assert read([event(kind)]) == TextCallback([], 0)


@pytest.mark.parametrize(
    "odd",
    [
        5,
        None,
        {},
        {"type": "message-delivered"},
        event("message-delivered", message={"id": ""}),
        event("message-delivered", message={"id": "x" * 201}),
        event("message-delivered", message={"id": "a\x00"}),
        event("message-failed", errorCode="4770 or so"),
        event("message-received", to="nobody"),
        event("message-received", to="+14155550100", message={"from": ""}),
    ],
)
def test_one_odd_element_does_not_silence_the_others(odd: object) -> None:
    told = read([odd, event("message-delivered")])

    assert told.odd == 1
    assert len(told.heard) == 1


@pytest.mark.parametrize("time", ["", "yesterday", "2026-13-01T00:00:00Z"])
def test_an_event_without_a_time_happened_now(time: str) -> None:
    (heard,) = read([event("message-delivered", time=time)]).heard

    assert isinstance(heard, ReceiptHeard)
    assert heard.happened_at == NOW


@pytest.mark.parametrize("body", [b"", b"[", b'"text"', b"\xff\xfe", b"[" * 100_000, b"<xml/>"])
def test_what_is_no_json_array_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableCallback):
        read(body)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": basic("agentmessage", "wrong")},
        {"authorization": "Bearer hook"},
        {"authorization": "Basic Zml\xe9"},
    ],
)
def test_a_stranger_is_not_heard(headers: dict[str, str]) -> None:
    with pytest.raises(ForgedCallback):
        read([event("message-delivered")], headers)


@given(st.binary(max_size=300))
def test_nothing_that_anybody_sends_breaks_the_reader(body: bytes) -> None:
    try:
        told = read(body)
    except UnreadableCallback:
        return
    assert told.odd >= 0
