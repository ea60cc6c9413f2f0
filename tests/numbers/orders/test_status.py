"""What is still on order: a bulk order waits as one by name does, and an order can be polled and listed."""

import asyncio
from typing import Any

import pytest

from tests.conftest import NOWHERE, Client
from tests.make.accounts import Account, key_with
from tests.numbers.harness import Floor, event_types, states, stock

A, B, C = "+14155550101", "+14155550102", "+14155550103"
ORDERS, BULK = "/v1/phone-numbers/orders", "/v1/phone-numbers/bulk"
OPERATIONS = {"listPhoneNumberOrders": ORDERS, "getPhoneNumberOrder": f"{ORDERS}/{NOWHERE}"}


def covering(status: int) -> Any:
    """Both reads of orders, each as covered for a status."""
    return pytest.mark.parametrize(
        "path",
        [pytest.param(path, id=name, marks=pytest.mark.covers(name, status)) for name, path in OPERATIONS.items()],
    )


@pytest.mark.covers("bulkOrderPhoneNumbers", 200)
async def test_200_a_bulk_order_waits_for_what_the_carrier_fills_soon(
    floor: Floor, shop: Client, account: Account
) -> None:
    await stock(floor.db, A)

    async with floor.working():
        reply = await shop.post(BULK, {"quantity": 3, "area_code": "415", "label": "soon"})

    assert reply.status == 200
    numbers = reply.data["assigned_numbers"]
    assert (len(set(numbers)), A in numbers) == (3, True)
    assert (reply.data["order_id"], reply.data["status"], reply.data["pending_count"]) == (None, "complete", 0)
    listed = (await shop.get("/v1/phone-numbers")).data
    assert {(row["number"], row["label"]) for row in listed} == {(number, "soon") for number in numbers}
    assert (await event_types(floor.db, account.org_id))[-1] == "phone_number.bulk_order.completed"


@pytest.mark.covers("bulkOrderPhoneNumbers", 202)
async def test_202_a_bulk_order_waits_no_longer_than_the_setting(floor: Floor, shop: Client) -> None:
    floor.wire.once("order_stuck")
    floor.be_impatient(1)

    async with floor.working():
        reply = await shop.post(BULK, {"quantity": 1, "area_code": "415"})

    assert (reply.status, reply.data["status"], reply.data["pending_count"]) == (202, "processing", 1)
    order_id = reply.data["order_id"]
    assert reply.headers["location"] == f"{ORDERS}/{order_id}"
    assert (await shop.get(f"{BULK}/{order_id}")).data == reply.data
    assert (await shop.get(reply.headers["location"])).data["status"] == "processing"


@pytest.mark.covers("bulkOrderPhoneNumbers", 409)
async def test_409_a_bulk_order_that_fails_while_it_waits_says_how_many_there_are(floor: Floor, shop: Client) -> None:
    """The simulated carrier sells a hundred numbers of an area code, and one more lies in the pool."""
    await stock(floor.db, "+14155559999")

    async with floor.working():
        reply = await shop.post(BULK, {"quantity": 102, "area_code": "415"})

    assert (reply.status, reply.error["code"]) == (409, "INSUFFICIENT_INVENTORY")
    assert reply.error["details"] == {"available_count": "101", "unavailable_numbers": ""}
    assert await states(floor.db) == {"+14155559999": "available"}
    (failed,) = (await shop.get(ORDERS)).data
    assert (failed["kind"], failed["status"], failed["assigned_count"]) == ("bulk", "failed", 0)


async def test_the_same_key_twice_at_once_orders_in_bulk_once_and_is_answered_alike(floor: Floor, shop: Client) -> None:
    headers = {"Idempotency-Key": "k-1"}

    async with floor.working():
        replies = await asyncio.gather(*(shop.post(BULK, {"quantity": 2}, headers=headers) for _ in range(4)))

    assert {reply.status for reply in replies} == {200}
    assert len({reply.body for reply in replies}) == 1
    assert len(floor.wire.in_service()) == 2


@pytest.mark.covers("getPhoneNumberOrder", 200)
@pytest.mark.parametrize("kind", ["order", "bulk"])
async def test_200_an_order_is_seen_with_its_numbers_from_the_202_to_its_end(
    floor: Floor, shop: Client, kind: str
) -> None:
    floor.wire.once("order_stuck")
    floor.be_impatient()
    body = {"numbers": [B, A]} if kind == "order" else {"quantity": 2, "area_code": "415"}

    reply = await shop.post(ORDERS if kind == "order" else BULK, body)
    for _ in range(3):
        await floor.turn()
    pending = (await shop.get(reply.headers["location"])).data
    floor.wire.control("reset", {})
    await floor.settle()
    done = (await shop.get(reply.headers["location"])).data

    assert reply.status == 202
    assert (pending["kind"], pending["status"], pending["assigned_count"]) == (kind, "processing", 0)
    assert (pending["quantity"], len(pending["phone_numbers"]), pending["finished_at"]) == (2, 2, None)
    assert done == pending | {"status": "complete", "assigned_count": 2, "finished_at": done["finished_at"]}
    for row in done["phone_numbers"]:
        assert (await shop.get(f"/v1/phone-numbers/{row['id']}")).data["number"] == row["number"]


