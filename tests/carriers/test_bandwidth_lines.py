import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.carriers.bandwidth import xml
from agentmessage.carriers.bandwidth.lines import MAX_MEMBERS, read_page
from agentmessage.carriers.bandwidth.orders import build_order, read_report
from agentmessage.carriers.http_request import Misunderstood
from agentmessage.carriers.protocols import (
    Accepted,
    Deferred,
    LineChange,
    LinePage,
    LineReading,
    OrderReport,
    OrderState,
    Refused,
    Trouble,
    Unknown,
)
from tests.carriers.tapes import lines, say

A, B, C = "+14155550123", "+14155550124", "+14155550125"


def order(state: str, inside: str = "", key: str = "k1", order_id: str = "o1") -> str:
    """A `TnOptionOrder` as the vendor shows it."""
    return (
        f"<TnOptionOrder><OrderId>{order_id}</OrderId><ProcessingStatus>{state}</ProcessingStatus>"
        f"<CustomerOrderId>{key}</CustomerOrderId><TnOptionGroups><TnOptionGroup><TelephoneNumbers>"
        "<TelephoneNumber>4155550123</TelephoneNumber><TelephoneNumber>+14155550124</TelephoneNumber>"
        f"</TelephoneNumbers></TnOptionGroup></TnOptionGroups>{inside}</TnOptionOrder>"
    )


def error(code: str, words: str, number: str = "") -> str:
    member = f"<TelephoneNumber>{number}</TelephoneNumber>" if number else ""
    return f"<Error><Code>{code}</Code><Description>{words}</Description>{member}</Error>"


async def test_one_order_binds_to_several_campaigns_and_takes_others_off() -> None:
    adapter, line = lines(say(201, f"<TnOptionOrderResponse>{order('RECEIVED')}</TnOptionOrderResponse>"))

    answer = await adapter.submit("k1", [LineChange(A, "C1"), LineChange(B, None), LineChange(C, "C2")])

    assert answer == Accepted("o1")
    sent = line.sent[0]
    assert (sent.method, sent.url) == ("POST", "http://carrier.test/api/accounts/9900001/tnoptions")
    assert sent.headers["authorization"] == "Basic " + base64.b64encode(b"user:pass").decode()
    assert sent.headers["content-type"] == "application/xml; charset=utf-8"
    assert sent.body.decode().splitlines()[1] == (
        "<TnOptionOrder><CustomerOrderId>k1</CustomerOrderId><TnOptionGroups>"
        "<TnOptionGroup><Sms>on</Sms><A2pSettings><Action>asSpecified</Action><CampaignId>C1</CampaignId>"
        "<MessageClass>M</MessageClass></A2pSettings>"
        "<TelephoneNumbers><TelephoneNumber>+14155550123</TelephoneNumber></TelephoneNumbers></TnOptionGroup>"
        "<TnOptionGroup><A2pSettings><Action>delete</Action></A2pSettings>"
        "<TelephoneNumbers><TelephoneNumber>+14155550124</TelephoneNumber></TelephoneNumbers></TnOptionGroup>"
        "<TnOptionGroup><Sms>on</Sms><A2pSettings><Action>asSpecified</Action><CampaignId>C2</CampaignId>"
        "<MessageClass>M</MessageClass></A2pSettings>"
        "<TelephoneNumbers><TelephoneNumber>+14155550125</TelephoneNumber></TelephoneNumbers></TnOptionGroup>"
        "</TnOptionGroups></TnOptionOrder>"
    )


@pytest.mark.parametrize("key", ["", "k" * 41, "ключ", "a b", "a_b", "a\n"])
async def test_a_key_that_the_vendor_cannot_take_is_a_bug_of_ours(key: str) -> None:
    with pytest.raises(ValueError, match="order key"):
        await lines(say(201))[0].submit(key, [LineChange(A, "C1")])


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [LineChange(A, "C1"), LineChange(A, None)],
        [LineChange(f"+1415{n:07d}", "C1") for n in range(MAX_MEMBERS + 1)],
    ],
    ids=["none", "twice", "too many"],
)
async def test_an_order_has_one_to_max_members_each_once(changes: list[LineChange]) -> None:
    adapter, line = lines(say(201))

    with pytest.raises(ValueError, match="members"):
        await adapter.submit("k1", changes)

    assert line.sent == []


