"""Every fault has the effect that the catalog describes, and none when it is off."""

import json

import pytest
from customer import Customer, line_order, numbers_from, subscription, text

from agentmessage.simulator.core.faults import CATALOG
from agentmessage.simulator.core.http_types import Breakage, HttpResponse

ONE = "+14155550100"
NUMBERS = numbers_from(100, 40)
PATH = "/api/accounts/{a}/tnoptions"


@pytest.fixture
def us() -> Customer:
    customer = Customer()
    customer.have_numbers(NUMBERS)
    customer.have_campaign()
    return customer


def _strike(us: Customer, fault: str, **more: object) -> None:
    us.control("faults", {"once": [{"fault": fault, **more}]})


def _post(us: Customer, key: str = "k", numbers: list[str] | None = None) -> HttpResponse:
    return us.ask("POST", PATH, body=line_order(key, ("CTEST01", numbers or [ONE])))


@pytest.mark.parametrize(
    ("fault", "status", "breakage", "is_done"),
    [
        ("timeout_before", 503, Breakage.HANG_BEFORE, False),
        ("error_before", 503, None, False),
        ("rate_limited", 429, None, False),
        ("timeout_after", 201, Breakage.HANG_AFTER, True),
        ("error_after", 500, None, True),
        ("reset_after", 201, Breakage.RESET, True),
        ("garbled", 200, None, True),
        ("slow", 201, None, True),
    ],
)
def test_a_connection_breaks_before_or_after_the_request_is_handled(
    us: Customer, fault: str, status: int, breakage: Breakage | None, *, is_done: bool
) -> None:
    _strike(us, fault)

    response = _post(us)

    assert (response.status, response.breakage) == (status, breakage)
    assert us.oracle()["orders"] == int(is_done)
    assert _post(us, "next").status == 201


def test_a_rate_limit_has_a_retry_after(us: Customer) -> None:
    _strike(us, "rate_limited", seconds=7)

    assert _post(us).headers["retry-after"] == "7"


def test_a_slow_response_has_its_delay(us: Customer) -> None:
    _strike(us, "slow", seconds=4.5)

    assert _post(us).delay_s == 4.5


def test_a_failed_order_rejects_every_member(us: Customer) -> None:
    _strike(us, "order_failed", code="5014", text="Timed out.")
    order_id = us.bind("CTEST01", NUMBERS[:2])

    assert us.state(order_id) == "FAILED"
    assert us.errors(order_id) == dict.fromkeys(NUMBERS[:2], ("5014", "Timed out."))
    assert us.truth(ONE) is None


def test_a_partial_order_rejects_some_members_and_applies_the_rest(us: Customer) -> None:
    _strike(us, "order_partial", share=0.5)
    order_id = us.bind("CTEST01", NUMBERS)

    refused = us.errors(order_id)

    assert us.state(order_id) == "PARTIAL"
    assert 0 < len(refused) < len(NUMBERS)
    assert all((us.truth(number) is None) == (number in refused) for number in NUMBERS)


@pytest.mark.parametrize(("fault", "campaign"), [("order_warned", "CTEST01"), ("order_noop", None)])
def test_an_order_with_warnings_may_have_an_effect_or_not(us: Customer, fault: str, campaign: str | None) -> None:
    _strike(us, fault)
    order_id = us.bind("CTEST01", [ONE])

    assert us.state(order_id) == "COMPLETE"
    assert text(us.order(order_id), ".//Warning/TelephoneNumber") == ONE[2:]
    assert us.truth(ONE) == campaign


def test_a_stuck_order_continues_after_the_reset(us: Customer) -> None:
    _strike(us, "order_stuck")
    order_id = us.submit("k", ("CTEST01", [ONE]))
    us.wait(3600)
    stuck = us.state(order_id)

    us.control("reset", {})
    us.wait()

    assert (stuck, us.state(order_id)) == ("PROCESSING", "COMPLETE")


