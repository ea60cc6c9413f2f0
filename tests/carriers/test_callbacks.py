import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.carriers.bandwidth import BandwidthCallbacks
from agentmessage.carriers.http_request import basic
from agentmessage.carriers.protocols import (
    BrandHint,
    Callback,
    CampaignHint,
    ForgedCallback,
    Hint,
    OrderHint,
    OrderKind,
    UnreadableCallback,
)
from agentmessage.carriers.tcr import TcrCallbacks, callbacks
from agentmessage.carriers.tcr.canonical import canonical
from tests.carriers.tapes import BANDWIDTH, TCR

URL = "https://us.test/callbacks/1"
NOW = datetime(2026, 7, 1, tzinfo=UTC)
BASIC = {"authorization": basic("agentmessage", "hook")}


def callback(body: bytes | str, headers: dict[str, str], url: str = URL) -> Callback:
    return Callback(headers, url, body.encode() if isinstance(body, str) else body, NOW)


def notification(order_type: str, key: str = "<CustomerOrderId>k1</CustomerOrderId>") -> str:
    return (
        f"<?xml version='1.0'?><Notification><SubscriptionId>s1</SubscriptionId><OrderType>{order_type}</OrderType>"
        f"<OrderId>o1</OrderId>{key}<Status>COMPLETE</Status></Notification>"
    )


def signed(event: object, *, url: str = URL, secret: str = TCR.secret) -> Callback:
    """An event as the registry sends it; the layout on the wire is not the canonical one."""
    text = json.dumps(event, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    signature = base64.b64encode(hmac.new(secret.encode(), (url + text).encode(), hashlib.sha1).digest()).decode()
    return callback(json.dumps(event, indent=3), {"x-registry-signature": signature}, url)


@pytest.mark.parametrize(
    ("order_type", "kind"),
    [
        ("tnoptions", OrderKind.LINE_OPTIONS),
        ("orders", OrderKind.PURCHASE),
        ("disconnects", OrderKind.DISCONNECTION),
    ],
)
def test_an_order_notification_says_which_order_moved(order_type: str, kind: OrderKind) -> None:
    hints = BandwidthCallbacks(BANDWIDTH).read(callback(notification(order_type), BASIC))

    assert hints == (OrderHint("o1", "k1", kind),)


def test_an_order_without_a_key_is_still_a_hint() -> None:
    hints = BandwidthCallbacks(BANDWIDTH).read(callback(notification("tnoptions", key=""), BASIC))

    assert hints == (OrderHint("o1", "", OrderKind.LINE_OPTIONS),)


def test_orders_of_other_kinds_say_nothing() -> None:
    assert BandwidthCallbacks(BANDWIDTH).read(callback(notification("portins"), BASIC)) == ()


def test_the_scheme_of_credentials_has_no_case() -> None:
    headers = {"authorization": BASIC["authorization"].replace("Basic", "bAsIc")}

    assert BandwidthCallbacks(BANDWIDTH).read(callback(notification("orders"), headers))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Basic"},
        {"authorization": basic("agentmessage", "wrong")},
        {"authorization": basic("agentmessage", "hook").replace("Basic", "Bearer")},
        {"authorization": basic("agentmessage", "hook") + "x"},
        {"authorization": "Básic ÿ\udcff"},
    ],
)
def test_without_the_agreed_credentials_nothing_is_read(headers: dict[str, str]) -> None:
    with pytest.raises(ForgedCallback):
        BandwidthCallbacks(BANDWIDTH).read(callback(notification("tnoptions"), headers))


@pytest.mark.parametrize(
    "body", ["", "no xml", "<Notification/>", "<Other/>", notification("orders").replace("o1", "")]
)
def test_an_authentic_notification_that_says_too_little_is_unreadable(body: str) -> None:
    with pytest.raises(UnreadableCallback):
        BandwidthCallbacks(BANDWIDTH).read(callback(body, BASIC))


@pytest.mark.parametrize(
    ("event", "hints"),
    [
        ({"eventType": "BRAND_SCORE_UPDATE", "brandId": "B123456"}, (BrandHint("B123456"),)),
        (
            {"eventType": "MNO_CAMPAIGN_OPERATION_SUSPENDED", "brandId": "B1", "campaignId": "C1", "mnoId": 10017},
            (CampaignHint("C1"),),
        ),
        (
            {"eventType": "A_KIND_FROM_THE_FUTURE", "campaignId": "C1", "brandId": None, "mock": False},
            (CampaignHint("C1"),),
        ),
        ({"eventType": "CSP_ACTIVE", "cspName": "Grüße & <Söhne> \u20ac \U0001f600"}, ()),
    ],
)
def test_an_event_is_a_hint_about_its_campaign_or_its_brand(event: dict[str, object], hints: tuple[Hint, ...]) -> None:
    assert TcrCallbacks(TCR).read(signed(event)) == hints


def test_the_signature_covers_the_address_as_subscribed() -> None:
    """Behind a proxy the address on which it arrived is another one."""
    event = {"eventType": "BRAND_ADD", "brandId": "B1"}
    reader = TcrCallbacks(msgspec.structs.replace(TCR, callback_url=URL))
    arrived = msgspec.structs.replace(signed(event), url="http://127.0.0.1:8080/callbacks/1")

    assert reader.read(arrived) == (BrandHint("B1"),)
    with pytest.raises(ForgedCallback):
        TcrCallbacks(TCR).read(arrived)


