import pytest

from agentmessage.carriers.protocols import (
    Accepted,
    AvailableNumber,
    NumberPage,
    OrderState,
    PurchaseReport,
    Refused,
    Trouble,
    Unknown,
)
from tests.carriers.tapes import BANDWIDTH, numbers, say

A, B = "+14155550123", "+14155550124"


def for_sale(*told: str) -> str:
    inside = "".join(f"<TelephoneNumber>{number}</TelephoneNumber>" for number in told)
    listed = f"<ResultCount>{len(told)}</ResultCount><TelephoneNumberList>{inside}</TelephoneNumberList>"
    return f"<SearchResult>{listed}</SearchResult>"


async def test_a_search_asks_for_the_area_code_and_the_quantity() -> None:
    adapter, line = numbers(say(200, for_sale("4155550123", "4155550124")))

    answer = await adapter.search(area_code="415", number_type="local", pattern=None, quantity=2)

    assert answer == Accepted((AvailableNumber(A, "local"), AvailableNumber(B, "local")))
    assert line.sent[0].url == "http://carrier.test/api/accounts/9900001/availableNumbers?areaCode=415&quantity=2"


async def test_a_pattern_is_matched_on_our_side_and_the_quantity_kept() -> None:
    adapter, line = numbers(say(200, for_sale("4155550123", "4155550177", "4155550178")))

    answer = await adapter.search(area_code="415", number_type="local", pattern="017", quantity=1)

    assert answer == Accepted((AvailableNumber("+14155550177", "local"),))
    assert "quantity=5000" in line.sent[0].url


async def test_a_search_without_an_area_code_tries_the_configured_ones_until_it_has_enough() -> None:
    adapter, line = numbers(say(200, "<SearchResult/>"), say(200, for_sale("2125550123")))

    answer = await adapter.search(area_code=None, number_type="local", pattern=None, quantity=1)

    assert answer == Accepted((AvailableNumber("+12125550123", "local"),))
    assert [sent.url.split("areaCode=")[1][:3] for sent in line.sent] == list(BANDWIDTH.search_area_codes[:2])


@pytest.mark.parametrize(("area_code", "wild"), [(None, "8%2A%2A"), ("833", "833")])
async def test_toll_free_numbers_are_searched_by_wild_card(area_code: str | None, wild: str) -> None:
    adapter, line = numbers(say(200, for_sale("8335550123")))

    answer = await adapter.search(area_code=area_code, number_type="toll_free", pattern=None, quantity=5)

    assert answer == Accepted((AvailableNumber("+18335550123", "toll_free"),))
    assert f"tollFreeWildCardPattern={wild}&" in line.sent[0].url


async def test_short_codes_are_not_for_sale_and_not_asked_for() -> None:
    adapter, line = numbers(say(500))

    answer = await adapter.search(area_code=None, number_type="short_code", pattern=None, quantity=5)

    assert answer == Accepted(())
    assert line.sent == []


async def test_a_refused_search_says_why() -> None:
    error = "<Error><Code>4010</Code><Description>search parameters are empty</Description></Error>"
    body = f"<SearchResult>{error}</SearchResult>"

    answer = await numbers(say(400, body))[0].search(area_code="1", number_type="local", pattern=None, quantity=1)

    assert answer == Refused(Trouble.CONFIGURATION, "4010", "search parameters are empty")


async def test_a_purchase_names_exactly_the_numbers_the_place_and_our_key() -> None:
    adapter, line = numbers(say(201, "<OrderResponse><Order><id>o1</id></Order></OrderResponse>"))

    answer = await adapter.buy("k1", [A, B])

    assert answer == Accepted("o1")
    assert line.sent[0].url == "http://carrier.test/api/accounts/9900001/orders"
    assert line.sent[0].body.decode().splitlines()[1] == (
        "<Order><CustomerOrderId>k1</CustomerOrderId><Name>k1</Name><ExistingTelephoneNumberOrderType><TelephoneNumberList>"
        "<TelephoneNumber>4155550123</TelephoneNumber><TelephoneNumber>4155550124</TelephoneNumber></TelephoneNumberList>"
        "</ExistingTelephoneNumberOrderType><PartialAllowed>false</PartialAllowed><SiteId>743</SiteId>"
        "<PeerId>500018</PeerId></Order>"
    )


def purchase(state: str, done: str = "", inside: str = "", key: str = "k1") -> str:
    told = f"<CompletedNumbers><TelephoneNumber><FullNumber>{done}</FullNumber></TelephoneNumber></CompletedNumbers>"
    return (
        f"<OrderResponse><Order><CustomerOrderId>{key}</CustomerOrderId><ExistingTelephoneNumberOrderType>"
        "<TelephoneNumberList><TelephoneNumber>4155550123</TelephoneNumber><TelephoneNumber>4155550124</TelephoneNumber>"
        f"</TelephoneNumberList></ExistingTelephoneNumberOrderType></Order><OrderStatus>{state}</OrderStatus>"
        f"{told if done else ''}{inside}</OrderResponse>"
    )


