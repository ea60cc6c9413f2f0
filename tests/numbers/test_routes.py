"""Every status of the operations on a number that one holds; the founding page (detach) to the letter."""

import asyncio
import itertools
from collections import Counter
from typing import Any
from uuid import UUID

import pytest

from agentmessage.kernel.db import CellDb, Cells
from tests.conftest import NOWHERE, Client
from tests.make.accounts import Account, key_with
from tests.make.brands import insert_brand
from tests.make.campaigns import insert_campaign
from tests.numbers.virtual_clock import add_number

NUMBER = "+14155550101"
RESOURCE_KEYS = {
    "id", "number", "number_type", "inbound_url", "status_url", "label", "campaign_id", "carrier_line_option_status",
    "carrier_line_option_propagated_at", "sms_enabled", "mms_enabled", "created_at", "updated_at",
}  # fmt: skip


@pytest.fixture
async def number(db: CellDb, account: Account) -> UUID:
    """An assigned number without a campaign."""
    return await add_number(db, account.org_id, NUMBER)


@pytest.fixture
async def campaign(db: CellDb, account: Account) -> UUID:
    """A campaign that a number may be put on."""
    return await insert_campaign(db, account.org_id)


async def everything(db: CellDb) -> dict[str, list[str]]:
    """Every row of every table of the cell with its xmin, and the last transaction that wrote anything at all."""
    tables = await db.all(str, "SELECT tablename::text FROM pg_tables WHERE schemaname = 'cell_00' ORDER BY 1")
    async with db.connection() as connection:
        return {
            name: [str(row[0]) for row in await connection.fetch(f"SELECT (xmin, t.*)::text FROM {name} t ORDER BY 1")]  # noqa: S608 - names of our own tables
            for name in tables
        }


async def next_xid(db: CellDb) -> int:
    """The transaction id that the next writer gets."""
    return int(await db.value("SELECT pg_snapshot_xmax(pg_current_snapshot())::text"))


async def audit_rows(db: CellDb, number_id: UUID) -> list[tuple[str, Any]]:
    """What the audit log says about a number, in no promised order."""
    return await db.all(
        lambda action, payload: (action, payload),
        "SELECT action, payload FROM audit_log WHERE resource_id = $1 ORDER BY occurred_at, id",
        str(number_id),
    )


async def event_rows(db: CellDb, number_id: UUID) -> list[tuple[str, Any]]:
    """What happened to a number, oldest first."""
    return await db.all(
        lambda kind, data: (kind, data),
        "SELECT type, data FROM events WHERE resource_id = $1 ORDER BY xid, id",
        number_id,
    )


async def generation(db: CellDb, number_id: UUID) -> int:
    return await db.value("SELECT generation FROM phone_numbers WHERE id = $1", number_id)


async def put_on(db: CellDb, number_id: UUID, campaign_id: UUID) -> None:
    """The number is on the campaign and the carrier has confirmed it."""
    await db.run(
        """UPDATE phone_numbers SET campaign_id = $2, line_option_status = 'propagated', line_option_propagated_at = $3
           WHERE id = $1""",
        number_id,
        campaign_id,
        db.now,
    )
    await db.run(
        """UPDATE line_options l SET phase = 'bound', observed = 'present', observed_campaign = c.tcr_campaign_id
           FROM campaigns c WHERE l.phone_number_id = $1 AND c.id = $2""",
        number_id,
        campaign_id,
    )


async def move(db: CellDb, number_id: UUID, state: str) -> None:
    await db.run("UPDATE phone_numbers SET state = $2 WHERE id = $1", number_id, state)


# ── detach: the founding page ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("detachCampaignFromPhoneNumber", 200)
async def test_200_detach_takes_the_campaign_off_at_once_and_leaves_the_carrier_for_later(
    api: Client, db: CellDb, number: UUID, campaign: UUID
) -> None:
    await put_on(db, number, campaign)
    before = (await api.get(f"/v1/phone-numbers/{number}")).data

    reply = await api.delete(f"/v1/phone-numbers/{number}/campaign")

    assert reply.status == 200
    assert reply.data == {
        **before,
        "campaign_id": None,
        "carrier_line_option_status": "pending",
        "carrier_line_option_propagated_at": None,
        "updated_at": reply.data["updated_at"],
    }
    assert reply.data["updated_at"] > before["updated_at"]
    assert (await api.get(f"/v1/phone-numbers/{number}")).data == reply.data
    assert await generation(db, number) == 2
    assert await db.value("SELECT due_at <= $1 FROM line_options", db.now)
    assert await db.value("SELECT count(*) FROM carrier_orders") == 0