@pytest.mark.covers("getPhoneNumberOrder", 200)
async def test_200_an_order_that_failed_later_names_what_could_not_be_had(floor: Floor, shop: Client) -> None:
    floor.wire.once("order_partial", operation="numbers.buy", share=1.0, code="5005", text="Unavailable")
    floor.be_impatient()

    reply = await shop.post(ORDERS, {"numbers": [A, B]})
    await floor.settle()
    failed = (await shop.get(reply.headers["location"])).data

    assert (reply.status, failed["status"], failed["phone_numbers"]) == (202, "failed", [])
    assert set(failed["unavailable_numbers"]) <= {A, B} != set()


@pytest.mark.covers("orderPhoneNumbers", 201)
async def test_201_an_order_that_is_complete_names_itself_too(floor: Floor, shop: Client) -> None:
    await stock(floor.db, A)

    reply = await shop.post(ORDERS, {"numbers": [A]})
    order = (await shop.get(reply.headers["location"])).data

    assert reply.json["meta"] == {"order_id": order["id"], "status": "complete"}
    assert order["phone_numbers"] == [{"id": reply.data[0]["id"], "number": A}]


async def test_an_order_shows_no_number_that_was_released_and_sold_to_another_organization(
    floor: Floor, shop: Client, other_shop: Client
) -> None:
    await stock(floor.db, A)
    reply = await shop.post(ORDERS, {"numbers": [A]})
    await shop.delete(f"/v1/phone-numbers/{reply.data[0]['id']}")
    await floor.db.run("DELETE FROM phone_numbers WHERE number = $1", A)
    await floor.db.run("UPDATE directory.inventory SET state = 'available', org_id = NULL WHERE number = $1", A)

    assert (await other_shop.post(ORDERS, {"numbers": [A]})).status == 201

    order = (await shop.get(reply.headers["location"])).data
    assert (order["status"], order["assigned_count"], order["phone_numbers"]) == ("complete", 1, [])


@pytest.mark.covers("listPhoneNumberOrders", 200)
async def test_200_orders_are_listed_newest_first_page_by_page_and_by_filters(
    floor: Floor, shop: Client, other_shop: Client
) -> None:
    await stock(floor.db, A, B, C, "+14155550104", "+14155550105")
    for number in (A, B):
        await shop.post(ORDERS, {"numbers": [number]})
    await shop.post(BULK, {"quantity": 1})
    await other_shop.post(ORDERS, {"numbers": ["+14155550105"]})
    floor.be_impatient()
    waiting = (await shop.post(ORDERS, {"numbers": ["+12125550150"]})).json["meta"]["order_id"]

    everything = (await shop.get(ORDERS)).data
    seen: list[Any] = []
    cursor = ""
    while cursor is not None:
        page = await shop.get(f"{ORDERS}?limit=1{cursor and '&cursor=' + cursor}")
        seen += page.data
        cursor = page.json["meta"]["next_cursor"]

    assert seen == everything
    assert [order["kind"] for order in everything] == ["order", "bulk", "order", "order"]
    assert everything == sorted(everything, key=lambda order: order["created_at"], reverse=True)
    assert [order["id"] for order in (await shop.get(f"{ORDERS}?status=processing")).data] == [waiting]
    assert len((await shop.get(f"{ORDERS}?kind=bulk")).data) == 1
    assert (await shop.get(f"{ORDERS}?kind=bulk&status=failed")).data == []


async def test_a_number_that_is_given_back_to_the_carrier_is_no_order_of_the_customers(
    floor: Floor, shop: Client, account: Account
) -> None:
    await floor.db.run(
        """INSERT INTO number_orders (id, org_id, account, kind, status, quantity, criteria, settings, created_at)
           VALUES ($1, $2, 'live', 'return', 'processing', 1, '{}', '{}', $3)""",
        NOWHERE,
        account.org_id,
        floor.db.now,
    )

    assert (await shop.get(ORDERS)).data == []
    assert (await shop.get(f"{ORDERS}/{NOWHERE}")).status == 404


@covering(401)
async def test_401_orders_are_nobodys_without_a_key(floor: Floor, path: str) -> None:
    assert (await Client(floor.api).get(path)).status == 401


@covering(403)
async def test_403_orders_need_the_scope_of_numbers(floor: Floor, account: Account, path: str) -> None:
    key = await key_with(floor.cells, account.tenant, ["numbers:write"])

    assert (await Client(floor.api, key).get(path)).status == 403


@pytest.mark.covers("getPhoneNumberOrder", 400)
async def test_400_an_orders_id_is_a_uuid(shop: Client) -> None:
    reply = await shop.get(f"{ORDERS}/seven")

    assert (reply.status, reply.error["details"]) == (400, {"id": "must be a UUID"})


@pytest.mark.covers("getPhoneNumberOrder", 404)
async def test_404_a_strangers_order_is_like_none(floor: Floor, shop: Client, other_shop: Client) -> None:
    await stock(floor.db, A)
    theirs = (await other_shop.post(ORDERS, {"numbers": [A]})).headers["location"]

    replies = [await shop.get(path) for path in (theirs, f"{ORDERS}/{NOWHERE}")]

    assert [(reply.status, reply.error["message"]) for reply in replies] == [(404, "not found")] * 2


@pytest.mark.covers("listPhoneNumberOrders", 422)
@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "status=open", "kind=return", "cursor=x", "state=processing"]
)
async def test_422_a_list_of_orders_says_what_is_wrong_with_its_query(shop: Client, query: str) -> None:
    reply = await shop.get(f"{ORDERS}?{query}")

    assert reply.status in {400, 422}
    assert list(reply.error["details"]) == [query.partition("=")[0]]
