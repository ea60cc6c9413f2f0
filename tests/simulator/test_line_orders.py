"""TN option orders: numbers are put on campaigns and taken off, with their errors."""

import pytest
from customer import LIVE, SANDBOX, START, Customer, code_of, line_order, numbers_from, text

from agentmessage.simulator.core.http_types import HttpRequest
from agentmessage.simulator.core.profiles import Span, TimingProfile
from agentmessage.simulator.world import World

ONE = "+14155550123"
TWO = "+14155550124"


@pytest.fixture
def us() -> Customer:
    customer = Customer()
    customer.have_numbers([ONE, TWO])
    customer.have_campaign()
    return customer


def test_an_order_is_received_then_processed_then_complete(us: Customer) -> None:
    order_id = us.submit("k", ("CTEST01", [ONE]))

    states = [us.state(order_id)]
    for _ in range(40):
        us.wait(0.1)
        states.append(us.state(order_id))

    assert list(dict.fromkeys(states)) == ["RECEIVED", "PROCESSING", "COMPLETE"]


def test_complete_is_not_yet_propagated(us: Customer) -> None:
    order_id = us.submit("k", ("CTEST01", [ONE]))
    while us.state(order_id) != "COMPLETE":
        us.wait(0.05)

    assert us.records()[ONE]["status"] == "PROCESSING"
    assert set(us.oracle()["bindings"][ONE]["operators"].values()) == {None}
    us.wait()
    assert us.records()[ONE]["status"] == "SUCCESS"
    assert set(us.oracle()["bindings"][ONE]["operators"].values()) == {"CTEST01"}


def test_operators_follow_one_after_another(us: Customer) -> None:
    us.submit("k", ("CTEST01", [ONE]))

    followers = set[int]()
    for _ in range(80):
        us.wait(0.1)
        operators = us.oracle()["bindings"][ONE]["operators"].values()
        followers.add(sum(campaign is not None for campaign in operators))

    assert followers == {0, 1, 2, 3, 4}


def test_an_unbind_shows_the_campaign_until_every_operator_has_followed(us: Customer) -> None:
    us.bind("CTEST01", [ONE])

    order_id = us.submit("k", (None, [ONE]))
    while us.state(order_id) != "COMPLETE":
        us.wait(0.05)

    record = us.records()[ONE]
    assert (record["campaignId"], record["status"]) == ("CTEST01", "PROCESSING")
    us.wait()
    assert "campaignId" not in us.records()[ONE]
    assert us.truth(ONE) is None


def test_one_order_holds_several_campaigns_and_unbinds(us: Customer) -> None:
    us.have_campaign("CTEST02")
    us.have_numbers(["+14155550125"])
    us.bind("CTEST01", [TWO])

    us.submit("k", ("CTEST01", [ONE]), ("CTEST02", ["+14155550125"]), (None, [TWO]))
    us.wait()

    assert [us.truth(number) for number in (ONE, TWO, "+14155550125")] == ["CTEST01", None, "CTEST02"]


def test_a_number_in_an_open_order_is_busy_and_the_others_are_applied(us: Customer) -> None:
    us.submit("first", ("CTEST01", [ONE]))

    order_id = us.submit("second", ("CTEST01", [ONE, TWO]))
    us.wait()

    assert us.state(order_id) == "PARTIAL"
    assert us.errors(order_id)[ONE][0] == "5218"
    assert us.truth(TWO) == "CTEST01"


def test_a_number_that_still_propagates_is_in_processing(us: Customer) -> None:
    first = us.submit("first", ("CTEST01", [ONE]))
    while us.state(first) != "COMPLETE":
        us.wait(0.05)

    order_id = us.submit("second", (None, [ONE]))
    us.wait()

    assert us.errors(order_id)[ONE] == (
        "5146",
        "Nnid change prohibited. Telephone number '4155550123' is in PROCESSING",
    )
    assert us.truth(ONE) == "CTEST01"


def test_a_number_that_is_not_in_service_is_rejected(us: Customer) -> None:
    order_id = us.bind("CTEST01", ["+14155550199"])

    assert us.state(order_id) == "FAILED"
    assert us.errors(order_id)["+14155550199"][0] == "5076"


def test_a_bound_number_must_be_unbound_before_it_goes_elsewhere(us: Customer) -> None:
    us.have_campaign("CTEST02")
    us.bind("CTEST01", [ONE])

    order_id = us.bind("CTEST02", [ONE])

    assert "already assigned to campaign 'CTEST01'" in us.errors(order_id)[ONE][1]
    assert us.truth(ONE) == "CTEST01"