@pytest.mark.covers("detachCampaignFromPhoneNumber", 200)
async def test_200_detach_writes_one_event_and_one_audit_row_and_the_event_is_the_resource_as_printed(
    api: Client, db: CellDb, number: UUID, campaign: UUID
) -> None:
    await put_on(db, number, campaign)

    reply = await api.delete(f"/v1/phone-numbers/{number}/campaign")

    assert await event_rows(db, number) == [("phone_number.campaign.detached", reply.data)]
    shown = (await api.get("/v1/events?type=phone_number.campaign.detached")).data
    assert [event["data"] for event in shown] == [reply.data]
    assert await audit_rows(db, number) == [("phone_number.campaign.detach", {"campaign_id": str(campaign)})]
    audit = (await api.get(f"/v1/audit-log?resource_id={number}")).data
    assert [row["request_id"] for row in audit] == [reply.headers["x-request-id"]]


@pytest.mark.covers("detachCampaignFromPhoneNumber", 200)
async def test_200_detach_of_no_campaign_writes_nothing_at_all(api: Client, db: CellDb, number: UUID) -> None:
    before = (await api.get(f"/v1/phone-numbers/{number}")).data
    rows, first_xid = await everything(db), await next_xid(db)

    replies = [await api.delete(f"/v1/phone-numbers/{number}/campaign") for _ in range(20)]

    assert await next_xid(db) - first_xid < len(replies), "a request that changes nothing takes no transaction id"
    assert {reply.status for reply in replies} == {200}
    assert all(reply.data == before for reply in replies)
    assert await everything(db) == rows


@pytest.mark.covers("detachCampaignFromPhoneNumber", 200)
async def test_200_detach_again_while_the_carrier_is_still_unbinding_writes_nothing(
    api: Client, db: CellDb, number: UUID, campaign: UUID
) -> None:
    await put_on(db, number, campaign)
    first = await api.delete(f"/v1/phone-numbers/{number}/campaign")
    rows = await everything(db)

    second = await api.delete(f"/v1/phone-numbers/{number}/campaign")

    assert (second.status, second.data) == (200, first.data)
    assert await everything(db) == rows


@pytest.mark.covers("detachCampaignFromPhoneNumber", 404)
async def test_404_detach_of_nothing_and_of_a_strangers_number_say_the_same(
    api: Client, db: CellDb, stranger: Account
) -> None:
    theirs = await add_number(db, stranger.org_id, NUMBER)
    await put_on(db, theirs, await insert_campaign(db, stranger.org_id))
    rows = await everything(db)

    answers = [await api.delete(f"/v1/phone-numbers/{some_id}/campaign") for some_id in (NOWHERE, theirs)]

    assert [(reply.status, reply.error["code"], reply.error["message"]) for reply in answers] == [
        (404, "NOT_FOUND", "not found")
    ] * 2
    assert await everything(db) == rows


@pytest.mark.covers("detachCampaignFromPhoneNumber", 404)
async def test_404_a_strangers_released_number_is_not_found_either(api: Client, db: CellDb, stranger: Account) -> None:
    theirs = await add_number(db, stranger.org_id, NUMBER)
    await move(db, theirs, "quarantined")

    assert (await api.delete(f"/v1/phone-numbers/{theirs}/campaign")).status == 404


@pytest.mark.parametrize("state", ["ordering", "quarantined"])
@pytest.mark.covers("detachCampaignFromPhoneNumber", 409)
async def test_409_detach_of_an_own_number_that_is_not_assigned(
    state: str, api: Client, db: CellDb, number: UUID
) -> None:
    await move(db, number, state)
    rows = await everything(db)

    reply = await api.delete(f"/v1/phone-numbers/{number}/campaign")

    assert (reply.status, reply.error["code"]) == (409, "NUMBER_NOT_ASSIGNED")
    assert reply.error["message"] == "phone number is not assigned"
    assert await everything(db) == rows


@pytest.mark.covers("detachCampaignFromPhoneNumber", 409)
async def test_409_detach_of_a_number_that_one_has_just_released(
    api: Client, db: CellDb, account: Account, number: UUID
) -> None:
    await db.run(
        """INSERT INTO directory.inventory (account, number, number_type, state, org_id, cell)
           VALUES ('live', $1, 'local', 'assigned', $2, 'cell_00')""",
        NUMBER,
        account.org_id,
    )
    assert (await api.delete(f"/v1/phone-numbers/{number}")).status == 200

    reply = await api.delete(f"/v1/phone-numbers/{number}/campaign")

    assert (reply.status, reply.error["code"]) == (409, "NUMBER_NOT_ASSIGNED")


@pytest.mark.parametrize("key", ["yes", "no"])
async def test_detach_works_with_the_scope_alone_and_not_without_it(
    key: str, api: Client, cells: Cells, account: Account, number: UUID
) -> None:
    scope = "numbers:write" if key == "yes" else "numbers:read"
    caller = api.using(await key_with(cells, account.tenant, [scope]))

    reply = await caller.delete(f"/v1/phone-numbers/{number}/campaign")

    assert reply.status == (200 if key == "yes" else 403)


