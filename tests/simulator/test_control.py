"""The control plane: the oracle, and shortcuts for tests."""

import json

import pytest
from customer import SANDBOX, Customer

from agentmessage.simulator.core.http_types import HttpRequest

ONE = "+14155550100"


@pytest.fixture
def us() -> Customer:
    return Customer()


def test_the_oracle_shows_bindings_and_orders(us: Customer) -> None:
    us.have_numbers([ONE])
    us.bind(us.have_campaign(), [ONE])

    truth = us.oracle()

    assert truth["orders"] == 1
    assert set(truth["bindings"]) == {ONE}
    binding = truth["bindings"][ONE]
    assert binding["campaign"] == "CTEST01"
    assert binding["operators"] == dict.fromkeys(("10017", "10035", "10036", "10038"), "CTEST01")
    assert binding["since"].endswith("Z")


def test_the_oracle_shows_the_live_account_by_default(us: Customer) -> None:
    us.have_numbers([ONE])

    assert set(us.control("oracle")["bindings"]) == {ONE}
    assert us.control(f"oracle?account={SANDBOX}")["bindings"] == {}
    assert us.control_response("oracle?account=1").status == 404


@pytest.mark.parametrize("campaign", ["COTHER1", None])
def test_drift_takes_effect_immediately(us: Customer, campaign: str | None) -> None:
    us.have_numbers([ONE])
    us.bind(us.have_campaign(), [ONE])

    us.control("drift", {"number": ONE, "campaign": campaign})

    assert us.truth(ONE) == campaign
    assert us.records()[ONE].get("campaignId") == campaign


def test_drift_needs_a_number_in_service(us: Customer) -> None:
    assert us.control_response("drift", {"number": ONE, "campaign": None}).status == 404


def test_numbers_are_added_by_list_and_by_range_with_their_campaign(us: Customer) -> None:
    us.have_campaign(number_pool=True)

    first = us.control("numbers", {"numbers": [ONE], "first": "+14160000000", "count": 3, "campaign": "CTEST01"})
    again = us.control("numbers", {"numbers": [ONE]})

    assert (first["added"], again["added"]) == (4, 0)
    assert {binding["campaign"] for binding in us.oracle()["bindings"].values()} == {"CTEST01"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("numbers", {"numbers": ["4155550100"]}),
        ("numbers", {"first": "x"}),
        ("numbers", {"first": "+14160000000", "count": 0}),
        ("drift", {"number": ONE}),
        ("campaigns/CTEST01", {"status": "PARTY", "create": True}),
        ("settings", {"max_batch": 0}),
    ],
)
def test_an_invalid_body_is_unprocessable(us: Customer, path: str, body: object) -> None:
    assert us.control_response(path, body).status == 422


def test_a_campaign_must_exist_or_be_created(us: Customer) -> None:
    assert us.control_response("campaigns/CNONE01", {"status": "ACTIVE"}).status == 404


def test_settings_change_the_maximum_order_size(us: Customer) -> None:
    us.have_numbers([ONE])

    assert us.control("settings", {"max_batch": 5})["max_batch"] == 5
    assert us.control("profile")["settings"]["max_batch"] == 5


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("nothing", None, 404), ("reset", None, 405), ("profile", {}, 405), ("drift/x", {}, 405)],
)
def test_an_unknown_path_is_not_found(us: Customer, path: str, body: object, status: int) -> None:
    assert us.control_response(path, body).status == status


def test_the_profile_is_readable(us: Customer) -> None:
    shown = us.control("profile")

    assert (shown["profile"]["name"], shown["seed"], shown["accounts"]) == ("demo", 1, ["9900001", "9900002"])
    assert us.control("health")["alive"] is True


def test_a_body_that_is_not_json_is_rejected(us: Customer) -> None:
    response = us.world.handle(HttpRequest("POST", "/_control/drift", "", {}, b"{"), us.now)

    assert response.status == 400
    assert "JSON" in json.loads(response.body)["error"]["message"]
