"""Both adapters against the simulated world, on a virtual clock: every capability, and what the world does to it."""

import msgspec
import pytest

from agentmessage.carriers.protocols import (
    Accepted,
    BrandFiling,
    BrandHint,
    CampaignFiling,
    CampaignHint,
    Deferred,
    ForgedCallback,
    LineChange,
    LineReading,
    OrderHint,
    OrderKind,
    OrderState,
    Refused,
    Trouble,
    Unknown,
)
from tests.carriers.world_line import HOOKS, Caller

A, B = "+14155550123", "+14155550124"
BRAND = BrandFiling(
    reference_id="am-b1",
    entity_type="PRIVATE_PROFIT",
    brand_relationship="BASIC_ACCOUNT",
    display_name="Acme",
    country="US",
    fields={
        "company_name": "Acme Inc",
        "ein": "123456789",
        "ein_issuing_country": "US",
        "phone": "+14155550100",
        "email": "ops@acme.test",
        "vertical": "TECHNOLOGY",
    },
)


def campaign_filing(tcr_brand_id: str, *, reference_id: str = "am-c1", word: str = "") -> CampaignFiling:
    return CampaignFiling(
        reference_id=reference_id,
        tcr_brand_id=tcr_brand_id,
        usecase="ACCOUNT_NOTIFICATION",
        description=f"Tells customers how their orders stand. {word}".ljust(60, "."),
        fields={
            "message_flow": "Customers opt in on our web site before checkout, with a box unchecked at first.",
            "sample1": "Your order 1234 has been shipped and arrives tomorrow.",
            "subscriber_optin": True,
            "subscriber_optout": True,
            "subscriber_help": True,
            "optin_message": "You are now subscribed to Acme updates.",
            "optout_keywords": "STOP",
            "help_keywords": "HELP",
            "help_message": "Acme: write to ops@acme.test for help.",
            "optout_message": "Acme: you will get no more messages.",
        },
    )


def value(answer: object) -> object:
    assert isinstance(answer, Accepted), answer
    return answer.value


async def active_campaign(caller: Caller, word: str = "", reference_id: str = "am-c1") -> str:
    """A campaign that is approved and imported at the carrier."""
    brand = await caller.registry.file_brand(msgspec.structs.replace(BRAND, reference_id=f"{reference_id}-brand"))
    assert isinstance(brand, Accepted), brand
    caller.line.pass_time()
    filing = campaign_filing(brand.value.tcr_brand_id, reference_id=reference_id, word=word)
    campaign = await caller.registry.file_campaign(filing)
    assert isinstance(campaign, Accepted), campaign
    assert campaign.value.is_shared
    caller.line.pass_time()
    return campaign.value.tcr_campaign_id


async def own(caller: Caller, *numbers: str) -> None:
    """Buy numbers and wait for them."""
    order_id = value(await caller.numbers.buy(f"buy-{numbers[0][1:]}", numbers))
    caller.line.pass_time()
    report = await caller.numbers.read_purchase(str(order_id))
    assert isinstance(report, Accepted), report
    assert (report.value.state, set(report.value.done)) == (OrderState.COMPLETE, set(numbers))


async def bind(caller: Caller, key: str, *changes: LineChange) -> str:
    order_id = value(await caller.lines.submit(key, changes))
    caller.line.pass_time()
    return str(order_id)


async def reading(caller: Caller, number: str) -> LineReading:
    page = await caller.lines.read_all()
    assert isinstance(page, Accepted), page
    return next(one for one in page.value.readings if one.number == number)