# ── attach ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("attachCampaignToPhoneNumber", 200)
async def test_200_attach_records_the_link_at_once_with_one_event_and_one_audit_row(
    api: Client, db: CellDb, number: UUID, campaign: UUID
) -> None:
    before = (await api.get(f"/v1/phone-numbers/{number}")).data

    reply = await api.post(f"/v1/phone-numbers/{number}/campaign", {"campaign_id": str(campaign)})

    assert reply.status == 200
    assert reply.data == {
        **before,
        "campaign_id": str(campaign),
        "carrier_line_option_status": "pending",
        "updated_at": reply.data["updated_at"],
    }
    assert await event_rows(db, number) == [("phone_number.campaign.attached", reply.data)]
    assert await audit_rows(db, number) == [
        ("phone_number.campaign.attach", {"campaign_id": str(campaign), "replaced_campaign_id": None})
    ]
    assert await generation(db, number) == 2
    assert await db.value("SELECT due_at <= $1 FROM line_options", db.now)


@pytest.mark.covers("attachCampaignToPhoneNumber", 200)
async def test_200_attaching_the_same_campaign_again_writes_nothing(
    api: Client, db: CellDb, number: UUID, campaign: UUID
) -> None:
    await put_on(db, number, campaign)
    before = (await api.get(f"/v1/phone-numbers/{number}")).data
    rows = await everything(db)

    reply = await api.post(f"/v1/phone-numbers/{number}/campaign", {"campaign_id": str(campaign)})

    assert (reply.status, reply.data) == (200, before)
    assert await everything(db) == rows


@pytest.mark.covers("attachCampaignToPhoneNumber", 200)
async def test_200_attaching_another_campaign_replaces_in_one_step(
    api: Client, db: CellDb, account: Account, number: UUID, campaign: UUID
) -> None:
    """One generation, one event, and never a moment without a campaign."""
    await put_on(db, number, campaign)
    other = await insert_campaign(db, account.org_id)

    reply = await api.post(f"/v1/phone-numbers/{number}/campaign", {"campaign_id": str(other)})

    assert reply.data["campaign_id"] == str(other)
    assert (reply.data["carrier_line_option_status"], reply.data["carrier_line_option_propagated_at"]) == (
        "pending",
        None,
    )
    assert await generation(db, number) == 2
    assert await event_rows(db, number) == [("phone_number.campaign.attached", reply.data)]
    assert await audit_rows(db, number) == [
        ("phone_number.campaign.attach", {"campaign_id": str(other), "replaced_campaign_id": str(campaign)})
    ]


@pytest.mark.covers("attachCampaignToPhoneNumber", 404)
async def test_404_attach_of_a_campaign_or_number_that_is_not_ones_own(
    api: Client, db: CellDb, stranger: Account, number: UUID, campaign: UUID
) -> None:
    their_campaign = await insert_campaign(db, stranger.org_id)
    their_number = await add_number(db, stranger.org_id, "+14155550102")
    pairs = [(number, NOWHERE), (number, their_campaign), (NOWHERE, campaign), (their_number, campaign)]

    replies = [await api.post(f"/v1/phone-numbers/{n}/campaign", {"campaign_id": str(c)}) for n, c in pairs]

    assert {(reply.status, reply.error["code"], reply.error["message"]) for reply in replies} == {
        (404, "NOT_FOUND", "not found")
    }


@pytest.mark.parametrize("status", ["PENDING", "REJECTED", "EXPIRED"])
@pytest.mark.covers("attachCampaignToPhoneNumber", 409)
async def test_409_attach_of_a_campaign_that_is_not_active(
    status: str, api: Client, db: CellDb, account: Account, number: UUID
) -> None:
    campaign = await insert_campaign(db, account.org_id, status=status)

    reply = await api.post(f"/v1/phone-numbers/{number}/campaign", {"campaign_id": str(campaign)})

    assert (reply.status, reply.error["code"]) == (409, "CAMPAIGN_NOT_ACTIVE")


@pytest.mark.parametrize("identity", [None, "SELF_DECLARED", "UNVERIFIED"])
@pytest.mark.covers("attachCampaignToPhoneNumber", 409)
async def test_409_attach_of_a_campaign_whose_brand_is_not_verified(
    identity: str | None, api: Client, db: CellDb, account: Account, number: UUID
) -> None:
    brand = await insert_brand(db, account.org_id, identity_status=identity)
    campaign = await insert_campaign(db, account.org_id, brand_id=brand)

    reply = await api.post(f"/v1/phone-numbers/{number}/campaign", {"campaign_id": str(campaign)})

    assert (reply.status, reply.error["code"]) == (409, "BRAND_NOT_VERIFIED")


