"""Every status of the operations that get numbers and give them back."""

import pytest

from agentmessage.numbers.orders import inventory
from tests.conftest import NOWHERE, Client
from tests.make.accounts import Account, key_with, open_account
from tests.make.brands import insert_brand
from tests.make.campaigns import insert_campaign
from tests.numbers.harness import Floor, balance_cents, event_types, states, stock

ORDERS = "/v1/phone-numbers/orders"
A, B, C = "+14155550101", "+14155550102", "+14155550103"


@pytest.mark.covers("orderPhoneNumbers", 201)
async def test_201_numbers_of_the_pool_are_assigned_at_once(floor: Floor, shop: Client, account: Account) -> None:
    await stock(floor.db, A, B)

    reply = await shop.post("/v1/phone-numbers/orders", {"numbers": [B, A], "label": "support-line"})

    assert reply.status == 201, reply.json
    assert [row["number"] for row in reply.data] == [A, B]
    assert {row["label"] for row in reply.data} == {"support-line"}
    assert await states(floor.db) == {A: "assigned", B: "assigned"}
    assert await balance_cents(floor.db, account.org_id) == 100_000 - 2 * 94
    assert await event_types(floor.db, account.org_id) == ["phone_number.ordered"] * 2
    assert floor.wire.purchases() == []


@pytest.mark.covers("orderPhoneNumbers", 201)
async def test_201_numbers_of_the_carrier_are_bought_while_the_request_waits(floor: Floor, shop: Client) -> None:
    await stock(floor.db, A)

    async with floor.working():
        reply = await shop.post("/v1/phone-numbers/orders", {"numbers": [A, B]})

    assert reply.status == 201, reply.json
    assert floor.wire.in_service() == {B}
    assert (await shop.get(f"/v1/phone-numbers/{reply.data[1]['id']}")).data == reply.data[1]


# ── search ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("searchPhoneNumbers", 200)
async def test_200_a_search_shows_the_pool_first_and_fills_up_from_the_carrier(floor: Floor, shop: Client) -> None:
    await stock(floor.db, "+14155550150", "+12125550100")

    reply = await shop.post("/v1/phone-numbers/search", {"area_code": "415", "quantity": 4})

    assert reply.status == 200
    assert reply.data[0] == {"number": "+14155550150", "number_type": "local"}
    assert len({row["number"] for row in reply.data}) == 4
    assert all(row["number"].startswith("+1415") for row in reply.data)


@pytest.mark.covers("searchPhoneNumbers", 200)
async def test_200_a_search_reserves_nothing(floor: Floor, shop: Client, other_shop: Client) -> None:
    first = await shop.post("/v1/phone-numbers/search", {"area_code": "415", "quantity": 3})
    second = await other_shop.post("/v1/phone-numbers/search", {"area_code": "415", "quantity": 3})

    assert first.data == second.data
    assert await states(floor.db) == {}


@pytest.mark.covers("searchPhoneNumbers", 200)
async def test_200_a_search_leaves_out_what_an_organization_holds(
    floor: Floor, shop: Client, other_shop: Client
) -> None:
    await stock(floor.db, A, B)
    assert (await other_shop.post("/v1/phone-numbers/orders", {"numbers": [A]})).status == 201

    reply = await shop.post("/v1/phone-numbers/search", {"pattern": "4155550101"})

    assert reply.data == []


@pytest.mark.covers("searchPhoneNumbers", 200)
async def test_200_a_search_shows_the_pool_when_the_carrier_is_away(floor: Floor, shop: Client) -> None:
    await stock(floor.db, A)
    floor.wire.is_down = True

    reply = await shop.post("/v1/phone-numbers/search", {"quantity": 5})

    assert reply.data == [{"number": A, "number_type": "local"}]


async def test_503_a_search_with_nothing_in_the_pool_says_that_the_carrier_is_away(floor: Floor, shop: Client) -> None:
    """An empty list would mean that no number is for sale."""
    floor.wire.is_down = True

    reply = await shop.post("/v1/phone-numbers/search", {"quantity": 5})

    assert (reply.status, reply.error["code"]) == (503, "UNAVAILABLE")
    assert int(reply.headers["retry-after"]) > 0