async def test_a_number_is_bought_bound_observed_unbound_and_given_back() -> None:
    caller = Caller()
    campaign = await active_campaign(caller)
    found = await caller.numbers.search(area_code="415", number_type="local", pattern="0123", quantity=3)
    assert isinstance(found, Accepted)
    assert [one.number for one in found.value] == [A]
    await own(caller, A)

    order_id = value(await caller.lines.submit("line-1", [LineChange(A, campaign)]))
    fresh = await caller.lines.read_order(str(order_id))
    assert isinstance(fresh, Accepted)
    assert (fresh.value.order_key, fresh.value.is_final) == ("line-1", False)
    caller.line.pass_time()

    report = await caller.lines.read_order(str(order_id))
    assert isinstance(report, Accepted)
    assert (report.value.state, report.value.refused) == (OrderState.COMPLETE, {})
    assert await reading(caller, A) == LineReading(A, campaign, is_settled=True, operators={})
    on_campaign = await caller.lines.read_campaign(campaign)
    assert isinstance(on_campaign, Accepted)
    assert [one.number for one in on_campaign.value.readings] == [A]
    assert caller.line.control("oracle")["bindings"][A]["campaign"] == campaign

    await bind(caller, "line-2", LineChange(A, None))

    assert await reading(caller, A) == LineReading(A, None, is_settled=True, operators={})
    assert caller.line.control("oracle")["bindings"][A]["campaign"] is None

    drop_id = value(await caller.numbers.disconnect("drop-1", [A]))
    caller.line.pass_time()
    gone = await caller.numbers.read_disconnection(str(drop_id))
    assert isinstance(gone, Accepted)
    assert (gone.value.state, gone.value.done, gone.value.order_key) == (OrderState.COMPLETE, (A,), "drop-1")
    in_service = await caller.numbers.read_in_service()
    assert isinstance(in_service, Accepted)
    assert A not in in_service.value.numbers


async def test_one_order_moves_numbers_on_and_off_several_campaigns() -> None:
    caller = Caller()
    one, two = await active_campaign(caller), await active_campaign(caller, reference_id="am-c2")
    await own(caller, A, B)
    await bind(caller, "line-1", LineChange(A, one))

    await bind(caller, "line-2", LineChange(A, None), LineChange(B, two))

    assert (await reading(caller, A)).campaign is None
    assert (await reading(caller, B)).campaign == two


async def test_a_brand_is_filed_verified_found_changed_and_deleted() -> None:
    caller = Caller()
    filed = await caller.registry.file_brand(BRAND)
    assert isinstance(filed, Accepted)
    assert filed.value.identity_status is None
    brand_id = filed.value.tcr_brand_id

    before = await caller.registry.read_brand(brand_id)
    caller.line.pass_time()
    after = await caller.registry.read_brand(brand_id)

    assert isinstance(before, Accepted)
    assert before.value.identity_status is None
    assert isinstance(after, Accepted)
    assert (after.value.identity_status, after.value.reference_id) == ("VERIFIED", "am-b1")
    assert await caller.registry.find_brand("am-b1") == after
    assert await caller.registry.find_brand("am-b") == Accepted(None)
    assert isinstance(await caller.registry.update_brand(brand_id, BRAND), Accepted)
    assert await caller.registry.delete_brand(brand_id) == Accepted(None)
    assert await caller.registry.delete_brand(brand_id) == Accepted(None)
    assert await caller.registry.find_brand("am-b1") == Accepted(None)


async def test_an_unverified_brand_says_why() -> None:
    caller = Caller()
    filed = await caller.registry.file_brand(msgspec.structs.replace(BRAND, display_name="Acme UNVERIFIED"))
    assert isinstance(filed, Accepted)
    caller.line.pass_time()

    answer = await caller.registry.read_brand(filed.value.tcr_brand_id)

    assert isinstance(answer, Accepted)
    assert answer.value.identity_status == "UNVERIFIED"
    assert answer.value.feedback


async def test_the_same_reference_twice_is_looked_up() -> None:
    caller = Caller()
    first = await caller.registry.file_brand(BRAND)

    second = await caller.registry.file_brand(BRAND)

    assert isinstance(second, Unknown)
    found = await caller.registry.find_brand("am-b1")
    assert isinstance(first, Accepted)
    assert isinstance(found, Accepted)
    assert found.value is not None
    assert found.value.tcr_brand_id == first.value.tcr_brand_id


async def test_a_campaign_is_pending_then_active_with_its_operators_and_found_by_reference() -> None:
    caller = Caller()
    campaign_id = await active_campaign(caller)

    answer = await caller.registry.read_campaign(campaign_id)

    assert isinstance(answer, Accepted)
    assert (answer.value.status, answer.value.is_shared, answer.value.reference_id) == ("ACTIVE", True, "am-c1")
    assert answer.value.mno_metadata["10017"]["mno"] == "AT&T"
    assert await caller.registry.find_campaign("am-c1") == answer
    assert await caller.registry.share_campaign(campaign_id) == Accepted(None)