@pytest.mark.covers("attachCampaignToPhoneNumber", 200)
async def test_200_attach_of_a_campaign_whose_brand_is_vetted(
    api: Client, db: CellDb, account: Account, number: UUID
) -> None:
    brand = await insert_brand(db, account.org_id, identity_status="VETTED_VERIFIED")
    campaign = await insert_campaign(db, account.org_id, brand_id=brand)

    assert (await api.post(f"/v1/phone-numbers/{number}/campaign", {"campaign_id": str(campaign)})).status == 200


@pytest.mark.parametrize("state", ["ordering", "quarantined"])
@pytest.mark.covers("attachCampaignToPhoneNumber", 409)
async def test_409_attach_to_an_own_number_that_is_not_assigned(
    state: str, api: Client, db: CellDb, number: UUID, campaign: UUID
) -> None:
    await move(db, number, state)
    rows = await everything(db)

    reply = await api.post(f"/v1/phone-numbers/{number}/campaign", {"campaign_id": str(campaign)})

    assert (reply.status, reply.error["code"]) == (409, "NUMBER_NOT_ASSIGNED")
    assert await everything(db) == rows


ATTACH_FAULTS = ["shape", "campaign", "status", "brand", "number", "state"]
"""Attach's checks in the order that the reference states."""

ATTACH_ANSWERS = {
    "shape": (422, "VALIDATION_FAILED"),
    "campaign": (404, "NOT_FOUND"),
    "status": (409, "CAMPAIGN_NOT_ACTIVE"),
    "brand": (409, "BRAND_NOT_VERIFIED"),
    "number": (404, "NOT_FOUND"),
    "state": (409, "NUMBER_NOT_ASSIGNED"),
}


@pytest.mark.parametrize(
    "pair",
    [pair for pair in itertools.combinations(ATTACH_FAULTS, 2) if pair != ("number", "state")],
)
@pytest.mark.covers("attachCampaignToPhoneNumber", 404, 409, 422)
async def test_of_two_faults_of_an_attach_the_first_in_the_stated_order_wins(
    pair: tuple[str, str], api: Client, db: CellDb, account: Account, number: UUID
) -> None:
    first, second = pair
    faults = {first, second}
    brand = await insert_brand(db, account.org_id, identity_status="UNVERIFIED" if "brand" in faults else "VERIFIED")
    campaign = await insert_campaign(
        db, account.org_id, brand_id=brand, status="PENDING" if "status" in faults else "ACTIVE"
    )
    if "state" in faults:
        await move(db, number, "quarantined")
    named = "x" if "shape" in faults else str(NOWHERE if "campaign" in faults else campaign)
    target = NOWHERE if "number" in faults else number

    reply = await api.post(f"/v1/phone-numbers/{target}/campaign", {"campaign_id": named})

    assert (reply.status, reply.error["code"]) == ATTACH_ANSWERS[first]


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({}, {"campaign_id": "is required"}),
        ({"campaign_id": None}, {"campaign_id": "must be a UUID"}),
        ({"campaign_id": ""}, {"campaign_id": "must be a UUID"}),
        ({"campaign_id": 7, "x": 1}, {"campaign_id": "must be a UUID", "x": "is not a known field"}),
    ],
)
@pytest.mark.covers("attachCampaignToPhoneNumber", 422)
async def test_422_attach_without_a_campaign(
    body: dict[str, Any], details: dict[str, str], api: Client, number: UUID
) -> None:
    reply = await api.post(f"/v1/phone-numbers/{number}/campaign", body)

    assert (reply.status, reply.error["code"], reply.error["details"]) == (422, "VALIDATION_FAILED", details)


async def test_a_campaign_that_expires_while_it_is_being_attached_is_never_desired(
    api: Client, db: CellDb, number: UUID, campaign: UUID
) -> None:
    """The attach waits for the expiry that holds the campaign's row, and then sees it."""
    async with db.transaction() as tx:
        await tx.run("SELECT 1 FROM campaigns WHERE id = $1 FOR UPDATE", campaign)
        await tx.run("UPDATE campaigns SET status = 'EXPIRED' WHERE id = $1", campaign)
        attaching = asyncio.create_task(
            api.post(f"/v1/phone-numbers/{number}/campaign", {"campaign_id": str(campaign)})
        )
        await until_lock_waits(db)

    reply = await attaching

    assert (reply.status, reply.error["code"]) == (409, "CAMPAIGN_NOT_ACTIVE")
    assert await generation(db, number) == 1


async def until_lock_waits(db: CellDb) -> None:
    async with asyncio.timeout(10):
        while not await db.value("SELECT count(*) FROM pg_locks, pg_sleep(0.005) WHERE NOT granted"):
            pass


