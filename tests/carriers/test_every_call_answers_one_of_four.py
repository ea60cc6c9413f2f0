"""What the line itself decides is the same for every call of every adapter: tapes add adapters, never tests."""

import json
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentmessage.carriers.bandwidth import BandwidthLines, BandwidthNumbers, BandwidthSubscriptions
from agentmessage.carriers.http import HttpTransport, LineBroke, NotSent
from agentmessage.carriers.protocols import (
    Accepted,
    BrandFiling,
    CampaignFiling,
    Deferred,
    LineChange,
    Refused,
    Trouble,
    Unknown,
)
from agentmessage.carriers.tcr import TcrRegistry, TcrSubscriptions
from tests.carriers.tapes import BANDWIDTH, TCR, TapedLine, say

BRAND = BrandFiling("r1", "PRIVATE_PROFIT", "BASIC_ACCOUNT", "Acme", "US", {"company_name": "Acme Inc"})
CAMPAIGN = CampaignFiling("r2", "B123456", "2FA", "codes", {"sample1": "Your code is 1"})
NUMBER = "+14155550123"

Call = Callable[[HttpTransport], Awaitable[object]]

WRITES: dict[str, Call] = {
    "lines.submit": lambda t: BandwidthLines(BANDWIDTH, t).submit("k1", [LineChange(NUMBER, "C123456")]),
    "numbers.buy": lambda t: BandwidthNumbers(BANDWIDTH, t).buy("k1", [NUMBER]),
    "numbers.disconnect": lambda t: BandwidthNumbers(BANDWIDTH, t).disconnect("k1", [NUMBER]),
    "registry.file_brand": lambda t: TcrRegistry(TCR, t).file_brand(BRAND),
    "registry.update_brand": lambda t: TcrRegistry(TCR, t).update_brand("B123456", BRAND),
    "registry.delete_brand": lambda t: TcrRegistry(TCR, t).delete_brand("B123456"),
    "registry.file_campaign": lambda t: TcrRegistry(TCR, t).file_campaign(CAMPAIGN),
    "registry.share_campaign": lambda t: TcrRegistry(TCR, t).share_campaign("C123456"),
    "registry.deactivate_campaign": lambda t: TcrRegistry(TCR, t).deactivate_campaign("C123456"),
}
READS: dict[str, Call] = {
    "lines.read_order": lambda t: BandwidthLines(BANDWIDTH, t).read_order("o1"),
    "lines.find_order": lambda t: BandwidthLines(BANDWIDTH, t).find_order("k1"),
    "lines.read_campaign": lambda t: BandwidthLines(BANDWIDTH, t).read_campaign("C123456"),
    "lines.read_all": lambda t: BandwidthLines(BANDWIDTH, t).read_all("250"),
    "numbers.search": lambda t: BandwidthNumbers(BANDWIDTH, t).search(
        area_code="415", number_type="local", pattern=None, quantity=10
    ),
    "numbers.read_purchase": lambda t: BandwidthNumbers(BANDWIDTH, t).read_purchase("o1"),
    "numbers.find_purchase": lambda t: BandwidthNumbers(BANDWIDTH, t).find_purchase("k1"),
    "numbers.read_disconnection": lambda t: BandwidthNumbers(BANDWIDTH, t).read_disconnection("o1"),
    "numbers.read_in_service": lambda t: BandwidthNumbers(BANDWIDTH, t).read_in_service(),
    "registry.read_brand": lambda t: TcrRegistry(TCR, t).read_brand("B123456"),
    "registry.find_brand": lambda t: TcrRegistry(TCR, t).find_brand("r1"),
    "registry.read_campaign": lambda t: TcrRegistry(TCR, t).read_campaign("C123456"),
    "registry.find_campaign": lambda t: TcrRegistry(TCR, t).find_campaign("r2"),
    "bandwidth.subscribe": lambda t: BandwidthSubscriptions(BANDWIDTH, t).subscribe("http://us.test/hook"),
    "tcr.subscribe": lambda t: TcrSubscriptions(TCR, t).subscribe("http://us.test/hook"),
}
ALL = WRITES | READS


@pytest.mark.parametrize("name", ALL)
async def test_what_was_never_sent_is_deferred(name: str) -> None:
    assert isinstance(await ALL[name](TapedLine([NotSent("connection refused")])), Deferred)


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("said", [LineBroke("time-out"), say(500, "boom"), say(503, "later"), say(408)], ids=str)
async def test_a_write_without_an_answer_is_unknown(name: str, said: object) -> None:
    """It may have been done, so that nobody may repeat it blindly."""
    assert isinstance(await WRITES[name](TapedLine([said])), Unknown)


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("said", [LineBroke("time-out"), say(500, "boom"), say(503, "later"), say(408)], ids=str)
async def test_a_read_without_an_answer_is_deferred(name: str, said: object) -> None:
    assert isinstance(await READS[name](TapedLine([said])), Deferred)