def test_a_failed_order_may_succeed_late(us: Customer) -> None:
    _strike(us, "order_late_success", seconds=100)
    order_id = us.bind("CTEST01", [ONE])
    at_first = (us.state(order_id), us.truth(ONE))

    us.wait(100)

    assert at_first == ("FAILED", None)
    assert (us.state(order_id), us.truth(ONE)) == ("FAILED", "CTEST01")


def test_a_slow_order_takes_longer(us: Customer) -> None:
    _strike(us, "order_slow", seconds=100)
    order_id = us.bind("CTEST01", [ONE])
    early = us.state(order_id)

    us.wait()

    assert (early, us.state(order_id)) == ("PROCESSING", "COMPLETE")


@pytest.mark.parametrize(("fault", "code"), [("member_rejected", "5159"), ("number_busy", "5218")])
def test_a_fault_can_be_limited_to_one_member(us: Customer, fault: str, code: str) -> None:
    _strike(us, fault, number=NUMBERS[1], code="5159", text="Wrong NNID.")

    order_id = us.bind("CTEST01", NUMBERS[:3])

    assert us.state(order_id) == "PARTIAL"
    assert {number: refusal[0] for number, refusal in us.errors(order_id).items()} == {NUMBERS[1]: code}
    assert us.state(us.bind("CTEST01", NUMBERS[1:2])) == "COMPLETE"


def test_a_slow_operator_follows_later(us: Customer) -> None:
    _strike(us, "operator_slow", seconds=100)
    us.bind("CTEST01", [ONE])
    early = list(us.oracle()["bindings"][ONE]["operators"].values())

    us.wait(100)

    assert early.count(None) == 1
    assert set(us.oracle()["bindings"][ONE]["operators"].values()) == {"CTEST01"}


def test_an_order_may_be_hidden(us: Customer) -> None:
    order_id = us.submit("k", ("CTEST01", [ONE]))
    _strike(us, "order_hidden", count=2)

    assert us.order(order_id).status == 404
    assert text(us.ask("GET", PATH, "customerOrderId=k"), ".//TotalCount") == "0"
    assert text(us.ask("GET", PATH, "customerOrderId=k"), ".//TotalCount") == "1"


def test_an_order_search_may_ignore_its_key(us: Customer) -> None:
    us.submit("a", ("CTEST01", [ONE]))
    us.submit("b", ("CTEST01", NUMBERS[1:2]))
    _strike(us, "filter_ignored")

    assert text(us.ask("GET", PATH, "customerOrderId=a"), ".//TotalCount") == "2"


@pytest.mark.parametrize(("how", "breakage"), [("error", None), ("hang", Breakage.HANG_BEFORE)])
def test_an_outage_ends_by_itself(us: Customer, how: str, breakage: Breakage | None) -> None:
    us.control("faults", {"outage": {"length_s": 30, "start_s": 10, "how": how}})

    before = _post(us, "a")
    us.wait(10)
    during = _post(us, "b")
    us.wait(30)
    after = _post(us, "c", NUMBERS[1:2])

    assert (before.status, during.status, during.breakage, after.status) == (201, 503, breakage, 201)
    assert us.oracle()["orders"] == 2


def test_a_fault_happens_about_as_often_as_its_probability(us: Customer) -> None:
    us.control("faults", {"probabilities": {"error_before": 0.3}})

    failed = sum(us.ask("GET", PATH).status == 503 for _ in range(1000))

    assert 240 < failed < 360


def test_a_probability_can_be_limited_to_one_operation(us: Customer) -> None:
    us.control("faults", {"probabilities": {"error_before": {"probability": 1, "operation": "lines.find"}}})

    assert us.ask("GET", PATH).status == 503
    assert _post(us).status == 201


