"""A webhook is taken for the platform's only when it is: both schemes, against others' code and our own signing."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from agentmessage.sdk import InvalidArgumentError, SignatureVerificationError, models, webhooks
from agentmessage.webhooks.signing import signature_headers

NOW = 1_780_000_000
RAW = bytes(range(32))
SECRET = base64.b64encode(RAW).decode()
OTHER = bytes(range(32, 64))
EVENT = {
    "id": "evt_01978a3e-7d52-7c4e-9c55-0d6b5f8a2f11",
    "type": "message.delivered",
    "api_version": "2026-04-01",
    "created_at": "2026-04-26T12:00:00Z",
    "org_id": "01978a3e-0000-7000-8000-000000000001",
    "data": {"id": "7c1f0a2d-9e8b-4c3a-9d2e-1f0a2b3c4d5e"},
}
BODY = json.dumps(EVENT).encode()
SCHEMES = {
    "standard": ("webhook-id", "webhook-timestamp", "webhook-signature"),
    "own": ("X-AmCore-Signature",),
}


def signed(*secrets: bytes, body: bytes = BODY, at: int = NOW, scheme: str | None = None) -> dict[str, str]:
    """The platform's own headers, all of them or those of one scheme."""
    headers = signature_headers(secrets or [RAW], message_id=EVENT["id"], timestamp=at, body=body)
    return {name: value for name, value in headers.items() if scheme is None or name in SCHEMES[scheme]}


@pytest.mark.parametrize("scheme", [None, "standard", "own"])
@pytest.mark.parametrize(
    "secret", [SECRET, f"whsec_{SECRET}", SECRET.rstrip("="), RAW, RAW.hex(), [OTHER, SECRET]], ids=str
)
def test_what_the_platform_signs_is_verified(scheme: str | None, secret: Any) -> None:
    event = webhooks.unwrap(BODY, signed(scheme=scheme), secret, now=NOW)

    assert (event.id, event.type) == (EVENT["id"], models.EventType.MESSAGE_DELIVERED)
    assert event.data == EVENT["data"]


@pytest.mark.parametrize("scheme", [None, "standard", "own"])
def test_headers_are_read_as_every_server_gives_them(scheme: str | None) -> None:
    """As text or as bytes, as a mapping or as pairs (ASGI), with white space around them."""
    given = signed(scheme=scheme)
    octets = {name.encode(): f" {value}\t".encode() for name, value in given.items()}

    for headers in (octets, list(octets.items()), list(given.items()), [*given.items(), (b"cookie", b"\xff")]):
        webhooks.verify(BODY, headers, SECRET, now=NOW)
        with pytest.raises(SignatureVerificationError):
            webhooks.verify(BODY + b" ", headers, SECRET, now=NOW)


@pytest.mark.parametrize("value", [None, 7, ["v1,AAAA"], b"\xff\xfe"], ids=repr)
def test_headers_of_no_kind_that_is_known_are_invalid_signatures(value: Any) -> None:
    for name in ("webhook-signature", b"X-AmCore-Signature"):
        with pytest.raises(SignatureVerificationError):
            webhooks.verify(BODY, {"webhook-id": "a", "webhook-timestamp": str(NOW), name: value}, SECRET, now=NOW)


@pytest.mark.parametrize("scheme", [None, "standard"])
@pytest.mark.parametrize("secret", [RAW, OTHER])
def test_either_of_the_signatures_of_a_rotation_will_do(scheme: str | None, secret: bytes) -> None:
    webhooks.verify(BODY, signed(OTHER, RAW, scheme=scheme), secret, now=NOW)


def test_our_own_header_of_a_rotation_is_of_the_current_secret_alone() -> None:
    """A receiver that reads it into a map must find the one signature that is right for the current secret."""
    own = signed(OTHER, RAW, scheme="own")

    assert [name for name, _, _ in (part.partition("=") for part in own["X-AmCore-Signature"].split(","))] == [
        "t",
        "v1",
    ]
    webhooks.verify(BODY, own, OTHER, now=NOW)
    with pytest.raises(SignatureVerificationError, match="No signature"):
        webhooks.verify(BODY, own, RAW, now=NOW)
    older = f"{own['X-AmCore-Signature']},v1={'0' * 64}"
    webhooks.verify(BODY, {"X-AmCore-Signature": older}, OTHER, now=NOW)


@pytest.mark.parametrize("scheme", [None, "standard", "own"])
@pytest.mark.parametrize(
    ("body", "secret"), [(BODY + b" ", SECRET), (b"", SECRET), (BODY, OTHER)], ids=["longer", "empty", "other secret"]
)
def test_what_somebody_else_made_is_refused(scheme: str | None, body: bytes, secret: Any) -> None:
    with pytest.raises(SignatureVerificationError, match="No signature"):
        webhooks.verify(body, signed(scheme=scheme), secret, now=NOW)