async def test_a_partial_purchase_tells_done_and_refused_apart() -> None:
    inside = (
        "<ErrorList><Error><Code>5005</Code><Description>Telephone Number Unavailable</Description>"
        "<TelephoneNumber>4155550124</TelephoneNumber></Error></ErrorList>"
    )

    answer = await numbers(say(200, purchase("PARTIAL", "4155550123", inside)))[0].read_purchase("o1")

    refused = {B: Refused(Trouble.OWNERSHIP, "5005", "Telephone Number Unavailable")}
    assert answer == Accepted(PurchaseReport("o1", "k1", OrderState.PARTIAL, (A,), refused))


async def test_a_failed_purchase_refuses_every_number_even_without_words() -> None:
    answer = await numbers(say(200, purchase("FAILED")))[0].read_purchase("o1")

    assert isinstance(answer, Accepted)
    assert answer.value.refused == dict.fromkeys((A, B), Refused(Trouble.UNCLASSIFIED, "", ""))


async def test_a_backordered_purchase_is_not_over() -> None:
    answer = await numbers(say(200, purchase("BACKORDERED")))[0].read_purchase("o1")

    assert isinstance(answer, Accepted)
    assert not answer.value.is_final


async def test_a_purchase_is_found_by_reading_what_the_list_names() -> None:
    listed = (
        "<ResponseSelectWrapper><ListOrderIdUserIdDate><TotalCount>2</TotalCount>"
        "<OrderIdUserIdDate><orderId>o7</orderId></OrderIdUserIdDate><OrderIdUserIdDate><orderId>o1</orderId>"
        "</OrderIdUserIdDate></ListOrderIdUserIdDate></ResponseSelectWrapper>"
    )
    adapter, line = numbers(
        say(200, listed), say(200, purchase("COMPLETE", key="k7")), say(200, purchase("COMPLETE", "4155550123"))
    )

    answer = await adapter.find_purchase("k1")

    assert isinstance(answer, Accepted)
    assert answer.value is not None
    assert (answer.value.carrier_order_id, answer.value.order_key) == ("o1", "k1")
    assert "customerOrderId=k1" in line.sent[0].url


async def test_no_purchase_is_concluded_from_an_empty_list() -> None:
    inside = "<ListOrderIdUserIdDate><TotalCount>0</TotalCount></ListOrderIdUserIdDate>"
    listed = f"<ResponseSelectWrapper>{inside}</ResponseSelectWrapper>"

    assert await numbers(say(200, listed))[0].find_purchase("k1") == Accepted(None)


async def test_a_disconnection_is_ordered_and_read() -> None:
    answered = (
        "<DisconnectTelephoneNumberOrderResponse>{}<orderRequest><CustomerOrderId>k1</CustomerOrderId><id>d1</id>"
        "<DisconnectTelephoneNumberOrderType><TelephoneNumberList><TelephoneNumber>4155550123</TelephoneNumber>"
        "</TelephoneNumberList></DisconnectTelephoneNumberOrderType></orderRequest><OrderStatus>{}</OrderStatus>"
        "</DisconnectTelephoneNumberOrderResponse>"
    )
    number = "<TelephoneNumber>4155550123</TelephoneNumber>"
    gone = f"<DisconnectedTelephoneNumberList>{number}</DisconnectedTelephoneNumberList>"
    adapter, line = numbers(say(201, answered.format("", "RECEIVED")), say(200, answered.format(gone, "COMPLETE")))

    made = await adapter.disconnect("k1", [A])
    read = await adapter.read_disconnection("d1")

    assert made == Accepted("d1")
    assert read == Accepted(PurchaseReport("d1", "k1", OrderState.COMPLETE, (A,), {}))
    assert [sent.url.rsplit("9900001", 1)[1] for sent in line.sent] == ["/disconnects", "/disconnects/d1"]


async def test_numbers_in_service_are_paged_by_the_vendors_own_link() -> None:
    link = '<next>Link=&lt;https://x/inserviceNumbers?page=2&amp;size=500&gt;;rel="next";</next>'
    page = (
        "<TNs><TotalCount>2</TotalCount><Links>{}</Links><TelephoneNumbers><Count>1</Count>"
        "<TelephoneNumber>{}</TelephoneNumber></TelephoneNumbers></TNs>"
    )
    adapter, line = numbers(say(200, page.format(link, "4155550123")), say(200, page.format("", "4155550124")))

    one = await adapter.read_in_service()
    two = await adapter.read_in_service("2")

    assert one == Accepted(NumberPage((A,), "2"))
    assert two == Accepted(NumberPage((B,), None))
    assert [sent.url.split("?")[1] for sent in line.sent] == ["page=1&size=500", "page=2&size=500"]


async def test_no_content_means_that_no_number_is_in_service() -> None:
    assert await numbers(say(204))[0].read_in_service() == Accepted(NumberPage((), None))


async def test_a_list_without_its_total_is_not_believed() -> None:
    """An empty list by mistake would look like every number having vanished."""
    assert isinstance(await numbers(say(200, "<TNs/>"))[0].read_in_service(), Unknown)