@pytest.mark.parametrize(
    ("word", "status"),
    [("DECLINED", "REJECTED"), ("REJECTED", "REJECTED"), ("SUSPENDED", "SUSPENDED"), ("EXPIRED", "EXPIRED")],
)
async def test_what_becomes_of_a_campaign_is_told_in_our_words(word: str, status: str) -> None:
    caller = Caller()
    campaign_id = await active_campaign(caller, word)
    caller.line.pass_time()

    answer = await caller.registry.read_campaign(campaign_id)

    assert isinstance(answer, Accepted)
    assert answer.value.status == status
    assert bool(answer.value.rejection_reasons) == (status == "REJECTED")


async def test_a_deactivated_campaign_is_expired_and_may_be_deactivated_again() -> None:
    caller = Caller()
    campaign_id = await active_campaign(caller)

    assert await caller.registry.deactivate_campaign(campaign_id) == Accepted(None)
    assert await caller.registry.deactivate_campaign(campaign_id) == Accepted(None)

    answer = await caller.registry.read_campaign(campaign_id)
    assert isinstance(answer, Accepted)
    assert answer.value.status == "EXPIRED"


@pytest.mark.parametrize("fault", ["timeout_after", "error_after", "reset_after", "garbled"])
async def test_an_order_whose_answer_was_lost_is_unknown_and_found_by_its_key(fault: str) -> None:
    caller = Caller()
    campaign = await active_campaign(caller)
    await own(caller, A)
    caller.line.control("faults", {"once": [{"fault": fault}]})

    answer = await caller.lines.submit("line-1", [LineChange(A, campaign)])

    assert isinstance(answer, Unknown)
    found = await caller.lines.find_order("line-1")
    assert isinstance(found, Accepted)
    assert found.value is not None
    assert found.value.order_key == "line-1"


async def test_an_order_that_never_arrived_is_unknown_and_not_found() -> None:
    caller = Caller()
    campaign = await active_campaign(caller)
    await own(caller, A)
    caller.line.control("faults", {"once": [{"fault": "timeout_before"}]})

    assert isinstance(await caller.lines.submit("line-1", [LineChange(A, campaign)]), Unknown)
    assert await caller.lines.find_order("line-1") == Accepted(None)


async def test_the_same_key_twice_is_unknown_and_makes_no_second_order() -> None:
    caller = Caller()
    campaign = await active_campaign(caller)
    await own(caller, A)
    await bind(caller, "line-1", LineChange(A, campaign))
    orders = caller.line.control("oracle")["orders"]

    assert isinstance(await caller.lines.submit("line-1", [LineChange(A, campaign)]), Unknown)
    assert caller.line.control("oracle")["orders"] == orders


async def test_an_ignored_filter_still_finds_the_right_order_and_the_right_numbers() -> None:
    caller = Caller()
    one, two = await active_campaign(caller), await active_campaign(caller, reference_id="am-c2")
    await own(caller, A, B)
    await bind(caller, "line-1", LineChange(A, one))
    await bind(caller, "line-2", LineChange(B, two))
    caller.line.control("faults", {"probabilities": {"filter_ignored": 1.0}})

    found = await caller.lines.find_order("line-1")
    page = await caller.lines.read_campaign(one)

    assert isinstance(found, Accepted)
    assert found.value is not None
    assert found.value.order_key == "line-1"
    assert isinstance(page, Accepted)
    assert [reading.number for reading in page.value.readings] == [A]


async def test_a_limit_and_an_outage_are_told_apart() -> None:
    caller = Caller()
    caller.line.control("faults", {"once": [{"fault": "rate_limited", "seconds": 7}]})

    assert await caller.lines.read_all() == Deferred("too many requests", 7.0)

    caller.line.control("faults", {"outage": {"length_s": 30, "how": "hang"}})
    assert isinstance(await caller.lines.read_all(), Deferred)
    assert isinstance(await caller.lines.submit("line-1", [LineChange(A, "C123456")]), Unknown)