@pytest.mark.parametrize(
    "words",
    [
        "CustomerOrderId 'k1' is already used by order 'o1'",
        "Customer order ID is already in use.",
        "Duplicate CustomerOrderId",
    ],
)
async def test_a_key_that_the_carrier_has_already_is_looked_up_and_not_refused(words: str) -> None:
    body = f"<R><ResponseStatus><ErrorCode>5002</ErrorCode><Description>{words}</Description></ResponseStatus></R>"

    answer = await lines(say(409, body))[0].submit("k1", [LineChange(A, "C1")])

    assert isinstance(answer, Unknown)
    assert words in answer.raw


async def test_a_whole_refusal_carries_the_vendors_words_and_our_class() -> None:
    body = (
        "<TnOptionOrderResponse><ResponseStatus><ErrorCode>5139</ErrorCode>"
        "<Description>A2P provisioning for Long Code telephone numbers requires A2P to be enabled on account"
        "</Description></ResponseStatus></TnOptionOrderResponse>"
    )

    answer = await lines(say(400, body))[0].submit("k1", [LineChange(A, "C1")])

    assert isinstance(answer, Refused)
    assert (answer.trouble, answer.code) == (Trouble.CONFIGURATION, "5139")
    assert answer.text.startswith("A2P provisioning")


async def test_a_partial_order_tells_each_member_apart() -> None:
    inside = (
        f"<ErrorList>{error('5076', 'Number does not belong to this account.', '4155550124')}</ErrorList>"
        "<Warnings><Warning><TelephoneNumber>4155550123</TelephoneNumber>"
        "<Description>SMS is already Enabled or number is in processing.</Description></Warning></Warnings>"
    )

    answer = await lines(say(200, order("PARTIAL", inside)))[0].read_order("o1")

    assert answer == Accepted(
        OrderReport(
            carrier_order_id="o1",
            order_key="k1",
            state=OrderState.PARTIAL,
            refused={B: Refused(Trouble.OWNERSHIP, "5076", "Number does not belong to this account.")},
            warned={A: "SMS is already Enabled or number is in processing."},
        )
    )


@pytest.mark.parametrize("root", ["{}", "<TnOptionOrderResponse>{}</TnOptionOrderResponse>"])
async def test_an_order_is_read_bare_or_wrapped(root: str) -> None:
    answer = await lines(say(200, root.format(order("COMPLETE", "<ErrorList/>"))))[0].read_order("o1")

    assert answer == Accepted(OrderReport("o1", "k1", OrderState.COMPLETE, {}, {}))


async def test_a_failed_order_refuses_every_member_even_without_words() -> None:
    answer = await lines(say(200, order("FAILED", "<ErrorList/>")))[0].read_order("o1")

    assert isinstance(answer, Accepted)
    assert answer.value.refused == dict.fromkeys((A, B), Refused(Trouble.UNCLASSIFIED, "", ""))


async def test_an_error_of_a_failed_order_that_names_no_number_is_everybodys() -> None:
    inside = f"<ErrorList>{error('5148', 'Waiting has expired')}{error('5076', 'x', '4155550124')}</ErrorList>"

    answer = await lines(say(200, order("FAILED", inside)))[0].read_order("o1")

    assert isinstance(answer, Accepted)
    assert {number: said.code for number, said in answer.value.refused.items()} == {A: "5148", B: "5076"}


@pytest.mark.parametrize(
    "body",
    [
        order("PARTIAL", f"<ErrorList>{error('5148', 'Waiting to update nnid has expired')}</ErrorList>"),
        order("PARTIAL", f"<ErrorList>{error('5148', 'x', '12345')}</ErrorList>"),
        order("SIDEWAYS"),
        "<TnOptionOrder><OrderId>o1</OrderId></TnOptionOrder>",
        "<TnOptionOrder><ProcessingStatus>COMPLETE</ProcessingStatus></TnOptionOrder>",
        "<SomethingElse/>",
        "",
    ],
    ids=["nobody's error", "no number", "no such state", "no state", "no id", "no order", "nothing"],
)
async def test_what_cannot_be_told_apart_is_unknown_and_kept(body: str) -> None:
    answer = await lines(say(200, body))[0].read_order("o1")

    assert isinstance(answer, Unknown)
    assert answer.raw == body


