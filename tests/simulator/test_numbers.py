"""The inventory: search, purchase, disconnection, numbers in service."""

import re

import pytest
from customer import SANDBOX, Customer, code_of, disconnection, numbers_from, purchase, text

ONE, TWO = "+14155550100", "+14155550101"
ORDERS, DROPS = "/api/accounts/{a}/orders", "/api/accounts/{a}/disconnects"


@pytest.fixture
def us() -> Customer:
    return Customer()


def _buy(us: Customer, key: str, numbers: list[str], *, may_be_partial: bool = True) -> str:
    response = us.ask("POST", ORDERS, body=purchase(key, numbers, may_be_partial=may_be_partial))
    assert response.status == 201, response.body
    return text(response, ".//id")


def _drop(us: Customer, key: str, numbers: list[str]) -> str:
    response = us.ask("POST", DROPS, body=disconnection(key, numbers))
    assert response.status == 201, response.body
    return text(response, ".//id")


def _status(us: Customer, order_id: str, path: str = ORDERS) -> str:
    return text(us.ask("GET", f"{path}/{order_id}"), "OrderStatus")


@pytest.mark.parametrize("query", ["areaCode=415", "tollFreeWildCardPattern=8**", "state=NY", "npaNxx=212555"])
def test_only_fictional_numbers_are_for_sale(us: Customer, query: str) -> None:
    found = us.search(f"{query}&quantity=40")

    assert len(found) == 40
    assert all(re.fullmatch(r"\+1\d{3}55501\d{2}", number) for number in found)


@pytest.mark.parametrize(("query", "count"), [("areaCode=415", 100), ("areaCode=999", 0), ("npaNxx=415010", 0)])
def test_an_area_code_has_a_hundred_numbers_or_none(us: Customer, query: str, count: int) -> None:
    assert len(us.search(query)) == count


def test_numbers_can_be_searched_by_digits(us: Customer) -> None:
    assert us.search("areaCode=415&localVanity=0177") == ["+14155550177"]


@pytest.mark.parametrize("query", ["", "quantity=5", "areaCode=415&quantity=0", "areaCode=415&quantity=5001"])
def test_a_search_needs_a_criterion_and_a_quantity(us: Customer, query: str) -> None:
    response = us.ask("GET", "/api/accounts/{a}/availableNumbers", query)

    assert (response.status, code_of(response)) == (400, "4010")


def test_a_bought_number_is_in_service_and_no_longer_for_sale(us: Customer) -> None:
    order_id = _buy(us, "k", [ONE])
    assert _status(us, order_id) == "RECEIVED"

    us.wait()

    assert _status(us, order_id) == "COMPLETE"
    assert ONE in us.oracle()["bindings"]
    assert ONE not in us.search("areaCode=415")


def test_one_of_two_orders_for_a_number_succeeds(us: Customer) -> None:
    first, second = _buy(us, "a", [ONE]), _buy(us, "b", [ONE, TWO])
    us.wait()

    response = us.ask("GET", f"{ORDERS}/{second}")

    assert _status(us, first) == "COMPLETE"
    assert text(response, "OrderStatus") == "PARTIAL"
    assert text(response, "FailedNumbers/FullNumber") == ONE[2:]
    assert text(response, "ErrorList/Error/Code") == "5005"


def test_an_order_that_may_not_be_partial_buys_all_or_nothing(us: Customer) -> None:
    _buy(us, "a", [ONE])

    order_id = _buy(us, "b", [ONE, TWO], may_be_partial=False)
    us.wait()

    assert _status(us, order_id) == "FAILED"
    assert TWO not in us.oracle()["bindings"]
    assert TWO in us.search("areaCode=415")


@pytest.mark.parametrize("number", ["+14152220100", "+14155550200"])
def test_a_number_that_is_not_fictional_cannot_be_bought(us: Customer, number: str) -> None:
    order_id = _buy(us, "k", [number])
    us.wait()

    assert _status(us, order_id) == "FAILED"


def test_a_purchase_is_found_by_its_key_and_the_key_is_not_used_twice(us: Customer) -> None:
    order_id = _buy(us, "k", [ONE])

    again = us.ask("POST", ORDERS, body=purchase("k", [TWO]))
    found = us.ask("GET", ORDERS, "page=1&size=10&customerOrderId=k")

    assert (again.status, order_id in again.body.decode()) == (409, True)
    assert text(found, ".//orderId") == order_id
    assert text(us.ask("GET", ORDERS, "page=1&size=10&customerOrderId=no"), ".//TotalCount") == "0"


@pytest.mark.parametrize(("change", "code"), [((b"743", b"x"), "5016"), ((b"<SiteId>743</SiteId>", b""), "5022")])
def test_a_purchase_needs_a_site(us: Customer, change: tuple[bytes, bytes], code: str) -> None:
    response = us.ask("POST", ORDERS, body=purchase("k", [ONE]).replace(*change))

    assert (response.status, code_of(response)) == (400, code)


def test_a_disconnected_number_ages_before_it_is_sold_again(us: Customer) -> None:
    us.have_numbers([ONE])
    order_id = _drop(us, "k", [ONE, TWO])
    us.wait(2)

    resting = us.search("areaCode=415")
    us.wait()

    response = us.ask("GET", f"{DROPS}/{order_id}")
    assert text(response, "OrderStatus") == "PARTIAL"
    assert text(response, ".//DisconnectedTelephoneNumberList/TelephoneNumber") == ONE[2:]
    assert text(response, ".//Error/Code") == "5076"
    assert (ONE in resting, ONE in us.search("areaCode=415")) == (False, True)


def test_a_number_disconnected_while_bound_is_still_bound_when_it_is_sold_again(us: Customer) -> None:
    us.have_numbers([ONE])
    us.bind(us.have_campaign(), [ONE])
    _drop(us, "k", [ONE])
    us.wait(120)

    _buy(us, "again", [ONE])
    us.wait()

    assert us.truth(ONE) == "CTEST01"


def test_numbers_in_service_are_listed_by_the_page(us: Customer) -> None:
    numbers = numbers_from(100, 7)
    us.have_numbers(numbers)

    seen: list[str] = []
    page = 1
    while True:
        response = us.ask("GET", "/api/accounts/{a}/inserviceNumbers", f"page={page}&size=3")
        seen += [f"+1{found}" for found in re.findall(r"<TelephoneNumber>(\d+)<", response.body.decode())]
        if b"<next>" not in response.body:
            break
        page += 1

    assert (seen, page) == (numbers, 3)


def test_an_account_without_numbers_has_no_content(us: Customer) -> None:
    assert us.ask("GET", "/api/accounts/{a}/inserviceNumbers", "page=1&size=3").status == 204


def test_both_accounts_can_own_the_same_fictional_number(us: Customer) -> None:
    stranger = Customer(us.world, account=SANDBOX)
    _buy(us, "k", [ONE])
    stranger_order = _buy(stranger, "k", [ONE])
    us.wait()
    stranger.wait()

    assert _status(stranger, stranger_order) == "COMPLETE"
    assert us.ask("GET", f"{ORDERS}/{stranger_order}").status == 404
