"""The inventory as the operator works with it."""

from agentmessage.numbers.orders import inventory
from tests.conftest import Client
from tests.numbers.harness import Floor, states, stock

A, B, C = "+14155550101", "+14155550102", "+18005550103"


async def test_imported_numbers_are_for_sale_and_known_ones_stay_as_they_are(floor: Floor, shop: Client) -> None:
    await stock(floor.db, A)
    assert (await shop.post("/v1/phone-numbers/orders", {"numbers": [A]})).status == 201

    async with floor.db.transaction() as tx:
        imported = await inventory.import_numbers(
            tx, "live", [(A, "local"), (B, "local"), (C, "toll_free"), (B, "local")]
        )

    assert imported == 2
    assert await states(floor.db) == {A: "assigned", B: "available", C: "available"}


async def test_a_number_that_went_back_to_the_carrier_can_be_imported_again(floor: Floor) -> None:
    await stock(floor.db, A, generation=4)
    await floor.db.run("UPDATE directory.inventory SET state = 'retired'")

    async with floor.db.transaction() as tx:
        assert await inventory.import_numbers(tx, "live", [(A, "local")]) == 1

    row = await floor.db.one(lambda *x: x, "SELECT state, generation, is_observed FROM directory.inventory")
    assert row == ("available", 4, False)


async def test_the_inventory_is_listed_in_order_and_by_pages(floor: Floor) -> None:
    await stock(floor.db, B, A)
    await stock(floor.db, A, account="sandbox")

    first = await inventory.list_inventory(floor.db, account="live", limit=1)
    second = await inventory.list_inventory(floor.db, account="live", after=first[-1].number, limit=5)

    assert [claim.number for claim in [*first, *second]] == [A, B]
    assert await inventory.list_inventory(floor.db, state="retired") == []