@pytest.mark.parametrize("scheme", ["standard", "own"])
@pytest.mark.parametrize("away_s", [-301, 301])
def test_what_is_older_or_newer_than_five_minutes_is_refused(scheme: str, away_s: int) -> None:
    with pytest.raises(SignatureVerificationError, match="300 seconds"):
        webhooks.verify(BODY, signed(scheme=scheme), SECRET, now=NOW + away_s)

    webhooks.verify(BODY, signed(scheme=scheme), SECRET, now=NOW + away_s // 301 * 300)


@pytest.mark.parametrize(
    "forged",
    [
        signed(scheme="standard") | {"webhook-timestamp": "9" * 400},
        signed(scheme="standard") | {"webhook-timestamp": "\udcff"},
        signed(scheme="standard") | {"webhook-signature": "v1,é"},
        signed(scheme="standard") | {"webhook-id": "\udcff"},
        {"X-AmCore-Signature": f"t={'9' * 400},v1={'0' * 64}"},
        {"X-AmCore-Signature": f"t=\udcff,v1={'0' * 64}"},
        {"X-AmCore-Signature": f"t={NOW},v1=é"},
    ],
    ids=ascii,
)
def test_headers_that_nobody_could_sign_are_invalid_signatures(forged: dict[str, str]) -> None:
    with pytest.raises(SignatureVerificationError):
        webhooks.verify(BODY, forged, SECRET, now=NOW)


def test_a_body_that_nobody_could_sign_is_an_invalid_signature() -> None:
    with pytest.raises(SignatureVerificationError):
        webhooks.verify("\ud800", signed(), SECRET, now=NOW)


@pytest.mark.parametrize("secret", ["", "whsec_é", "!"])
def test_a_secret_that_cannot_be_one_is_an_unusable_argument(secret: str) -> None:
    with pytest.raises(InvalidArgumentError, match="webhook secret"):
        webhooks.verify(BODY, signed(), secret, now=NOW)


def test_a_time_that_was_not_signed_is_refused() -> None:
    """An old delivery does not become fresh by another number in its header."""
    standard = signed(at=NOW - 10_000, scheme="standard") | {"webhook-timestamp": str(NOW)}
    own = signed(at=NOW - 10_000, scheme="own")
    own = {name: value.replace(str(NOW - 10_000), str(NOW)) for name, value in own.items()}

    for headers in (standard, own):
        with pytest.raises(SignatureVerificationError, match="No signature"):
            webhooks.verify(BODY, headers, SECRET, now=NOW)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-id": "a", "webhook-timestamp": "soon", "webhook-signature": "v1,AAAA"},
        {"webhook-id": "a", "webhook-timestamp": str(NOW), "webhook-signature": "v1,not base64!"},
        {"webhook-id": "a", "webhook-timestamp": str(NOW), "webhook-signature": "v2,AAAA v1"},
        {"webhook-id": "a", "webhook-timestamp": str(NOW), "webhook-signature": ""},
        {"webhook-id": "a", "webhook-timestamp": "٣", "webhook-signature": "v1,AAAA"},
        {"X-AmCore-Signature": ""},
        {"X-AmCore-Signature": f"t={NOW}"},
        {"X-AmCore-Signature": f"t={NOW},v1="},
        {"X-AmCore-Signature": f"t={NOW},v1=zz,v0=aa"},
        {"X-AmCore-Signature": "v1=" + "a" * 64},
    ],
    ids=str,
)
def test_headers_that_sign_nothing_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(SignatureVerificationError):
        webhooks.verify(BODY, headers, SECRET, now=NOW)


@given(st.dictionaries(st.sampled_from([*SCHEMES["standard"], "x-amcore-signature"]), st.text(max_size=40)))
def test_no_header_breaks_it_or_gets_through(headers: dict[str, str]) -> None:
    with pytest.raises(SignatureVerificationError):
        webhooks.verify(BODY, headers, SECRET, now=NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "not base64!", b""])
def test_a_secret_that_is_none_is_a_mistake_of_the_program(secret: Any) -> None:
    with pytest.raises(ValueError, match="secret"):
        webhooks.verify(BODY, signed(), secret, now=NOW)


def test_no_secret_at_all_verifies_nothing() -> None:
    with pytest.raises(SignatureVerificationError):
        webhooks.verify(BODY, signed(), [], now=NOW)


def test_a_signed_body_that_is_no_event_is_refused() -> None:
    with pytest.raises(SignatureVerificationError, match="no event"):
        webhooks.unwrap(b"[]", signed(body=b"[]"), SECRET, now=NOW)


def test_names_of_headers_may_be_written_in_any_way() -> None:
    headers = {name.title(): value for name, value in signed(scheme="standard").items()}

    webhooks.verify(BODY.decode(), headers, SECRET, now=NOW)


def test_the_vector_of_the_standard_is_verified() -> None:
    """From the test of the reference implementation's own `standardwebhooks` package."""
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }

    webhooks.verify('{"test": 2432232314}', headers, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", now=1_614_265_330)


@given(st.binary(min_size=24, max_size=64), st.text(st.characters(codec="utf-8"), max_size=200))
def test_it_agrees_with_the_public_library(key: bytes, text: str) -> None:
    """What one signs, the other verifies: theirs by ours, ours by theirs."""
    secret, moment = base64.b64encode(key).decode(), datetime.now(UTC)
    theirs = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign("evt_1", moment, text),
    }
    body = json.dumps(text).encode()
    ours = signature_headers([key], message_id="evt_1", timestamp=int(moment.timestamp()), body=body)

    webhooks.verify(text, theirs, secret)
    assert Webhook(secret).verify(body, ours) == text
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", ours)
