"""Texts over Bandwidth's Messaging v2: one of four answers, whatever the wire says."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from agentmessage.carriers.bandwidth import BandwidthTexts
from agentmessage.carriers.bandwidth.message_codes import error_of, failure_of
from agentmessage.carriers.bandwidth.messages import AT_ONCE
from agentmessage.carriers.http import HttpAnswer, LineBroke, NotSent
from agentmessage.carriers.messaging import Handed, OutboundText, ReceiptState, TextAnswer, TextError, TextRefused
from agentmessage.carriers.protocols import Accepted, Deferred, Unknown
from tests.carriers.tapes import BANDWIDTH, Said, TapedLine, say

ACCOUNT = msgspec.structs.replace(BANDWIDTH, application_id="app-1", messaging_url="http://messaging.test/")
HELLO = OutboundText(
    message_id=UUID("019aaaaa-0000-7000-8000-000000000001"),
    sender="+14155550100",
    recipient="+12125550112",
    text="hello",
    segments=1,
    priority=1,
    expires_at=datetime(2026, 7, 1, 12, 0, tzinfo=UTC),
)


def texts(*said: Said) -> tuple[BandwidthTexts, TapedLine]:
    line = TapedLine(said)
    return BandwidthTexts(ACCOUNT, line), line


def refusal(status: int, **body: object) -> HttpAnswer:
    return say(status, json.dumps(body))


FAULTY_TO = [{"fieldName": "to", "description": "must be a valid number"}]

TAPES: list[tuple[Said, TextAnswer]] = [
    (say(202, '{"id": "bw-1", "owner": "+14155550100", "new": {}}'), Accepted(Handed(("bw-1",)))),
    (say(429), Deferred("throttled", 10.0)),
    (say(429, retry_after="7"), Deferred("throttled", 7.0)),
    (say(503, retry_after="3"), Deferred("unavailable", 3.0)),
    (NotSent("refused"), Deferred("not sent: refused", 10.0)),
    (refusal(401, type="unauthorized", description="x"), Deferred("the credentials were not accepted", 60.0)),
    (say(503), Unknown("status 503")),
    (say(500, "oops"), Unknown("status 500", "oops")),
    (say(408), Unknown("status 408")),
    (say(302), Unknown("unexpected status 302")),
    (LineBroke("reset"), Unknown("no answer: reset")),
    (
        refusal(400, type="request-validation", description="No.", fieldErrors=FAULTY_TO),
        TextRefused(TextError.INVALID_DESTINATION, "request-validation", "No.; to must be a valid number"),
    ),
    (refusal(400, type="odd", description="?"), TextRefused(TextError.UNKNOWN, "odd", "?")),
    (refusal(403, type="forbidden", description="No."), TextRefused(TextError.ACCOUNT_BLOCKED, "forbidden", "No.")),
    (say(415, "<html>"), TextRefused(TextError.PROVIDER_ERROR, "415", "")),
    (say(418), TextRefused(TextError.UNKNOWN, "418", "")),
]


@pytest.mark.parametrize(("said", "meant"), TAPES, ids=[str(meant)[:60] for _, meant in TAPES])
async def test_a_text_gets_one_of_four_answers(said: Said, meant: TextAnswer) -> None:
    carrier, _ = texts(said)

    assert await carrier.send(HELLO) == meant


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"id": 5}', '{"id": "\\u0000"}'])
async def test_a_yes_that_cannot_be_read_is_unknown(body: str) -> None:
    carrier, _ = texts(say(202, body))

    assert isinstance(await carrier.send(HELLO), Unknown)


@pytest.mark.parametrize(
    ("field", "error"),
    [
        ("from", TextError.SENDER_INVALID),
        ("text", TextError.CONTENT_INVALID),
        ("media", TextError.CONTENT_INVALID),
        ("applicationId", TextError.ACCOUNT_BLOCKED),
        ("mystery", TextError.UNKNOWN),
    ],
)
async def test_the_faulty_field_says_whose_fault_it_is(field: str, error: TextError) -> None:
    faults = [{"fieldName": "unheard-of", "description": "x"}, {"fieldName": field, "description": "y"}]
    carrier, _ = texts(refusal(400, type="request-validation", description="No.", fieldErrors=faults))

    answer = await carrier.send(HELLO)

    assert isinstance(answer, TextRefused)
    assert answer.error is error


async def test_our_message_id_travels_as_the_tag() -> None:
    carrier, line = texts(say(202, '{"id": "bw-1"}'))

    await carrier.send(HELLO)

    (sent,) = line.sent
    assert (sent.method, sent.url) == ("POST", "http://messaging.test/api/v2/users/9900001/messages")
    assert sent.headers["authorization"] == "Basic dXNlcjpwYXNz"
    assert json.loads(sent.body) == {
        "applicationId": "app-1",
        "to": ["+12125550112"],
        "from": "+14155550100",
        "text": "hello",
        "tag": "019aaaaa-0000-7000-8000-000000000001",
        "priority": "default",
        "expiration": "2026-07-01T12:00:00.000Z",
    }


async def test_media_and_haste_are_passed_on() -> None:
    carrier, line = texts(say(202, '{"id": "bw-1"}'))

    await carrier.send(msgspec.structs.replace(HELLO, media=["https://us.test/a.png"], priority=0))

    body = json.loads(line.sent[0].body)
    assert (body["media"], body["priority"]) == (["https://us.test/a.png"], "high")


async def test_a_text_that_is_too_long_for_the_vendor_is_not_sent() -> None:
    carrier, line = texts(say(202, '{"id": "bw-1"}'))

    answer = await carrier.send(msgspec.structs.replace(HELLO, text="x" * 2049))

    assert isinstance(answer, TextRefused)
    assert answer.error is TextError.CONTENT_INVALID
    assert line.sent == []


async def test_nobody_sends_before_the_carrier_s_patience_is_over() -> None:
    carrier, _ = texts(say(429, retry_after="1"))
    await carrier.send(HELLO)
    started = asyncio.get_running_loop().time()

    closed = carrier.room
    await carrier.until_room()

    assert closed == 0
    assert asyncio.get_running_loop().time() - started >= 0.9
    assert carrier.room == AT_ONCE


async def test_room_is_what_is_not_in_flight() -> None:
    class Held:
        def __init__(self) -> None:
            self.may_answer = asyncio.Event()

        async def request(self, *_: object, **__: object) -> HttpAnswer:
            await self.may_answer.wait()
            return say(202, '{"id": "bw-1"}')

    line = Held()
    carrier = BandwidthTexts(ACCOUNT, line)
    sending = [asyncio.create_task(carrier.send(HELLO)) for _ in range(AT_ONCE)]
    await asyncio.sleep(0)
    waiting = asyncio.create_task(carrier.until_room())
    await asyncio.sleep(0)

    full, is_waiting = carrier.room, not waiting.done()
    line.may_answer.set()
    await asyncio.gather(waiting, *sending)

    assert (full, is_waiting, carrier.room) == (0, True, AT_ONCE)


@pytest.mark.parametrize(
    ("code", "state", "error"),
    [
        (4720, ReceiptState.UNDELIVERED, TextError.INVALID_DESTINATION),
        (4770, ReceiptState.FAILED, TextError.CARRIER_FILTERED),
        (4476, ReceiptState.FAILED, TextError.SENDER_UNREGISTERED),
        (9902, ReceiptState.UNDELIVERED, TextError.RECEIPT_TIMEOUT),
        (5199, ReceiptState.FAILED, TextError.PROVIDER_ERROR),
        (5229, ReceiptState.FAILED, TextError.SENDER_PROVISIONING),
        (5106, ReceiptState.UNDELIVERED, TextError.UNROUTABLE),
        (5640, ReceiptState.FAILED, TextError.PROVIDER_ERROR),
        (5999, ReceiptState.FAILED, TextError.UNKNOWN),
        (1, ReceiptState.FAILED, TextError.UNKNOWN),
    ],
)
def test_a_code_of_the_vendor_has_one_meaning(code: int, state: ReceiptState, error: TextError) -> None:
    assert failure_of(code) == (state, error)


def test_every_canonical_error_but_ours_has_a_code() -> None:
    reachable = {error_of(code) for code in range(4000, 10_000)}

    assert set(TextError) == reachable


async def test_expiry_is_told_in_utc() -> None:
    carrier, line = texts(say(202, '{"id": "bw-1"}'))
    local = HELLO.expires_at.astimezone(UTC) + timedelta(microseconds=123_456)

    await carrier.send(msgspec.structs.replace(HELLO, expires_at=local))

    assert json.loads(line.sent[0].body)["expiration"] == "2026-07-01T12:00:00.123Z"