# ── many at once ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_concurrent_detaches_are_one_change(api: Client, db: CellDb, number: UUID, campaign: UUID) -> None:
    for round_number in range(1, 31):
        await put_on(db, number, campaign)

        replies = await asyncio.gather(*(api.delete(f"/v1/phone-numbers/{number}/campaign") for _ in range(4)))

        assert {(reply.status, reply.data["campaign_id"]) for reply in replies} == {(200, None)}
        assert await generation(db, number) == 1 + round_number
        assert len(await event_rows(db, number)) == round_number
        assert len(await audit_rows(db, number)) == round_number


async def test_attaches_racing_detaches_leave_one_consistent_history(
    api: Client, db: CellDb, account: Account, number: UUID, campaign: UUID
) -> None:
    """One generation, one event and one audit row for each change, and the audit rows are one path to the end."""
    campaigns = [campaign, await insert_campaign(db, account.org_id), await insert_campaign(db, account.org_id)]
    attaches = [("POST", {"campaign_id": str(campaign)}) for campaign in campaigns]
    path = f"/v1/phone-numbers/{number}/campaign"

    requests = [*attaches, ("DELETE", None), ("DELETE", None)] * 6
    for _ in range(25):
        replies = await asyncio.gather(*(api.request(method, path, body) for method, body in requests))
        assert {reply.status for reply in replies} == {200}

    final = (await api.get(f"/v1/phone-numbers/{number}")).data
    changes = await generation(db, number) - 1
    events, audits = await event_rows(db, number), await audit_rows(db, number)
    assert len(events) == len(audits) == changes
    assert balance(audits) == path_from_none_to(final["campaign_id"])
    shown = [data["campaign_id"] for _, data in events]
    assert shown[-1] == final["campaign_id"]
    assert all(before != after for before, after in itertools.pairwise([None, *shown]))
    moments = [data["updated_at"] for _, data in events]
    assert moments == sorted(moments), "a later change never carries an earlier time"
    assert final["updated_at"] == moments[-1]


def balance(audits: list[tuple[str, Any]]) -> Counter[str | None]:
    """Arrivals minus departures of every campaign, as the audit log has them; zeros left out."""
    counted: Counter[str | None] = Counter()
    for action, payload in audits:
        is_attach = action == "phone_number.campaign.attach"
        counted[payload["campaign_id"] if is_attach else None] += 1
        counted[payload["replaced_campaign_id"] if is_attach else payload["campaign_id"]] -= 1
    return Counter({name: count for name, count in counted.items() if count})


def path_from_none_to(end: str | None) -> Counter[str | None]:
    """The balance of any history that begins without a campaign and ends on this one."""
    return Counter() if end is None else Counter({end: 1, None: -1})


# ── get ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("getPhoneNumber", 200)
async def test_200_a_number_is_shown_with_all_its_keys(api: Client, number: UUID) -> None:
    reply = await api.get(f"/v1/phone-numbers/{number}")

    assert reply.status == 200
    assert set(reply.json) == {"success", "data"}
    assert set(reply.data) == RESOURCE_KEYS
    assert (reply.data["id"], reply.data["number"], reply.data["number_type"]) == (str(number), NUMBER, "local")
    for name in ("inbound_url", "status_url", "label", "campaign_id", "carrier_line_option_status"):
        assert reply.data[name] is None
    assert (reply.data["sms_enabled"], reply.data["mms_enabled"]) == (True, True)


@pytest.mark.parametrize("state", ["ordering", "quarantined", "assigned to a stranger", "nothing"])
@pytest.mark.covers("getPhoneNumber", 404)
@pytest.mark.covers("getCarrierLineOption", 404)
@pytest.mark.covers("updatePhoneNumber", 404)
async def test_404_only_an_assigned_number_of_ones_own_is_found(
    state: str, api: Client, db: CellDb, account: Account, stranger: Account
) -> None:
    owner = stranger if state == "assigned to a stranger" else account
    some_id = await add_number(db, owner.org_id, NUMBER) if state != "nothing" else NOWHERE
    if state in ("ordering", "quarantined"):
        await move(db, some_id, state)

    replies = [
        await api.get(f"/v1/phone-numbers/{some_id}"),
        await api.get(f"/v1/phone-numbers/{some_id}/carrier-line-option"),
        await api.patch(f"/v1/phone-numbers/{some_id}", {"label": "x"}),
    ]

    assert {(reply.status, reply.error["code"], reply.error["message"]) for reply in replies} == {
        (404, "NOT_FOUND", "not found")
    }


# ── list ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def add_numbers(db: CellDb, org_id: UUID, count: int) -> list[str]:
    """So many numbers, in the order in which the list shows them."""
    numbers = [f"+1415555{n:04d}" for n in range(200, 200 + count)]
    for number in numbers:
        await add_number(db, org_id, number)
    return numbers[::-1]