@pytest.mark.parametrize(
    "forged",
    [
        signed({"eventType": "BRAND_ADD", "brandId": "B1"}, secret="another"),
        signed({"eventType": "BRAND_ADD", "brandId": "B1"}, url=URL + "2"),
        msgspec.structs.replace(signed({"eventType": "BRAND_ADD", "brandId": "B1"}), headers={}),
        msgspec.structs.replace(
            signed({"eventType": "BRAND_ADD", "brandId": "B1"}), body=b'{"eventType":"BRAND_ADD","brandId":"B2"}'
        ),
        callback(b"", {"x-registry-signature": "x"}),
        callback(b"\xff\xfe", {"x-registry-signature": "x"}),
        callback("[" * 100_000, {"x-registry-signature": "x"}),
        callback('{"eventType":NaN}', {"x-registry-signature": "x"}),
        callback('{"eventType":1' + "0" * 400 + "}", {"x-registry-signature": "x"}),
        callback('{"eventType":1' + "0" * 5000 + "}", {"x-registry-signature": "x"}),
    ],
    ids=["key", "address", "unsigned", "changed", "empty", "no text", "deep", "NaN", "huge", "huger"],
)
def test_an_event_that_the_registry_did_not_sign_is_forged(forged: Callback) -> None:
    # the address case: it was signed for another address than the one it arrives on
    arrived = msgspec.structs.replace(forged, url=URL)

    with pytest.raises(ForgedCallback):
        TcrCallbacks(TCR).read(arrived)


def test_an_event_is_authentic_as_it_came_and_in_its_canonical_form() -> None:
    """What is signed is the canonical form; of what comes in it, not even that is made."""
    event = {"eventType": "BRAND_ADD", "brandId": "B1", "mnoId": 10017, "score": 1.50, "mock": False}
    text = canonical(event)  # type: ignore[arg-type]
    signature = base64.b64encode(hmac.new(TCR.secret.encode(), (URL + text).encode(), hashlib.sha1).digest()).decode()

    for body in (
        text,
        json.dumps(event, indent=2),
        text.replace('"B1"', '"\\u00421"'),
        text.replace("10017", "1.0017e4"),
    ):
        assert TcrCallbacks(TCR).read(callback(body, {"x-registry-signature": signature})) == (BrandHint("B1"),)


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"1.5," * 260_000 + b"1.5]",
        b'{"a":[' + b"1.5," * 260_000 + b"1.5]}",
        b"{" + b",".join(b'"k%d":1.5' % n for n in range(60_000)) + b"}",
        b"{" + b",".join(b'"%d":1' % n for n in range(2_500)) + b"}",
        b'{"a":"' + b"\\ud83d\\ude00" * 80_000 + b'"}',
        b"[" * 1_000_000,
        b'{"a":' * 6_000,
    ],
    ids=["floats", "nested", "wide", "many small", "escapes", "deep", "deep objects"],
)
def test_what_is_forged_costs_no_more_than_its_hash(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """No canonical form is made of what is not a small flat object, and none at all of what is long."""
    written: list[object] = []
    monkeypatch.setattr(callbacks, "canonical", lambda event: written.append(event) or "")
    signature = base64.b64encode(b"x" * 20).decode()

    with pytest.raises(ForgedCallback):
        TcrCallbacks(TCR).read(callback(body, {"x-registry-signature": signature}))

    assert written == []


@pytest.mark.parametrize("shown", ["", "x", "A" * 28, "A" * 27 + "=\n", "é" * 27 + "=", "A" * 5000])
def test_a_signature_of_another_form_is_refused_before_the_body_is_read(shown: str) -> None:
    with pytest.raises(ForgedCallback):
        TcrCallbacks(TCR).admit({"x-registry-signature": shown})


@pytest.mark.parametrize(
    "event", [[], {}, {"eventType": 1}, {"eventType": "X", "campaignId": 7}, {"eventType": "X", "brandId": "../x"}]
)
def test_an_authentic_event_that_says_too_little_is_unreadable(event: object) -> None:
    with pytest.raises(UnreadableCallback):
        TcrCallbacks(TCR).read(signed(event))


@given(st.binary(max_size=200), st.text(max_size=40))
def test_no_body_and_no_header_makes_a_reader_raise_anything_else(body: bytes, header: str) -> None:
    for reader, headers in (
        (BandwidthCallbacks(BANDWIDTH), {"authorization": header}),
        (BandwidthCallbacks(BANDWIDTH), BASIC),
        (TcrCallbacks(TCR), {"x-registry-signature": header}),
    ):
        with pytest.raises((ForgedCallback, UnreadableCallback)):
            reader.read(callback(body, headers))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (333333333.3333333, "333333333.3333333"),
        (1e30, "1e+30"),
        (4.50, "4.5"),
        (2e-3, "0.002"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1e-27, "1e-27"),
        (1.2345e-10, "1.2345e-10"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (9007199254740992.0, "9007199254740992"),
        (295147905179352830000.0, "295147905179352830000"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (5e-324, "5e-324"),
    ],
)
def test_numbers_are_written_as_ecmascript_writes_them(number: float, text: str) -> None:
    """Samples of RFC 8785, section 3.2.2.3 and appendix B."""
    assert canonical(number) == text


def test_members_are_sorted_by_utf16_code_units() -> None:
    """The example of RFC 8785, section 3.2.3: the order of code points would be another."""
    names = {"€": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "ö": 7}

    assert list(json.loads(canonical(names)).values()) == [2, 4, 6, 7, 1, 5, 3]


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(_json)
def test_the_canonical_form_reads_back_as_the_same_value_and_is_a_fixed_point(value: object) -> None:
    text = canonical(value)  # type: ignore[arg-type]

    assert json.loads(text, parse_int=float) == value
    assert canonical(json.loads(text)) == text
