"""A 10DLC campaign is for local numbers: no path binds one to a toll-free number or a short code."""

from typing import Any
from uuid import UUID

import pytest

from agentmessage.carriers.bandwidth.codes import Operation, classify
from agentmessage.carriers.protocols import Trouble
from agentmessage.kernel.db import CellDb
from agentmessage.numbers.model import NumberType
from agentmessage.numbers.orders import rules as order_rules
from agentmessage.sms.numbers import is_toll_free
from tests.conftest import Client
from tests.make.accounts import Account
from tests.make.campaigns import insert_campaign
from tests.numbers.harness import Floor, states, stock
from tests.numbers.virtual_clock import add_number

CODES = ("800", "822", "833", "844", "855", "866", "877", "888", "880", "887", "889")
"""In use and reserved for toll-free numbers by the numbering plan."""


async def add(db: CellDb, account: Account, number: str, kind: str) -> UUID:
    """An assigned number of a kind."""
    number_id = await add_number(db, account.org_id, number)
    await db.run("UPDATE phone_numbers SET number_type = $2 WHERE id = $1", number_id, kind)
    return number_id


@pytest.mark.parametrize("code", CODES)
def test_every_toll_free_code_is_known(code: str) -> None:
    assert is_toll_free(f"+1{code}5550123")
    assert order_rules.type_of(f"+1{code}5550123") == NumberType.TOLL_FREE
    assert order_rules.type_of_area(code) == NumberType.TOLL_FREE


@pytest.mark.parametrize(
    "number", ["+18085550123", "+18105550123", "+18785550123", "+18005550", "+448005550123", "800"]
)
def test_other_numbers_are_not_toll_free(number: str) -> None:
    assert not is_toll_free(number)


@pytest.mark.covers("attachCampaignToPhoneNumber", 422)
@pytest.mark.covers("updatePhoneNumber", 422)
@pytest.mark.parametrize(
    ("number", "kind"),
    [
        *((f"+1{code}5550123", "toll_free") for code in CODES),
        ("+18335550123", "local"),
        ("+14155550123", "toll_free"),
        ("+12345", "short_code"),
    ],
)
async def test_422_a_campaign_is_attached_to_local_numbers_only(
    db: CellDb, shop: Client, account: Account, number: str, kind: str
) -> None:
    campaign_id = await insert_campaign(db, account.org_id)
    path = f"/v1/phone-numbers/{await add(db, account, number, kind)}"
    before = (await shop.get(path)).data

    replies = [
        await shop.post(f"{path}/campaign", {"campaign_id": str(campaign_id)}),
        await shop.patch(path, {"label": "new", "campaign_id": str(campaign_id)}),
    ]

    for reply in replies:
        assert (reply.status, reply.error["code"]) == (422, "CAMPAIGN_NEEDS_LOCAL_NUMBER")
        assert reply.error["details"] == {"campaign_id": f"cannot be attached to {number}"}
    assert (await shop.get(path)).data == before
    assert await db.value("SELECT count(*) FROM events WHERE family = 'phone_number'") == 0


async def test_attaching_keeps_its_order_of_checks(db: CellDb, shop: Client, account: Account) -> None:
    """Of the campaign first, then whose the number is and whether it is assigned; what kind it is comes last."""
    pending = await insert_campaign(db, account.org_id, status="PENDING")
    active = await insert_campaign(db, account.org_id)
    path = f"/v1/phone-numbers/{await add(db, account, '+18335550123', 'toll_free')}"

    not_active = await shop.post(f"{path}/campaign", {"campaign_id": str(pending)})
    await shop.delete(path)
    released = await shop.post(f"{path}/campaign", {"campaign_id": str(active)})

    assert (not_active.status, not_active.error["code"]) == (409, "CAMPAIGN_NOT_ACTIVE")
    assert (released.status, released.error["code"]) == (409, "NUMBER_NOT_ASSIGNED")


@pytest.mark.covers("orderPhoneNumbers", 422)
@pytest.mark.parametrize("in_pool", ["pool", None])
async def test_422_an_order_with_a_campaign_takes_local_numbers_only(
    floor: Floor, shop: Client, account: Account, in_pool: str | None
) -> None:
    campaign_id = await insert_campaign(floor.db, account.org_id)
    if in_pool:
        await stock(floor.db, "+18005550101", kind="toll_free")
    before = await states(floor.db)

    body: dict[str, Any] = {"numbers": ["+14155550101", "+18005550101"], "campaign_id": str(campaign_id)}
    reply = await shop.post("/v1/phone-numbers/orders", body)

    assert (reply.status, reply.error["code"]) == (422, "CAMPAIGN_NEEDS_LOCAL_NUMBER")
    assert reply.error["details"] == {"campaign_id": "cannot be attached to +18005550101"}
    assert await states(floor.db) == before


async def test_422_an_order_looks_at_the_kind_that_the_operator_gave_a_number(
    floor: Floor, shop: Client, account: Account
) -> None:
    campaign_id = await insert_campaign(floor.db, account.org_id)
    await stock(floor.db, "+14155550101", kind="short_code")

    body = {"numbers": ["+14155550101"], "campaign_id": str(campaign_id)}
    reply = await shop.post("/v1/phone-numbers/orders", body)

    assert (reply.status, reply.error["code"]) == (422, "CAMPAIGN_NEEDS_LOCAL_NUMBER")
    assert await states(floor.db) == {"+14155550101": "available"}


async def test_a_toll_free_number_without_a_campaign_can_be_had(floor: Floor, shop: Client) -> None:
    async with floor.working():
        reply = await shop.post("/v1/phone-numbers/orders", {"numbers": ["+18005550101"]})

    assert (reply.status, reply.data[0]["number_type"], reply.data[0]["campaign_id"]) == (201, "toll_free", None)


async def test_422_a_message_from_a_toll_free_number_says_why_it_cannot_go(
    db: CellDb, shop: Client, account: Account
) -> None:
    await add(db, account, "+18335550123", "toll_free")

    reply = await shop.post("/v1/messages", {"from": "+18335550123", "to": "+12125550123", "text": "Acme: hello"})

    assert (reply.status, reply.error["code"]) == (422, "SENDER_NOT_REGISTERED")
    assert reply.error["details"] == {"from": "is toll-free and takes no campaign: send from a local number"}


def test_what_the_carrier_refuses_toll_free_numbers_with_is_for_good() -> None:
    for code in ("5090", "5126", "5162"):
        assert classify(code, "toll-free", Operation.BIND) is Trouble.OWNERSHIP