@pytest.mark.covers("searchPhoneNumbers", 200)
async def test_200_a_toll_free_area_code_finds_toll_free_numbers(shop: Client) -> None:
    reply = await shop.post("/v1/phone-numbers/search", {"area_code": "888", "quantity": 2})

    assert [row["number_type"] for row in reply.data] == ["toll_free"] * 2
    assert all(row["number"].startswith("+1888") for row in reply.data)


@pytest.mark.covers("searchPhoneNumbers", 200)
async def test_200_a_sandbox_sees_only_the_sandbox_pool(floor: Floor, account: Account) -> None:
    await stock(floor.db, A)
    await stock(floor.db, B, account="sandbox")
    key = await key_with(floor.cells, account.sandbox, ["numbers:write"])

    reply = await Client(floor.api, key).post("/v1/phone-numbers/search", {"quantity": 1})

    assert [row["number"] for row in reply.data] == [B]


@pytest.mark.covers("searchPhoneNumbers", 422)
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": 101}, "quantity"),
        ({"area_code": "15"}, "area_code"),
        ({"area_code": "\uff1415"}, "area_code"),
        ({"pattern": "%"}, "pattern"),
        ({"number_type": "mobile"}, "number_type"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_422_a_search_names_the_faulty_field(shop: Client, body: dict[str, object], field: str) -> None:
    reply = await shop.post("/v1/phone-numbers/search", body)

    assert (reply.status, reply.error["code"], list(reply.error["details"])) == (422, "VALIDATION_FAILED", [field])


# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("orderPhoneNumbers", 201)
async def test_201_an_order_with_a_campaign_attaches_it(floor: Floor, shop: Client, account: Account) -> None:
    await stock(floor.db, A, generation=7, op_seq=3)
    campaign_id = await insert_campaign(floor.db, account.org_id)

    reply = await shop.post("/v1/phone-numbers/orders", {"numbers": [A], "campaign_id": str(campaign_id)})

    assert reply.status == 201
    assert reply.data[0]["campaign_id"] == str(campaign_id)
    assert reply.data[0]["carrier_line_option_status"] == "pending"
    view = (await shop.get(f"/v1/phone-numbers/{reply.data[0]['id']}/carrier-line-option")).data
    assert (view["generation"], view["applied_generation"], view["observed_state"]) == (8, 7, "absent")
    assert view["next_attempt_at"] is not None
    assert await event_types(floor.db, account.org_id) == ["phone_number.ordered", "phone_number.campaign.attached"]


@pytest.mark.covers("orderPhoneNumbers", 201)
async def test_201_a_number_without_campaign_has_no_line_option_status(floor: Floor, shop: Client) -> None:
    await stock(floor.db, A, generation=7)

    reply = await shop.post("/v1/phone-numbers/orders", {"numbers": [A]})

    assert reply.data[0]["carrier_line_option_status"] is None
    view = (await shop.get(f"/v1/phone-numbers/{reply.data[0]['id']}/carrier-line-option")).data
    assert (view["generation"], view["applied_generation"], view["next_attempt_at"]) == (8, 8, None)


@pytest.mark.covers("orderPhoneNumbers", 201)
async def test_201_an_imported_number_has_to_be_read_before_anything_is_believed(floor: Floor, shop: Client) -> None:
    async with floor.db.transaction() as tx:
        assert await inventory.import_numbers(tx, "live", [(A, "local")]) == 1

    reply = await shop.post("/v1/phone-numbers/orders", {"numbers": [A]})

    view = (await shop.get(f"/v1/phone-numbers/{reply.data[0]['id']}/carrier-line-option")).data
    assert (view["observed_state"], view["observed_at"]) == ("unread", None)


@pytest.mark.covers("orderPhoneNumbers", 202)
async def test_202_an_order_that_the_carrier_has_not_settled_is_assigned_later(
    floor: Floor, shop: Client, account: Account
) -> None:
    floor.wire.once("order_stuck")
    floor.be_impatient()

    reply = await shop.post("/v1/phone-numbers/orders", {"numbers": [A]})
    await floor.turn()

    assert reply.status == 202
    order_id = reply.json["meta"]["order_id"]
    assert (reply.headers["location"], reply.json["meta"]["status"]) == (f"{ORDERS}/{order_id}", "processing")
    assert (await shop.get(f"/v1/phone-numbers/{reply.data[0]['id']}")).status == 404
    assert (await shop.get("/v1/phone-numbers")).data == []
    floor.wire.control("reset", {})
    await floor.settle()
    assert (await shop.get(f"/v1/phone-numbers/{reply.data[0]['id']}")).data["number"] == A
    assert await event_types(floor.db, account.org_id) == ["phone_number.ordered"]


@pytest.mark.covers("orderPhoneNumbers", 402)
async def test_402_an_order_that_cannot_be_paid_takes_nothing(floor: Floor) -> None:
    poor = await open_account(floor.cells, name="Poor", cents=93)
    await stock(floor.db, A)

    reply = await Client(floor.api, poor.key).post("/v1/phone-numbers/orders", {"numbers": [A]})

    assert (reply.status, reply.error["code"]) == (402, "INSUFFICIENT_CREDIT")
    assert await states(floor.db) == {A: "available"}
    assert await balance_cents(floor.db, poor.org_id) == 93


@pytest.mark.covers("orderPhoneNumbers", 404)
async def test_404_an_order_onto_a_strangers_campaign_is_like_onto_none(
    floor: Floor, shop: Client, stranger: Account
) -> None:
    await stock(floor.db, A)
    theirs = await insert_campaign(floor.db, stranger.org_id)

    for campaign_id in (theirs, NOWHERE):
        reply = await shop.post("/v1/phone-numbers/orders", {"numbers": [A], "campaign_id": str(campaign_id)})
        assert (reply.status, reply.error["message"]) == (404, "not found")
    assert await states(floor.db) == {A: "available"}


@pytest.mark.covers("orderPhoneNumbers", 409)
@pytest.mark.parametrize(
    ("campaign", "brand", "code"),
    [
        ({"status": "PENDING"}, {}, "CAMPAIGN_NOT_ACTIVE"),
        ({"status": "REJECTED"}, {}, "CAMPAIGN_NOT_ACTIVE"),
        ({"status": "EXPIRED"}, {}, "CAMPAIGN_NOT_ACTIVE"),
        ({}, {"identity_status": "UNVERIFIED"}, "BRAND_NOT_VERIFIED"),
    ],
)
async def test_409_an_order_onto_a_campaign_that_may_not_text(
    floor: Floor, shop: Client, account: Account, *, campaign: dict[str, str], brand: dict[str, str], code: str
) -> None:
    await stock(floor.db, A)
    brand_id = await insert_brand(floor.db, account.org_id, **brand)
    campaign_id = await insert_campaign(floor.db, account.org_id, brand_id=brand_id, **campaign)

    reply = await shop.post("/v1/phone-numbers/orders", {"numbers": [A], "campaign_id": str(campaign_id)})

    assert (reply.status, reply.error["code"]) == (409, code)
    assert await states(floor.db) == {A: "available"}


@pytest.mark.covers("orderPhoneNumbers", 409)
async def test_409_a_number_that_an_organization_holds_fails_the_whole_order(
    floor: Floor, shop: Client, other_shop: Client, account: Account
) -> None:
    await stock(floor.db, A, B)
    assert (await other_shop.post("/v1/phone-numbers/orders", {"numbers": [A]})).status == 201

    reply = await shop.post("/v1/phone-numbers/orders", {"numbers": [A, B, "+442079460123"]})

    assert (reply.status, reply.error["code"]) == (409, "INSUFFICIENT_INVENTORY")
    assert reply.error["details"] == {"available_count": "1", "unavailable_numbers": f"{A},+442079460123"}
    assert await states(floor.db) == {A: "assigned", B: "available"}
    assert await balance_cents(floor.db, account.org_id) == 100_000


@pytest.mark.covers("orderPhoneNumbers", 409)
async def test_409_a_number_that_the_carrier_no_longer_sells_is_refunded(
    floor: Floor, shop: Client, account: Account
) -> None:
    """Nothing is assigned; the pool number goes back, and what was never ours is forgotten."""
    await stock(floor.db, A)
    not_sold = "+14152345678"

    async with floor.working():
        reply = await shop.post("/v1/phone-numbers/orders", {"numbers": [A, not_sold]})

    assert (reply.status, reply.error["code"]) == (409, "INSUFFICIENT_INVENTORY")
    assert reply.error["details"] == {"available_count": "1", "unavailable_numbers": not_sold}
    assert await states(floor.db) == {A: "available"}
    assert await balance_cents(floor.db, account.org_id) == 100_000
    assert await event_types(floor.db, account.org_id) == ["phone_number.order.failed"]


@pytest.mark.covers("orderPhoneNumbers", 422)
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "numbers"),
        ({"numbers": []}, "numbers"),
        ({"numbers": [A, A]}, "numbers"),
        ({"numbers": ["4155550101"]}, "numbers"),
        ({"numbers": [f"{A}\n"]}, "numbers"),
        ({"numbers": [f"+1415555{n:04d}" for n in range(101)]}, "numbers"),
        ({"numbers": [A], "inbound_url": "http://plain.example"}, "inbound_url"),
        ({"numbers": [A], "status_url": "https://x\u0000y.example"}, "status_url"),
        ({"numbers": [A], "label": "a\u0000b"}, "label"),
        ({"numbers": [A], "campaign_id": "C1ABCDE"}, "campaign_id"),
    ],
)
async def test_422_an_order_names_the_faulty_field(
    floor: Floor, shop: Client, body: dict[str, object], field: str
) -> None:
    reply = await shop.post("/v1/phone-numbers/orders", body)

    assert (reply.status, list(reply.error["details"])) == (422, [field])
    assert await states(floor.db) == {}