def test_an_order_without_effect_completes_with_a_warning(us: Customer) -> None:
    us.bind("CTEST01", [ONE])

    order_id = us.bind("CTEST01", [ONE])

    assert us.state(order_id) == "COMPLETE"
    assert text(us.order(order_id), ".//Warning/TelephoneNumber") == "4155550123"


@pytest.mark.parametrize(("settings", "cap"), [({}, 49), ({"usecase": "SOLE_PROPRIETOR"}, 1)])
def test_a_campaign_without_a_pool_is_full_at_its_cap(settings: dict[str, object], cap: int) -> None:
    us = Customer(profile="instant")
    numbers = numbers_from(100, cap + 1)
    us.have_numbers(numbers)
    campaign = us.have_campaign(**settings)

    order_id = us.bind(campaign, numbers)

    assert us.state(order_id) == "PARTIAL"
    assert us.errors(order_id) == {
        numbers[-1]: ("5229", f"Campaign '{campaign}' exceeds the limit of {cap} telephone numbers.")
    }


def test_a_number_pool_lifts_the_cap() -> None:
    us = Customer(profile="instant")
    us.have_numbers(numbers_from(100, 60))

    assert us.state(us.bind(us.have_campaign(number_pool=True), numbers_from(100, 60))) == "COMPLETE"


def test_a_slot_is_free_only_when_the_number_has_left() -> None:
    slow = TimingProfile(name="slow", order_processing=Span(1, 1), propagation={"10035": Span(30, 30)})
    us = Customer(World(profile=slow, started_at=START))
    campaign = us.have_campaign(usecase="SOLE_PROPRIETOR")
    us.have_numbers([ONE, TWO])
    us.bind(campaign, [ONE])
    us.submit("leave", (None, [ONE]))
    us.wait(2)

    early = us.submit("early", (campaign, [TWO]))
    us.wait(2)
    refused = us.errors(early)
    us.wait()
    late = us.bind(campaign, [TWO])

    assert "exceeds the limit of 1" in refused[TWO][1]
    assert us.state(late) == "COMPLETE"
    assert us.truth(TWO) == campaign


def test_a_dormant_campaign_is_reactivated_by_the_first_attempt_which_fails(us: Customer) -> None:
    us.control("campaigns/CTEST01", {"status": "DORMANT"})

    first = us.bind("CTEST01", [ONE])
    second = us.bind("CTEST01", [ONE])

    assert us.state(first) == "FAILED"
    assert "is dormant" in us.errors(first)[ONE][1]
    assert us.state(second) == "COMPLETE"
    assert us.truth(ONE) == "CTEST01"


def test_a_suspended_campaign_loses_its_numbers_until_it_is_resumed(us: Customer) -> None:
    us.bind("CTEST01", [ONE])

    us.control("campaigns/CTEST01", {"status": "SUSPENDED"})
    suspended = us.truth(ONE)
    refused = us.errors(us.bind("CTEST01", [TWO]))[TWO][1]
    us.control("campaigns/CTEST01", {"status": "ACTIVE"})

    assert (suspended, refused) == (None, "Campaign 'CTEST01' is suspended.")
    assert us.truth(ONE) == "CTEST01"


def test_a_number_unbound_during_a_suspension_does_not_return(us: Customer) -> None:
    us.bind("CTEST01", [ONE])
    us.control("campaigns/CTEST01", {"status": "SUSPENDED"})

    us.bind(None, [ONE])
    us.control("campaigns/CTEST01", {"status": "ACTIVE"})

    assert us.truth(ONE) is None


def test_a_number_moved_during_a_suspension_does_not_return(us: Customer) -> None:
    us.have_campaign("CTEST02")
    us.bind("CTEST01", [ONE])
    us.control("campaigns/CTEST01", {"status": "SUSPENDED"})

    us.bind("CTEST02", [ONE])
    us.bind(None, [ONE])
    us.control("campaigns/CTEST01", {"status": "ACTIVE"})

    assert us.truth(ONE) is None


def test_an_expired_campaign_loses_its_numbers_for_good(us: Customer) -> None:
    us.bind("CTEST01", [ONE])

    us.control("campaigns/CTEST01", {"status": "EXPIRED"})

    assert us.truth(ONE) is None
    assert us.errors(us.bind("CTEST01", [ONE]))[ONE][1] == "Campaign 'CTEST01' is expired."


def test_a_repeated_key_is_rejected_with_the_first_order(us: Customer) -> None:
    order_id = us.submit("k-1", ("CTEST01", [ONE]))

    again = us.ask("POST", "/api/accounts/{a}/tnoptions", body=line_order("k-1", ("CTEST01", [TWO])))

    assert again.status == 409
    assert f"CustomerOrderId 'k-1' is already used by order '{order_id}'" in again.body.decode()
    assert us.oracle()["orders"] == 1
    assert us.oracle()["repeated_submissions"] == {"line_key": 1}