async def walk(api: Client, path: str) -> list[Any]:
    """Every row of a list, page by page."""
    rows: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        joint = "&" if "?" in path else "?"
        reply = await api.get(path + (f"{joint}cursor={cursor}" if cursor else ""))
        assert reply.status == 200, reply.json
        rows += reply.data
        cursor = reply.json["meta"]["next_cursor"]
    return rows


@pytest.mark.covers("listPhoneNumbers", 200)
async def test_200_numbers_are_listed_newest_first_and_only_ones_own_assigned_ones(
    api: Client, db: CellDb, account: Account, stranger: Account
) -> None:
    numbers = await add_numbers(db, account.org_id, 7)
    await add_number(db, stranger.org_id, "+14155550301")
    await move(db, await add_number(db, account.org_id, "+14155550302"), "quarantined")
    await move(db, await add_number(db, account.org_id, "+14155550303"), "ordering")

    reply = await api.get("/v1/phone-numbers?limit=3")

    assert [row["number"] for row in reply.data] == numbers[:3]
    assert all(set(row) == RESOURCE_KEYS for row in reply.data)
    meta = reply.json["meta"]
    assert (meta["total"], meta["limit"], meta["offset"], meta["last_event_at"]) == (0, 3, 0, None)
    assert [row["number"] for row in await walk(api, "/v1/phone-numbers?limit=3")] == numbers


@pytest.mark.covers("listPhoneNumbers", 200)
async def test_200_paging_by_offset_returns_the_real_total(api: Client, db: CellDb, account: Account) -> None:
    numbers = await add_numbers(db, account.org_id, 5)

    reply = await api.get("/v1/phone-numbers?limit=2&offset=2")

    assert [row["number"] for row in reply.data] == numbers[2:4]
    assert (reply.json["meta"]["total"], reply.json["meta"]["offset"]) == (5, 2)
    beyond = await api.get("/v1/phone-numbers?offset=9")
    assert (beyond.data, beyond.json["meta"]["total"], beyond.json["meta"]["next_cursor"]) == ([], 5, None)


@pytest.mark.covers("listPhoneNumbers", 200)
async def test_200_filters_narrow_the_list(api: Client, db: CellDb, account: Account, campaign: UUID) -> None:
    numbers = await add_numbers(db, account.org_id, 4)
    await db.run("UPDATE phone_numbers SET number_type = 'toll_free' WHERE number = $1", numbers[0])
    await db.run("UPDATE phone_numbers SET campaign_id = $2 WHERE number = $1", numbers[1], campaign)
    await db.run("UPDATE phone_numbers SET label = 'Support Line' WHERE number = $1", numbers[2])

    async def found(query: str) -> list[str]:
        return [row["number"] for row in await walk(api, f"/v1/phone-numbers?{query}")]

    assert await found("number_type=toll_free") == numbers[:1]
    assert await found(f"campaign_id={campaign}") == numbers[1:2]
    assert await found(f"campaign_id={NOWHERE}") == []
    assert await found("search=support") == numbers[2:3]
    assert await found(f"search={numbers[3][-5:]}") == numbers[3:]
    assert await found("search=%25") == []
    assert await found("search=5550&limit=1") == numbers


@pytest.mark.covers("listPhoneNumbers", 200)
async def test_200_last_event_at_is_the_newest_phone_number_event_of_the_organization(
    api: Client, number: UUID, campaign: UUID
) -> None:
    attached = await api.post(f"/v1/phone-numbers/{number}/campaign", {"campaign_id": str(campaign)})

    meta = (await api.get("/v1/phone-numbers")).json["meta"]

    assert meta["last_event_at"] == attached.data["updated_at"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("offset=-1", "offset"),
        ("offset=1000001", "offset"),
        ("number_type=mobile", "number_type"),
        ("campaign_id=x", "campaign_id"),
        ("search=", "search"),
        ("search=%00", "search"),
        (f"search={'x' * 101}", "search"),
        ("cursor=x", "cursor"),
        ("search=x&offset=1", "offset"),
    ],
)
@pytest.mark.covers("listPhoneNumbers", 422)
async def test_422_a_list_query_that_cannot_be(query: str, field: str, api: Client) -> None:
    reply = await api.get(f"/v1/phone-numbers?{query}")

    assert (reply.status, reply.error["code"]) == (422, "VALIDATION_FAILED")
    assert set(reply.error["details"]) == {field}


@pytest.mark.covers("listPhoneNumbers", 422)
async def test_422_a_cursor_and_an_offset_exclude_each_other(api: Client, db: CellDb, account: Account) -> None:
    await add_numbers(db, account.org_id, 2)
    cursor = (await api.get("/v1/phone-numbers?limit=1")).json["meta"]["next_cursor"]

    reply = await api.get(f"/v1/phone-numbers?cursor={cursor}&offset=0")

    assert (reply.status, reply.error["details"]) == (422, {"offset": "must not be given with cursor"})