# ── bulk orders ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("bulkOrderPhoneNumbers", 200)
async def test_200_a_bulk_order_is_filled_at_once_from_the_pool(floor: Floor, shop: Client, account: Account) -> None:
    await stock(floor.db, A, B, C, "+12125550100")

    reply = await shop.post("/v1/phone-numbers/bulk", {"quantity": 2, "area_code": "415", "label": "pool"})

    assert reply.status == 200
    assert reply.data == {
        "order_id": None,
        "status": "complete",
        "quantity": 2,
        "assigned_count": 2,
        "pending_count": 0,
        "failed_count": 0,
        "assigned_numbers": [A, B],
    }
    assert {row["label"] for row in (await shop.get("/v1/phone-numbers")).data} == {"pool"}
    assert await balance_cents(floor.db, account.org_id) == 100_000 - 2 * 94
    assert (await event_types(floor.db, account.org_id))[-1] == "phone_number.bulk_order.completed"


@pytest.mark.covers("bulkOrderPhoneNumbers", 202)
@pytest.mark.covers("getBulkOrder", 200)
async def test_a_bulk_order_with_a_gap_assigns_nothing_until_it_has_everything(
    floor: Floor, shop: Client, account: Account
) -> None:
    floor.be_impatient()
    await stock(floor.db, A, "+14155559999")

    reply = await shop.post("/v1/phone-numbers/bulk", {"quantity": 3, "area_code": "415", "pattern": "55501"})

    assert reply.status == 202
    order_id = reply.data["order_id"]
    pending = {"order_id": order_id, "status": "processing", "quantity": 3, "assigned_count": 0, "pending_count": 3}
    assert reply.data == {**pending, "failed_count": 0, "assigned_numbers": []}
    assert (await shop.get(f"/v1/phone-numbers/bulk/{order_id}")).data == reply.data
    assert (await shop.get("/v1/phone-numbers")).data == []

    await floor.settle()

    done = (await shop.get(f"/v1/phone-numbers/bulk/{order_id}")).data
    assert (done["status"], done["assigned_count"], done["pending_count"]) == ("complete", 3, 0)
    assert {A, "+14155559999"} < set(done["assigned_numbers"])
    assert len(floor.wire.in_service()) == 1
    assert await balance_cents(floor.db, account.org_id) == 100_000 - 3 * 94
    assert (await event_types(floor.db, account.org_id))[-1] == "phone_number.bulk_order.completed"