async def test_an_order_that_the_carrier_does_not_have_is_refused() -> None:
    body = (
        "<TnOptionOrderReportResponse><ResponseStatus><Description>The resource does not exist</Description>"
        "</ResponseStatus></TnOptionOrderReportResponse>"
    )

    answer = await lines(say(404, body))[0].read_order("o1")

    assert answer == Refused(Trouble.OWNERSHIP, "404", "The resource does not exist")


def listing(*rows: tuple[str, str | None], total: int | None = None) -> str:
    told = "".join(
        f"<TnOptionOrderSummary><OrderId>{order_id}</OrderId>"
        + (f"<CustomerOrderId>{key}</CustomerOrderId>" if key is not None else "")
        + "</TnOptionOrderSummary>"
        for order_id, key in rows
    )
    count = len(rows) if total is None else total
    inside = f"<TnOptionOrders><TotalCount>{count}</TotalCount>{told}</TnOptionOrders>"
    return f"<TnOptionOrderReportResponse>{inside}</TnOptionOrderReportResponse>"


async def test_an_order_is_found_by_our_key() -> None:
    adapter, line = lines(say(200, listing(("o1", "k1"))), say(200, order("PROCESSING")))

    answer = await adapter.find_order("k1")

    assert answer == Accepted(OrderReport("o1", "k1", OrderState.PROCESSING, {}, {}))
    assert [sent.url.rsplit("/", 1)[1] for sent in line.sent] == ["tnoptions?customerOrderId=k1", "o1"]


async def test_an_order_is_found_in_a_list_whose_rows_name_no_key() -> None:
    adapter, _ = lines(
        say(200, listing(("o7", None), ("o1", None))),
        say(200, order("COMPLETE", key="k7", order_id="o7")),
        say(200, order("COMPLETE")),
    )

    answer = await adapter.find_order("k1")

    assert answer == Accepted(OrderReport("o1", "k1", OrderState.COMPLETE, {}, {}))


async def test_no_order_is_concluded_only_from_a_whole_list() -> None:
    assert await lines(say(200, listing()))[0].find_order("k1") == Accepted(None)
    assert await lines(say(200, listing(("o7", "k7"))))[0].find_order("k1") == Accepted(None)


@pytest.mark.parametrize(
    "said",
    [
        [say(200, listing(("o7", "k7"), total=1001))],
        [say(200, listing(*((f"o{n}", None) for n in range(11)))), say(200, order("COMPLETE", key="other"))],
        [say(200, listing(("o1", "k1"))), say(404, "<R><Error><Code>5035</Code></Error></R>")],
    ],
    ids=["cut list of other keys", "too many to look at", "listed but not readable"],
)
async def test_an_ignored_filter_never_means_that_there_is_no_such_order(said: list[object]) -> None:
    answer = await lines(*said)[0].find_order("k1")

    assert isinstance(answer, Unknown)


def records(*told: dict[str, object], total: int | None = None) -> bytes:
    page = {"pageSize": 250, "totalElements": len(told) if total is None else total}
    return json.dumps({"links": [], "errors": [], "page": page, "data": told}).encode()


def record(number: str, status: str, **more: str) -> dict[str, object]:
    return {"phoneNumber": number, "status": status, "nnid": "103710", "createdDate": "x", "modifiedDate": "y", **more}


async def test_readings_tell_settled_under_way_and_failed_apart() -> None:
    told = records(
        record(A, "SUCCESS", campaignId="C1", brandId="B1"),
        record("4155550124", "PROCESSING", campaignId="C1"),
        record(C, "failure", campaignId="C1"),
        record("14155550126", "SUCCESS"),
        record("+14155550127", "FAILURE"),
        record("+14155550128", "SOMETHING_NEW", campaignId="C2"),
        record("+14155550129", "SUCCESS", campaignId=""),
    )

    answer = await lines(say(200, told))[0].read_all()

    assert answer == Accepted(
        LinePage(
            readings=(
                LineReading(A, "C1", is_settled=True, operators={}),
                LineReading(B, "C1", is_settled=False, operators={}),
                LineReading(C, "C1", is_settled=False, operators={}, has_failed=True),
                LineReading("+14155550126", None, is_settled=True, operators={}),
                LineReading("+14155550127", None, is_settled=True, operators={}),
                LineReading("+14155550128", "C2", is_settled=False, operators={}),
                LineReading("+14155550129", None, is_settled=True, operators={}),
            ),
            next_page=None,
        )
    )