@pytest.mark.covers("listCampaignPhoneNumbers", 200)
async def test_200_a_campaigns_numbers_are_listed_page_by_page(
    api: Client, db: CellDb, account: Account, campaign: UUID
) -> None:
    numbers = await add_numbers(db, account.org_id, 5)
    await db.run("UPDATE phone_numbers SET campaign_id = $1 WHERE number <> $2", campaign, numbers[2])

    rows = await walk(api, f"/v1/campaigns/{campaign}/phone-numbers?limit=2")

    assert [row["number"] for row in rows] == numbers[:2] + numbers[3:]


@pytest.mark.covers("listCampaignPhoneNumbers", 404)
async def test_404_the_numbers_of_a_campaign_that_is_not_ones_own(api: Client, db: CellDb, stranger: Account) -> None:
    theirs = await insert_campaign(db, stranger.org_id)

    replies = [await api.get(f"/v1/campaigns/{some_id}/phone-numbers") for some_id in (NOWHERE, theirs)]

    assert [(reply.status, reply.error["code"]) for reply in replies] == [(404, "NOT_FOUND")] * 2


# ── patch ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("updatePhoneNumber", 200)
async def test_200_patch_changes_what_is_named_and_says_so_once(api: Client, db: CellDb, number: UUID) -> None:
    reply = await api.patch(
        f"/v1/phone-numbers/{number}", {"inbound_url": "https://a.example/in", "label": "support-line"}
    )

    assert reply.status == 200
    assert (reply.data["inbound_url"], reply.data["status_url"], reply.data["label"]) == (
        "https://a.example/in",
        None,
        "support-line",
    )
    assert (await api.get(f"/v1/phone-numbers/{number}")).data == reply.data
    assert await event_rows(db, number) == [("phone_number.updated", reply.data)]
    assert [action for action, _ in await audit_rows(db, number)] == ["phone_number.update"]


@pytest.mark.covers("updatePhoneNumber", 200)
async def test_200_patch_leaves_null_and_omitted_alone_and_empty_text_clears(api: Client, number: UUID) -> None:
    path = f"/v1/phone-numbers/{number}"
    full = {"inbound_url": "https://a.example/in", "status_url": "https://a.example/st", "label": "x"}
    await api.patch(path, full)

    kept = await api.patch(path, {"inbound_url": None, "campaign_id": None})
    cleared = await api.patch(path, {"inbound_url": "", "status_url": "", "label": ""})

    assert {name: kept.data[name] for name in full} == full
    assert {cleared.data[name] for name in full} == {None}


@pytest.mark.parametrize("body", [{}, {"label": None}, {"label": "x"}])
@pytest.mark.covers("updatePhoneNumber", 200)
async def test_200_a_patch_that_changes_nothing_writes_nothing(
    body: dict[str, Any], api: Client, db: CellDb, number: UUID
) -> None:
    path = f"/v1/phone-numbers/{number}"
    before = await api.patch(path, {"label": "x"})
    events, audits = await event_rows(db, number), await audit_rows(db, number)

    reply = await api.patch(path, body)

    assert (reply.status, reply.data) == (200, before.data)
    assert (await event_rows(db, number), await audit_rows(db, number)) == (events, audits)


@pytest.mark.covers("updatePhoneNumber", 200)
async def test_200_a_patch_with_a_campaign_attaches_it(api: Client, db: CellDb, number: UUID, campaign: UUID) -> None:
    reply = await api.patch(f"/v1/phone-numbers/{number}", {"label": "x", "campaign_id": str(campaign)})

    assert (reply.data["campaign_id"], reply.data["label"]) == (str(campaign), "x")
    assert [kind for kind, _ in await event_rows(db, number)] == [
        "phone_number.updated",
        "phone_number.campaign.attached",
    ]
    assert (await event_rows(db, number))[-1][1] == reply.data


@pytest.mark.parametrize("field", ["number", "id", "sms_enabled", "carrier_line_option_status", "x"])
@pytest.mark.covers("updatePhoneNumber", 400)
async def test_400_a_field_that_cannot_be_changed(field: str, api: Client, db: CellDb, number: UUID) -> None:
    rows = await everything(db)

    reply = await api.patch(f"/v1/phone-numbers/{number}", {field: "x", "label": "y"})

    assert (reply.status, reply.error["code"]) == (400, "INVALID_INPUT")
    assert reply.error["details"] == {field: "is not a known field"}
    assert await everything(db) == rows


