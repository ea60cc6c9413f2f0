"""Every status of the operations that give numbers back, and what a release leaves behind."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from tests.conftest import NOWHERE, Client
from tests.make.accounts import Account, key_with
from tests.make.campaigns import insert_campaign
from tests.numbers.harness import Floor, event_types, states, stock

A, B, C = "+14155550101", "+14155550102", "+14155550103"
URL = "https://customer.example/inbound"


async def ordered(floor: Floor, shop: Client, *numbers: str, **given: Any) -> list[str]:
    """Ids of numbers that the customer has just got."""
    await stock(floor.db, *numbers)
    reply = await shop.post("/v1/phone-numbers/orders", {"numbers": list(numbers), **given})
    assert reply.status == 201, reply.json
    return [row["id"] for row in reply.data]


async def row(floor: Floor, number_id: str) -> Any:
    """A number and its carrier side as stored."""
    async with floor.db.connection() as connection:
        return await connection.fetchrow(
            """SELECT p.state, p.inbound_url, p.status_url, p.campaign_id, p.generation, p.line_option_status,
                      p.return_to_carrier, l.due_at, l.phase
               FROM phone_numbers p JOIN line_options l ON l.phone_number_id = p.id WHERE p.id = $1""",
            UUID(number_id),
        )


@pytest.mark.covers("releasePhoneNumber", 200)
async def test_200_a_release_clears_routing_and_the_desired_campaign_before_it_answers(
    floor: Floor, shop: Client, account: Account
) -> None:
    campaign_id = await insert_campaign(floor.db, account.org_id)
    given = {"inbound_url": URL, "status_url": URL, "label": "kept", "campaign_id": str(campaign_id)}
    (number_id,) = await ordered(floor, shop, A, **given)

    reply = await shop.delete(f"/v1/phone-numbers/{number_id}")

    assert (reply.status, reply.json) == (200, {"success": True, "data": {"status": "released"}})
    after = await row(floor, number_id)
    assert (after["state"], after["inbound_url"], after["status_url"], after["campaign_id"]) == (
        "quarantined",
        None,
        None,
        None,
    )
    assert (after["generation"], after["line_option_status"], after["return_to_carrier"]) == (2, "pending", False)
    assert after["due_at"] is not None
    assert await states(floor.db) == {A: "quarantined"}
    assert (await shop.get(f"/v1/phone-numbers/{number_id}")).status == 404
    assert (await event_types(floor.db, account.org_id))[-1] == "phone_number.released"
    payload = await floor.db.value("SELECT payload FROM audit_log WHERE action = 'phone_number.release'")
    assert payload == {"campaign_id": str(campaign_id), "return_to_carrier": False}


@pytest.mark.covers("releasePhoneNumber", 200)
async def test_200_a_number_of_the_operator_is_marked_for_the_carrier(
    floor: Floor, shop: Client, account: Account
) -> None:
    (number_id,) = await ordered(floor, shop, A)
    key = await key_with(floor.cells, account.tenant, ["numbers:write", "platform:inventory:write"])

    reply = await Client(floor.api, key).delete(f"/v1/phone-numbers/{number_id}?return_to_carrier=true")

    assert reply.status == 200
    assert (await row(floor, number_id))["return_to_carrier"] is True


@pytest.mark.covers("releasePhoneNumber", 400)
async def test_400_a_released_numbers_id_is_a_uuid(shop: Client) -> None:
    reply = await shop.delete(f"/v1/phone-numbers/{A}")

    assert (reply.status, reply.error["details"]) == (400, {"id": "must be a UUID"})


@pytest.mark.covers("releasePhoneNumber", 403)
async def test_403_only_the_operator_gives_a_number_back_to_the_carrier(floor: Floor, shop: Client) -> None:
    (number_id,) = await ordered(floor, shop, A)
    before = await row(floor, number_id)

    reply = await shop.delete(f"/v1/phone-numbers/{number_id}?return_to_carrier=true")

    assert (reply.status, reply.error["code"]) == (403, "FORBIDDEN")
    assert reply.error["message"] == "return_to_carrier is admin-only: forbidden"
    assert await row(floor, number_id) == before
    assert await states(floor.db) == {A: "assigned"}


@pytest.mark.covers("releasePhoneNumber", 404)
async def test_404_a_strangers_number_is_released_like_none(floor: Floor, shop: Client, other_shop: Client) -> None:
    (theirs,) = await ordered(floor, other_shop, A)

    for number_id in (theirs, NOWHERE):
        reply = await shop.delete(f"/v1/phone-numbers/{number_id}")
        assert (reply.status, reply.error["message"]) == (404, "not found")
    assert await states(floor.db) == {A: "assigned"}


@pytest.mark.covers("releasePhoneNumber", 409)
async def test_409_a_number_is_released_once(floor: Floor, shop: Client, account: Account) -> None:
    (number_id,) = await ordered(floor, shop, A)
    assert (await shop.delete(f"/v1/phone-numbers/{number_id}")).status == 200

    reply = await shop.delete(f"/v1/phone-numbers/{number_id}")

    assert (reply.status, reply.error["code"]) == (409, "NUMBER_NOT_ASSIGNED")
    assert (await event_types(floor.db, account.org_id)).count("phone_number.released") == 1


@pytest.mark.covers("releasePhoneNumber", 409)
async def test_409_a_number_that_is_still_being_ordered_is_not_released(floor: Floor, shop: Client) -> None:
    floor.be_impatient()
    number_id = (await shop.post("/v1/phone-numbers/orders", {"numbers": [A]})).data[0]["id"]

    reply = await shop.delete(f"/v1/phone-numbers/{number_id}")

    assert (reply.status, reply.error["code"]) == (409, "NUMBER_NOT_ASSIGNED")


@pytest.mark.covers("releasePhoneNumber", 422)
async def test_422_a_release_names_the_faulty_field(shop: Client) -> None:
    reply = await shop.delete(f"/v1/phone-numbers/{NOWHERE}?return_to_carrier=perhaps")

    assert (reply.status, list(reply.error["details"])) == (422, ["return_to_carrier"])


async def test_release_attach_and_detach_at_once_leave_one_history(
    floor: Floor, shop: Client, account: Account
) -> None:
    """One generation per change, the release is final, and every event is about a change that was made."""
    campaigns = [await insert_campaign(floor.db, account.org_id) for _ in range(2)]
    (number_id,) = await ordered(floor, shop, A)
    path = f"/v1/phone-numbers/{number_id}"

    replies = await asyncio.gather(
        *(shop.post(f"{path}/campaign", {"campaign_id": str(campaign)}) for campaign in campaigns * 4),
        *(shop.delete(f"{path}/campaign") for _ in range(8)),
        shop.delete(path),
        *(shop.delete(f"{path}/campaign") for _ in range(4)),
    )

    assert {reply.status for reply in replies} <= {200, 409}
    after = await row(floor, number_id)
    assert (after["state"], after["campaign_id"]) == ("quarantined", None)
    happened = await event_types(floor.db, account.org_id)
    changes = [event for event in happened if event.endswith((".attached", ".detached", ".released"))]
    assert after["generation"] == 1 + len(changes)
    assert happened[-1] == "phone_number.released"


# ── many at once ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("bulkReleasePhoneNumbers", 200)
async def test_200_every_id_is_in_exactly_one_list(floor: Floor, shop: Client, other_shop: Client) -> None:
    first, second, gone = await ordered(floor, shop, A, B, C)
    (theirs,) = await ordered(floor, other_shop, "+14155550104")
    assert (await shop.delete(f"/v1/phone-numbers/{gone}")).status == 200
    ids = [second, first, gone, theirs, str(NOWHERE), first, gone]

    reply = await shop.post("/v1/phone-numbers/bulk/release", {"ids": ids})

    assert reply.status == 200
    assert reply.data == {
        "released": [second, first],
        "unknown": [theirs, str(NOWHERE)],
        "already_released": [gone],
    }
    assert await states(floor.db) == {
        A: "quarantined",
        B: "quarantined",
        C: "quarantined",
        "+14155550104": "assigned",
    }


@pytest.mark.covers("bulkReleasePhoneNumbers", 200)
async def test_200_the_three_lists_are_always_there(shop: Client) -> None:
    reply = await shop.post("/v1/phone-numbers/bulk/release", {"ids": [str(NOWHERE)]})

    assert reply.data == {"released": [], "unknown": [str(NOWHERE)], "already_released": []}


@pytest.mark.covers("bulkReleasePhoneNumbers", 200)
async def test_200_releases_that_overlap_do_not_wait_for_each_other_forever(
    floor: Floor, shop: Client, account: Account
) -> None:
    ids = await ordered(floor, shop, *(f"+141555501{n:02d}" for n in range(30)))

    replies = await asyncio.gather(
        *(
            shop.post("/v1/phone-numbers/bulk/release", {"ids": order})
            for order in (ids, ids[::-1], ids[10:] + ids[:10], ids[::2] + ids[1::2])
        )
    )

    assert {reply.status for reply in replies} == {200}
    assert sorted(number_id for reply in replies for number_id in reply.data["released"]) == sorted(ids)
    assert (await event_types(floor.db, account.org_id)).count("phone_number.released") == 30


@pytest.mark.covers("bulkReleasePhoneNumbers", 403)
async def test_403_no_key_gives_many_numbers_back_to_the_carrier(floor: Floor, shop: Client, account: Account) -> None:
    ids = await ordered(floor, shop, A)
    key = await key_with(floor.cells, account.tenant, ["numbers:write", "platform:inventory:write"])

    for client in (shop, Client(floor.api, key)):
        reply = await client.post("/v1/phone-numbers/bulk/release?return_to_carrier=true", {"ids": ids})
        assert (reply.status, reply.error["message"]) == (403, "return_to_carrier is admin-only: forbidden")
    assert await states(floor.db) == {A: "assigned"}


@pytest.mark.covers("bulkReleasePhoneNumbers", 422)
@pytest.mark.parametrize("ids", [["seven"], [], [str(NOWHERE)] * 101, None])
async def test_422_a_malformed_id_fails_the_whole_call(floor: Floor, shop: Client, ids: object) -> None:
    (held,) = await ordered(floor, shop, A)
    requested = [held, *ids] if ids == ["seven"] else ids

    reply = await shop.post("/v1/phone-numbers/bulk/release", {"ids": requested})

    assert (reply.status, list(reply.error["details"])) == (422, ["ids"])
    assert await states(floor.db) == {A: "assigned"}