async def test_a_campaigns_list_is_filtered_again_on_our_side() -> None:
    told = records(record(A, "SUCCESS", campaignId="C1"), record(B, "SUCCESS", campaignId="C12"), record(C, "SUCCESS"))
    adapter, line = lines(say(200, told))

    answer = await adapter.read_campaign("C1")

    assert isinstance(answer, Accepted)
    assert [reading.number for reading in answer.value.readings] == [A]
    path = "/api/v2/accounts/9900001/tendlc/campaigns/C1/phoneNumbers?limit=250&offset=0"
    assert line.sent[0].url == "http://carrier.test" + path


async def test_a_campaign_that_the_carrier_has_not_seen_yet_is_not_ready() -> None:
    body = '{"errors":[{"type":"not_found","description":"no such campaign"}]}'

    answer = await lines(say(404, body))[0].read_campaign("C1")

    assert answer == Refused(Trouble.CAMPAIGN_NOT_READY, "404", "not_found: no such campaign")


async def test_pages_follow_each_other_until_the_total() -> None:
    adapter, line = lines(
        say(200, records(record(A, "SUCCESS"), record(B, "SUCCESS"), total=3)),
        say(200, records(record(C, "SUCCESS"), total=3)),
    )

    one = await adapter.read_all()
    assert isinstance(one, Accepted)
    two = await adapter.read_all(one.value.next_page)

    assert one.value.next_page == "2"
    assert isinstance(two, Accepted)
    assert two.value.next_page is None
    assert line.sent[1].url.endswith("limit=250&offset=2")


async def test_an_empty_page_ends_a_list_that_shrank_while_it_was_read() -> None:
    answer = await lines(say(200, records(total=500)))[0].read_all("250")

    assert answer == Accepted(LinePage(readings=(), next_page=None))


async def test_a_record_without_a_number_makes_the_page_unknown() -> None:
    answer = await lines(say(200, records(record("anonymous", "SUCCESS"))))[0].read_all()

    assert isinstance(answer, Unknown)
    assert "anonymous" in answer.raw


async def test_the_lists_may_live_on_another_host() -> None:
    assert isinstance(await lines(say(429))[0].read_all(), Deferred)


_numbers = st.lists(st.integers(min_value=2_000_000_000, max_value=9_999_999_999), unique=True, min_size=1, max_size=60)


@given(_numbers, st.lists(st.sampled_from(["C1", "C2", None]), min_size=60, max_size=60))
def test_every_member_is_in_exactly_one_group_of_its_own_campaign(
    numbers: list[int], campaigns: list[str | None]
) -> None:
    changes = [LineChange(f"+1{n}", campaign) for n, campaign in zip(numbers, campaigns, strict=False)]

    root = xml.parse(xml.render(build_order("k1", changes, message_class="M")))

    placed = [
        (number, xml.text_at(group, "A2pSettings/CampaignId") or None)
        for group in root.iter("TnOptionGroup")
        for number in xml.texts(group, "TelephoneNumber")
    ]
    assert sorted(placed, key=str) == sorted(((c.number, c.campaign) for c in changes), key=str)


@given(_numbers, st.sampled_from(["{}", "1{}", "+1{}"]))
def test_every_spelling_of_a_number_is_the_same_number(numbers: list[int], spelling: str) -> None:
    errors = "".join(error("5076", "x", spelling.format(n)) for n in numbers)

    report = read_report(xml.parse(order("PARTIAL", f"<ErrorList>{errors}</ErrorList>").encode()))

    assert report.refused.keys() == {f"+1{n}" for n in numbers}
    page = read_page(records(*(record(spelling.format(n), "SUCCESS") for n in numbers)), offset=0)
    assert [reading.number for reading in page.readings] == [f"+1{n}" for n in numbers]


def test_a_listing_with_a_character_that_no_column_takes_is_not_understood() -> None:
    body = b'{"data": [{"phoneNumber": "+14155550100", "campaignId": "C\\u0000"}], "page": {"totalElements": 1}}'

    with pytest.raises(Misunderstood):
        read_page(body, offset=0)