@pytest.mark.covers("getBulkOrder", 200)
async def test_200_a_bulk_order_that_cannot_be_filled_fails_whole(floor: Floor, shop: Client, account: Account) -> None:
    """The simulated carrier sells a hundred numbers of an area code."""
    floor.be_impatient()
    await stock(floor.db, A)

    order_id = (await shop.post("/v1/phone-numbers/bulk", {"quantity": 102, "area_code": "415"})).data["order_id"]
    await floor.settle()

    done = (await shop.get(f"/v1/phone-numbers/bulk/{order_id}")).data
    assert (done["status"], done["assigned_count"], done["failed_count"]) == ("failed", 0, 102)
    assert await states(floor.db) == {A: "available"}
    assert await balance_cents(floor.db, account.org_id) == 100_000
    assert floor.wire.purchases() == []


@pytest.mark.covers("getBulkOrder", 200)
async def test_200_a_bulk_order_goes_on_with_other_numbers_when_some_are_sold_meanwhile(
    floor: Floor, shop: Client
) -> None:
    floor.be_impatient()
    floor.wire.once("order_failed", operation="numbers.buy", code="5005", text="Telephone Number Unavailable")

    order_id = (await shop.post("/v1/phone-numbers/bulk", {"quantity": 3, "area_code": "415"})).data["order_id"]
    await floor.settle()

    done = (await shop.get(f"/v1/phone-numbers/bulk/{order_id}")).data
    assert (done["status"], len(set(done["assigned_numbers"]))) == ("complete", 3)
    assert len(floor.wire.purchases()) == 2
    assert floor.wire.in_service() == set(done["assigned_numbers"])