@pytest.mark.parametrize(
    ("word", "trouble"),
    [
        ("STUCK", Trouble.CAMPAIGN_NOT_READY),
        ("UNIMPORTED", Trouble.CAMPAIGN_NOT_READY),
        ("SUSPENDED", Trouble.CAMPAIGN_DEAD),
        ("EXPIRED", Trouble.CAMPAIGN_DEAD),
        ("DORMANT", Trouble.CAMPAIGN_ASLEEP),
    ],
)
async def test_a_bind_that_the_campaign_forbids_says_what_to_do_about_it(word: str, trouble: Trouble) -> None:
    caller = Caller()
    campaign = await active_campaign(caller, word)
    caller.line.pass_time()
    await own(caller, A)

    answer = await caller.lines.submit("line-1", [LineChange(A, campaign)])
    if isinstance(answer, Accepted):
        caller.line.pass_time()
        report = await caller.lines.read_order(answer.value)
        assert isinstance(report, Accepted)
        answer = report.value.refused[A]

    assert isinstance(answer, Refused)
    assert answer.trouble is trouble


@pytest.mark.parametrize(
    ("fault", "trouble"), [("number_busy", Trouble.LOCKED), ("member_rejected", Trouble.TRANSIENT)]
)
async def test_one_refused_member_does_not_fail_the_rest(fault: str, trouble: Trouble) -> None:
    caller = Caller()
    campaign = await active_campaign(caller)
    await own(caller, A, B)
    caller.line.control("faults", {"once": [{"fault": fault, "number": A}]})

    order_id = await bind(caller, "line-1", LineChange(A, campaign), LineChange(B, campaign))
    report = await caller.lines.read_order(order_id)

    assert isinstance(report, Accepted)
    assert report.value.state is OrderState.PARTIAL
    assert {number: said.trouble for number, said in report.value.refused.items()} == {A: trouble}
    assert (await reading(caller, B)).campaign == campaign


async def test_a_foreign_number_is_a_matter_of_ownership() -> None:
    caller = Caller()
    campaign = await active_campaign(caller)

    order_id = await bind(caller, "line-1", LineChange(A, campaign))
    report = await caller.lines.read_order(order_id)

    assert isinstance(report, Accepted)
    assert report.value.refused[A].trouble is Trouble.OWNERSHIP


async def test_an_operator_that_refuses_leaves_a_failed_reading() -> None:
    caller = Caller()
    campaign = await active_campaign(caller)
    await own(caller, A)
    caller.line.control("faults", {"once": [{"fault": "operator_rejects"}]})

    await bind(caller, "line-1", LineChange(A, campaign))

    assert await reading(caller, A) == LineReading(A, campaign, is_settled=False, operators={}, has_failed=True)


async def test_vendors_call_back_and_forgeries_are_told_apart() -> None:
    caller = Caller()
    assert await caller.subscriptions.subscribe(HOOKS + "/bandwidth") == Accepted(None)
    assert await caller.subscriptions.subscribe(HOOKS + "/bandwidth") == Accepted(None)
    assert await caller.registry_subscriptions.subscribe(HOOKS + "/tcr") == Accepted(None)
    caller.line.control("faults", {"probabilities": {"callback_forged": 1.0}})

    campaign = await active_campaign(caller)
    await own(caller, A)
    order_id = await bind(caller, "line-1", LineChange(A, campaign))

    hints, forged = [], 0
    for callback in caller.line.delivered():
        reader = caller.callbacks if callback.url.endswith("/bandwidth") else caller.registry_callbacks
        try:
            hints += reader.read(callback)
        except ForgedCallback:
            forged += 1
    assert OrderHint(order_id, "line-1", OrderKind.LINE_OPTIONS) in hints
    assert {hint.kind for hint in hints if isinstance(hint, OrderHint)} >= {OrderKind.LINE_OPTIONS, OrderKind.PURCHASE}
    assert CampaignHint(campaign) in hints
    assert any(isinstance(hint, BrandHint) for hint in hints)
    assert forged > 0


async def test_all_numbers_are_listed_page_by_page_each_once() -> None:
    caller = Caller(profile="instant")
    caller.line.control("numbers", {"first": "+14152000000", "count": 1234})

    lines, services = set(), set()
    page: str | None = None
    while True:
        answer = await caller.lines.read_all(page)
        assert isinstance(answer, Accepted)
        lines |= {reading.number for reading in answer.value.readings}
        if (page := answer.value.next_page) is None:
            break
    while True:
        held = await caller.numbers.read_in_service(page)
        assert isinstance(held, Accepted)
        services |= set(held.value.numbers)
        if (page := held.value.next_page) is None:
            break

    assert len(lines) == 1234
    assert services == lines