@pytest.mark.parametrize(
    "unfit",
    [("EXPIRED", "VERIFIED", "CAMPAIGN_NOT_ACTIVE"), ("ACTIVE", "UNVERIFIED", "BRAND_NOT_VERIFIED")],
)
@pytest.mark.covers("updatePhoneNumber", 409)
async def test_409_a_patch_with_a_campaign_that_cannot_be_attached_changes_nothing_else(
    unfit: tuple[str, str, str], api: Client, db: CellDb, account: Account, number: UUID
) -> None:
    status, identity, code = unfit
    brand = await insert_brand(db, account.org_id, identity_status=identity)
    campaign = await insert_campaign(db, account.org_id, brand_id=brand, status=status)
    rows = await everything(db)

    reply = await api.patch(f"/v1/phone-numbers/{number}", {"label": "x", "campaign_id": str(campaign)})

    assert (reply.status, reply.error["code"]) == (409, code)
    assert {name: len(found) for name, found in (await everything(db)).items()} == {
        name: len(found) for name, found in rows.items()
    }
    assert (await api.get(f"/v1/phone-numbers/{number}")).data["label"] is None


@pytest.mark.covers("updatePhoneNumber", 404)
async def test_404_a_patch_with_a_campaign_that_is_not_ones_own(
    api: Client, db: CellDb, stranger: Account, number: UUID
) -> None:
    theirs = await insert_campaign(db, stranger.org_id)

    reply = await api.patch(f"/v1/phone-numbers/{number}", {"campaign_id": str(theirs)})

    assert (reply.status, reply.error["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"campaign_id": ""}, {"campaign_id"}),
        ({"inbound_url": "http://a.example"}, {"inbound_url"}),
        ({"inbound_url": "x", "status_url": 7, "label": "y" * 101}, {"inbound_url", "status_url", "label"}),
        ({"label": "a\x00b"}, {"label"}),
    ],
)
@pytest.mark.covers("updatePhoneNumber", 422)
async def test_422_a_patch_names_every_faulty_field(
    body: dict[str, Any], fields: set[str], api: Client, number: UUID
) -> None:
    reply = await api.patch(f"/v1/phone-numbers/{number}", body)

    assert (reply.status, reply.error["code"]) == (422, "VALIDATION_FAILED")
    assert set(reply.error["details"]) == fields


# ── the carrier side ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("getCarrierLineOption", 200)
async def test_200_the_line_option_shows_desired_and_observed_side_by_side(
    api: Client, db: CellDb, account: Account, number: UUID, campaign: UUID
) -> None:
    await put_on(db, number, campaign)
    other = await insert_campaign(db, account.org_id, tcr_campaign_id="CWANTED")
    await api.post(f"/v1/phone-numbers/{number}/campaign", {"campaign_id": str(other)})

    reply = await api.get(f"/v1/phone-numbers/{number}/carrier-line-option")

    assert reply.status == 200
    shown = reply.data
    assert (shown["phone_number_id"], shown["number"], shown["status"]) == (str(number), NUMBER, "pending")
    assert (shown["desired_campaign_id"], shown["desired_tcr_campaign_id"]) == (str(other), "CWANTED")
    assert (shown["observed_state"], shown["observed_tcr_campaign_id"]) == (
        "present",
        "C" + campaign.hex[-6:].upper(),
    )
    assert (shown["generation"], shown["applied_generation"], shown["attempts"]) == (2, 1, 0)
    assert (shown["can_send"], shown["reason"]) == (False, "The number is leaving another campaign first.")
    assert shown["next_attempt_at"] is not None
    assert (shown["last_error"], shown["carrier_order_id"], shown["transitions"]) == (None, None, [])


@pytest.mark.covers("getCarrierLineOption", 200)
async def test_200_the_line_option_shows_the_last_error_with_a_way_out_and_fifty_steps(
    api: Client, db: CellDb, account: Account, number: UUID, campaign: UUID
) -> None:
    await put_on(db, number, campaign)
    await db.run(
        """UPDATE line_options SET phase = 'blocked', trouble = 'capacity', error_code = '5095', error_text = 'full',
               attempts = 3, operators = '{"T-Mobile": "failed"}'"""
    )
    await db.run(
        """INSERT INTO line_option_transitions (phone_number_id, id, org_id, occurred_at, phase, generation, note)
           SELECT $1, lpad(to_hex(n), 32, '0')::uuid, $2, $3, 'binding', 1, 'step ' || n
           FROM generate_series(1, 60) n""",
        number,
        account.org_id,
        db.now,
    )

    shown = (await api.get(f"/v1/phone-numbers/{number}/carrier-line-option")).data

    assert (shown["status"], shown["phase"], shown["operators"]) == ("failed", "blocked", {"T-Mobile": "failed"})
    assert shown["last_error"] == {
        "trouble": "capacity",
        "carrier_code": "5095",
        "text": "full",
        "fix": "Detach another number from the campaign, or ask for a number pool.",
    }
    assert [step["note"] for step in shown["transitions"]] == [f"step {n}" for n in range(60, 10, -1)]