@pytest.mark.parametrize("name", ALL)
async def test_a_limit_is_deferred_for_as_long_as_the_vendor_says(name: str) -> None:
    answer = await ALL[name](TapedLine([say(429, "slow down", retry_after="17")]))

    assert answer == Deferred("too many requests", 17.0)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("status", [401, 403])
async def test_wrong_credentials_are_a_matter_of_configuration(name: str, status: int) -> None:
    answer = await ALL[name](TapedLine([say(status)]))

    assert isinstance(answer, Refused)
    assert (answer.trouble, answer.code) == (Trouble.CONFIGURATION, str(status))


@pytest.mark.parametrize("name", sorted(ALL.keys() - {"registry.delete_brand", "registry.deactivate_campaign"}))
@pytest.mark.parametrize("status", [301, 400, 404, 409])
async def test_a_body_that_nobody_understands_is_kept_raw(name: str, status: int) -> None:
    """Not even a 404 is believed from something that does not speak the vendor's language, such as a proxy."""
    answer = await ALL[name](TapedLine([say(status, "<html><body>\x00 Bad gateway<br></body></html>")]))

    assert isinstance(answer, Unknown)
    assert "Bad gateway" in answer.raw
    assert "\x00" not in answer.raw


@pytest.mark.parametrize(
    "name", sorted(ALL.keys() - {"registry.delete_brand", "registry.deactivate_campaign"} - {"registry.share_campaign"})
)
async def test_a_yes_that_nobody_understands_is_unknown_and_cut_at_64_kib(name: str) -> None:
    answer = await ALL[name](TapedLine([say(200, b"<" + b"x" * 100_000)]))

    assert isinstance(answer, Unknown)
    assert len(answer.raw) == 64 * 1024


BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<TnOptionOrder><OrderId>&b;</OrderId><ProcessingStatus>COMPLETE</ProcessingStatus></TnOptionOrder>"""
OUTSIDE = b"""<!DOCTYPE o [<!ENTITY f SYSTEM "file:///etc/passwd">]><TnOptionOrder><OrderId>&f;</OrderId>
<ProcessingStatus>COMPLETE</ProcessingStatus></TnOptionOrder>"""


@pytest.mark.parametrize("body", [BOMB, OUTSIDE, BOMB.decode().encode("utf-16")], ids=["bomb", "file", "utf-16"])
async def test_entity_tricks_are_not_read(body: bytes) -> None:
    answer = await READS["lines.read_order"](TapedLine([say(200, body)]))

    assert isinstance(answer, Unknown)
    assert "root:" not in answer.raw


_MEMBERS = [
    "data",
    "page",
    "totalElements",
    "phoneNumber",
    "status",
    "records",
    "totalRecords",
    "brandId",
    "campaignId",
    "sharedByMe",
    "code",
    "description",
    "errors",
    "identityStatus",
    "referenceId",
    "billedDate",
]
_FRAGMENTS = [
    "<TnOptionOrder>",
    "</TnOptionOrder>",
    "<OrderId>x</OrderId>",
    "<ProcessingStatus>PARTIAL</ProcessingStatus>",
    "<ErrorList>",
    "</ErrorList>",
    "<Error>",
    "</Error>",
    "<Code>5076</Code>",
    "<TelephoneNumber>4155550123</TelephoneNumber>",
    "<TelephoneNumber>12</TelephoneNumber>",
    "<TotalCount>1</TotalCount>",
    "<TotalCount>\u0661</TotalCount>",
    "<OrderResponse>",
    "</OrderResponse>",
    "<Order>",
    "</Order>",
    "<OrderStatus>COMPLETE</OrderStatus>",
    "<TNs>",
    "</TNs>",
    "<Links><next>page=2</next></Links>",
    "<SearchResult>",
    "</SearchResult>",
    "<Empty/>",
    "&amp;",
    "<!--",
    "-->",
    "<?xml version='1.0' encoding='cp037'?>",
]
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_MEMBERS), inner, max_size=4),
    max_leaves=12,
)
_HOSTILE = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    _json.map(lambda value: json.dumps(value).encode()),
    st.lists(st.sampled_from(_FRAGMENTS), max_size=12).map(lambda parts: "".join(parts).encode()),
)


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(status=st.sampled_from([200, 201, 204, 400, 404, 409]), body=_HOSTILE)
async def test_no_body_makes_an_adapter_raise(name: str, status: int, body: bytes) -> None:
    answer = await ALL[name](TapedLine([say(status, body)]))

    assert isinstance(answer, Accepted | Refused | Deferred | Unknown)


@pytest.mark.parametrize(
    ("asked", "waits_s"),
    [
        ("0", 0.0),
        ("999999999", 3600.0),
        ("-5", 10.0),
        ("soon", 10.0),
        ("٣", 10.0),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0),
    ],
)
async def test_patience_is_read_from_numbers_and_dates_and_has_a_cap(asked: str, waits_s: float) -> None:
    said = say(429, retry_after=asked, date="Wed, 21 Oct 2026 07:28:00 GMT")

    answer = await READS["lines.read_all"](TapedLine([said]))

    assert answer == Deferred("too many requests", waits_s)