def test_a_carrier_may_accept_a_repeated_key_and_the_oracle_shows_it(us: Customer) -> None:
    us.control("settings", {"allow_duplicate_keys": True})

    ids = [us.submit("k-1", ("CTEST01", [ONE])), us.submit("k-1", ("CTEST01", [ONE]))]

    assert us.oracle()["duplicate_keys"] == {"k-1": ids}


def test_an_order_is_found_by_its_key(us: Customer) -> None:
    us.submit("other", ("CTEST01", [TWO]))
    order_id = us.submit("mine", ("CTEST01", [ONE]))

    found = us.ask("GET", "/api/accounts/{a}/tnoptions", "customerOrderId=mine&nonsense=1")
    nothing = us.ask("GET", "/api/accounts/{a}/tnoptions", "customerOrderId=unknown")

    assert text(found, ".//TnOptionOrderSummary/OrderId") == order_id
    assert text(found, ".//TotalCount") == "1"
    assert text(nothing, ".//TotalCount") == "0"


def test_an_order_has_a_history(us: Customer) -> None:
    order_id = us.bind("CTEST01", [ONE])

    history = us.ask("GET", f"/api/accounts/{{a}}/tnoptions/{order_id}/history").body.decode()

    assert [state in history for state in ("received", "processing", "complete")] == [True] * 3


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "5001"),
        (b"<TnOptionOrder>", "5001"),
        (b"<Other/>", "5001"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><TnOptionOrder>&a;</TnOptionOrder>', "5001"),
        (line_order("k", ("CTEST01", [])), "5081"),
        (line_order("k", ("CTEST01", ["wrong"])), "5081"),
        (line_order("k", ("CTEST01", [ONE, ONE])), "5093"),
        (line_order("k", ("CTEST01", [f"+1415{i:07d}" for i in range(1001)])), "5095"),
        (line_order("k!", ("CTEST01", [ONE])), "5052"),
        (line_order("k" * 41, ("CTEST01", [ONE])), "5052"),
        (line_order("k", ("CTEST01", [ONE])).replace(b"asSpecified", b"delete"), "5134"),
        (line_order("k", (None, [ONE])).replace(b"delete", b"asSpecified"), "5134"),
        (line_order("k", ("CTEST01", [ONE])).replace(b"<Sms>on", b"<Sms>off"), "5132"),
    ],
)
def test_an_invalid_order_is_rejected_whole(us: Customer, body: bytes, code: str) -> None:
    response = us.ask("POST", "/api/accounts/{a}/tnoptions", body=body)

    assert (response.status, code_of(response)) == (400, code)
    assert us.oracle()["orders"] == 0


@pytest.mark.parametrize("number", [ONE, ONE[1:], ONE[2:]])
def test_numbers_are_read_in_every_format(us: Customer, number: str) -> None:
    us.bind("CTEST01", [number])

    assert us.truth(ONE) == "CTEST01"


def test_two_accounts_share_nothing(us: Customer) -> None:
    stranger = Customer(us.world, account=SANDBOX)
    order_id = us.submit("k", ("CTEST01", [ONE]))

    stranger.have_numbers([ONE])
    refused = stranger.bind("CTEST01", [ONE])

    assert us.account == LIVE
    assert stranger.order(order_id).status == 404
    assert "was not found" in stranger.errors(refused)[ONE][1]
    assert stranger.truth(ONE) is None


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer x"}, {"authorization": "Basic !!"}])
def test_a_request_without_credentials_is_unauthorized(us: Customer, headers: dict[str, str]) -> None:
    response = us.world.handle(HttpRequest("GET", f"/api/accounts/{LIVE}/tnoptions", "", headers), us.now)

    assert response.status == 401


def test_an_unknown_account_is_forbidden(us: Customer) -> None:
    assert us.ask("GET", "/api/accounts/1/tnoptions").status == 403


def test_an_unknown_resource_is_not_found(us: Customer) -> None:
    assert us.ask("GET", "/api/accounts/{a}/nothing").status == 404


@pytest.mark.parametrize("code", ["800", "833", "844", "855", "866", "877", "888"])
def test_a_toll_free_number_is_rejected_and_the_other_members_are_bound(us: Customer, code: str) -> None:
    toll_free = f"+1{code}5550123"
    us.have_numbers([toll_free])

    order_id = us.submit("k", ("CTEST01", [toll_free, ONE]))
    us.wait()

    assert us.state(order_id) == "PARTIAL"
    assert {number: code for number, (code, _) in us.errors(order_id).items()} == {toll_free: "5162"}
    assert (us.truth(toll_free), us.truth(ONE)) == (None, "CTEST01")