@pytest.mark.covers("bulkOrderPhoneNumbers", 402)
async def test_402_a_bulk_order_that_cannot_be_paid_takes_nothing(floor: Floor) -> None:
    poor = await open_account(floor.cells, name="Poor", cents=187)
    await stock(floor.db, A)

    reply = await Client(floor.api, poor.key).post("/v1/phone-numbers/bulk", {"quantity": 2})

    assert (reply.status, reply.error["code"]) == (402, "INSUFFICIENT_CREDIT")
    assert await states(floor.db) == {A: "available"}


@pytest.mark.covers("bulkOrderPhoneNumbers", 409)
async def test_409_a_bulk_orders_idempotency_key_is_not_for_another_order(floor: Floor, shop: Client) -> None:
    await stock(floor.db, A, B, C)
    key = {"Idempotency-Key": "one"}
    first = await shop.post("/v1/phone-numbers/bulk", {"quantity": 1}, headers=key)

    again = await shop.post("/v1/phone-numbers/bulk", {"quantity": 1}, headers=key)
    other = await shop.post("/v1/phone-numbers/bulk", {"quantity": 2}, headers=key)

    assert again.body == first.body
    assert (other.status, other.error["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert sorted((await states(floor.db)).values()) == ["assigned", "available", "available"]


@pytest.mark.covers("bulkOrderPhoneNumbers", 422)
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "quantity"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": 5001}, "quantity"),
        ({"quantity": 1, "mode": "immediate_partial"}, "mode"),
        ({"quantity": 1, "campaign_id": str(NOWHERE)}, "campaign_id"),
    ],
)
async def test_422_a_bulk_order_names_the_faulty_field(shop: Client, body: dict[str, object], field: str) -> None:
    reply = await shop.post("/v1/phone-numbers/bulk", body)

    assert (reply.status, list(reply.error["details"])) == (422, [field])


@pytest.mark.covers("getBulkOrder", 400)
async def test_400_a_bulk_orders_id_is_a_uuid(shop: Client) -> None:
    reply = await shop.get("/v1/phone-numbers/bulk/seven")

    assert (reply.status, reply.error["details"]) == (400, {"id": "must be a UUID"})


@pytest.mark.covers("getBulkOrder", 404)
async def test_404_a_strangers_bulk_order_and_an_order_by_name_are_not_found(
    floor: Floor, shop: Client, other_shop: Client
) -> None:
    floor.be_impatient()
    theirs = (await other_shop.post("/v1/phone-numbers/bulk", {"quantity": 1})).data["order_id"]
    await stock(floor.db, A)
    assert (await shop.post("/v1/phone-numbers/orders", {"numbers": [A]})).status == 201
    by_name = await floor.db.value("SELECT id FROM number_orders WHERE kind = 'order'")

    for order_id in (theirs, by_name, NOWHERE):
        assert (await shop.get(f"/v1/phone-numbers/bulk/{order_id}")).status == 404
