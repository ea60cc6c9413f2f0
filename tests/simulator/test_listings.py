"""The carrier's listings, and their faults."""

import json

import pytest
from customer import START, Customer, numbers_from

from agentmessage.simulator.world import World

NUMBERS = numbers_from(100, 5)
LISTING = "/api/v2/accounts/{a}/tendlc/phoneNumbers"


@pytest.fixture
def us() -> Customer:
    customer = Customer(profile="instant")
    customer.have_numbers(NUMBERS)
    customer.have_campaign()
    customer.have_campaign("CTEST02")
    customer.bind("CTEST01", NUMBERS[:2])
    customer.bind("CTEST02", NUMBERS[2:3])
    return customer


def test_a_number_without_a_campaign_lacks_the_campaign_keys(us: Customer) -> None:
    records = us.records()

    assert set(records[NUMBERS[4]]) == {"phoneNumber", "status", "nnid", "createdDate", "modifiedDate"}
    assert records[NUMBERS[0]]["campaignId"] == "CTEST01"


@pytest.mark.parametrize(
    ("query", "count"),
    [("campaignId[eq]=CTEST01", 5), ("status[eq]=FAILURE", 5), ("campaignId[contains]=CTEST01", 2), ("x=y", 5)],
)
def test_only_one_filter_has_an_effect(us: Customer, query: str, count: int) -> None:
    assert len(us.records(f"limit=250&{query}")) == count


def test_a_page_has_at_most_250_records() -> None:
    us = Customer(profile="instant")
    us.control("numbers", {"first": "+14150000000", "count": 600})

    page = json.loads(us.ask("GET", LISTING, "limit=1000&offset=500").body)

    assert (len(page["data"]), page["page"]["totalElements"]) == (100, 600)
    assert len(us.records("limit=1000")) == 250
    assert len(us.records("")) == 50


def test_the_numbers_of_one_campaign(us: Customer) -> None:
    response = us.ask("GET", "/api/v2/accounts/{a}/tendlc/campaigns/CTEST01/phoneNumbers", "limit=250")

    assert [record["phoneNumber"] for record in json.loads(response.body)["data"]] == NUMBERS[:2]


def test_a_listing_may_ignore_its_filter(us: Customer) -> None:
    us.control("faults", {"once": [{"fault": "filter_ignored"}]})
    path = "/api/v2/accounts/{a}/tendlc/campaigns/CTEST01/phoneNumbers"

    assert json.loads(us.ask("GET", path).body)["page"]["totalElements"] == 5
    assert json.loads(us.ask("GET", path).body)["page"]["totalElements"] == 2


def test_reading_one_number_is_not_found(us: Customer) -> None:
    assert us.ask("GET", f"{LISTING}/{NUMBERS[0]}").status == 404


def test_a_campaign_that_was_never_imported_is_not_found(us: Customer) -> None:
    assert us.ask("GET", "/api/v2/accounts/{a}/tendlc/campaigns/CNONE01/phoneNumbers").status == 404


def test_a_stale_read_shows_an_earlier_state(us: Customer) -> None:
    us.wait()
    us.bind("CTEST01", NUMBERS[3:4])
    us.control("faults", {"once": [{"fault": "stale_read", "seconds": 90}]})

    stale, fresh = us.records(), us.records()

    assert "campaignId" not in stale[NUMBERS[3]]
    assert fresh[NUMBERS[3]]["campaignId"] == "CTEST01"


def test_a_stale_read_of_a_campaign_shows_numbers_that_have_left(us: Customer) -> None:
    us.wait()
    us.bind(None, NUMBERS[:1])
    us.control("faults", {"once": [{"fault": "stale_read", "seconds": 90}]})
    path = "/api/v2/accounts/{a}/tendlc/campaigns/CTEST01/phoneNumbers"

    stale, fresh = (json.loads(us.ask("GET", path).body)["page"]["totalElements"] for _ in range(2))

    assert (stale, fresh) == (2, 1)


def test_a_page_may_drift(us: Customer) -> None:
    us.control("faults", {"once": [{"fault": "page_drift"}]})

    assert list(us.records()) == NUMBERS[1:]


def test_an_operator_that_rejects_leaves_a_failure_that_can_be_repaired() -> None:
    us = Customer()
    us.have_numbers(NUMBERS[:1])
    us.have_campaign()
    us.control("faults", {"once": [{"fault": "operator_rejects"}]})
    us.bind("CTEST01", NUMBERS[:1])
    record = us.records()[NUMBERS[0]]
    followers = list(us.oracle()["bindings"][NUMBERS[0]]["operators"].values())

    us.bind("CTEST01", NUMBERS[:1])

    assert (record["status"], record["campaignId"]) == ("FAILURE", "CTEST01")
    assert followers.count(None) == 1
    assert us.records()[NUMBERS[0]]["status"] == "SUCCESS"
    assert set(us.oracle()["bindings"][NUMBERS[0]]["operators"].values()) == {"CTEST01"}


def test_a_rejected_unbind_keeps_the_campaign() -> None:
    us = Customer()
    us.have_numbers(NUMBERS[:1])
    us.bind(us.have_campaign(), NUMBERS[:1])
    us.control("faults", {"once": [{"fault": "operator_rejects"}]})

    us.bind(None, NUMBERS[:1])
    failed = us.records()[NUMBERS[0]]
    us.bind(None, NUMBERS[:1])

    assert (failed["status"], failed["campaignId"]) == ("FAILURE", "CTEST01")
    assert us.truth(NUMBERS[0]) is None


def test_t_mobile_processes_numbers_one_after_another() -> None:
    us = Customer(World(profile="world", started_at=START))
    us.have_numbers(numbers_from(100, 3))
    us.have_campaign()

    us.submit("k", ("CTEST01", numbers_from(100, 3)))
    us.wait(120)
    lines = [us.world._shared.accounts[us.account].lines[number] for number in numbers_from(100, 3)]

    assert [round(line.due[1] - lines[0].due[1], 6) for line in lines] == [0.0, 1.0, 2.0]