def test_a_reset_switches_everything_off(us: Customer) -> None:
    us.control(
        "faults", {"probabilities": {"error_before": 1}, "once": [{"fault": "garbled"}], "outage": {"length_s": 9}}
    )

    us.control("reset", {})

    assert _post(us).status == 201
    shown = us.control("faults")
    assert (shown["probabilities"], shown["once"], shown["outage"]) == ({}, [], None)


def test_unknown_faults_are_listed_and_nothing_is_changed(us: Customer) -> None:
    body = {"probabilities": {"nope": 1, "error_before": 1}, "once": [{"fault": "never"}]}

    response = us.control_response("faults", body)

    assert response.status == 422
    assert json.loads(response.body)["error"]["unknown"] == ["never", "nope"]
    assert us.control("faults")["probabilities"] == {}


@pytest.mark.parametrize(
    "body",
    [
        {"probabilities": {"garbled": 2}},
        {"probabilities": {"garbled": {"probability": -1}}},
        {"surprise": 1},
        {"once": [{"fault": "garbled", "count": 0}]},
        {"outage": {"length_s": 0}},
        {"outage": {"length_s": 1, "how": "party"}},
        [],
    ],
)
def test_an_invalid_fault_request_is_unprocessable(us: Customer, body: object) -> None:
    assert us.control_response("faults", body).status == 422


def test_the_catalog_is_readable(us: Customer) -> None:
    assert us.control("faults")["known"] == dict(CATALOG)


# ── callbacks ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def sent(us: Customer) -> Customer:
    assert us.ask("POST", "/api/accounts/{a}/subscriptions", body=subscription("http://us.test/c")).status == 201
    return us


def _states(us: Customer) -> list[str]:
    us.wait()
    return [text(HttpResponse(200, {}, callback.body), "Status") for callback in us.callbacks()]


def test_every_state_of_an_order_has_a_callback(sent: Customer) -> None:
    sent.submit("k", ("CTEST01", [ONE]))

    assert _states(sent) == ["RECEIVED", "PROCESSING", "COMPLETE"]
    assert sent.callbacks() == []


def test_a_callback_may_be_lost(sent: Customer) -> None:
    _strike(sent, "callback_lost", operation="carrier")
    sent.submit("k", ("CTEST01", [ONE]))

    assert _states(sent) == ["PROCESSING", "COMPLETE"]


def test_a_callback_may_be_sent_three_times(sent: Customer) -> None:
    _strike(sent, "callback_duplicated")
    sent.submit("k", ("CTEST01", [ONE]))

    assert _states(sent) == ["RECEIVED"] * 3 + ["PROCESSING", "COMPLETE"]


@pytest.mark.parametrize("fault", ["callback_late", "callback_reordered"])
def test_a_callback_may_be_overtaken(sent: Customer, fault: str) -> None:
    _strike(sent, fault)
    sent.submit("k", ("CTEST01", [ONE]))

    states = _states(sent)

    assert sorted(states) == ["COMPLETE", "PROCESSING", "RECEIVED"]
    assert states[0] == "PROCESSING"


def test_a_forged_callback_has_wrong_credentials_and_precedes_the_real_one(sent: Customer) -> None:
    _strike(sent, "callback_forged")
    sent.submit("k", ("CTEST01", [ONE]))
    sent.wait()

    credentials = [callback.headers["authorization"] for callback in sent.callbacks()]

    assert len(credentials) == 4
    assert len(set(credentials)) == 2


def test_a_callback_may_be_garbled(sent: Customer) -> None:
    _strike(sent, "callback_garbled", count=3)
    sent.submit("k", ("CTEST01", [ONE]))
    sent.wait()

    assert all(b"Status" not in callback.body for callback in sent.callbacks())


# ── the real limits ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_world_profile_enforces_the_carriers_published_limits() -> None:
    us = Customer(profile="world")

    writes = [_post(us, f"k{index}").status for index in range(12)]
    us.wait(4)

    assert writes == [201] * 10 + [429] * 2
    assert _post(us, "later").status == 201
