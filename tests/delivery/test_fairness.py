"""Who goes first: organizations in turn, campaigns in turn, and nobody faster than granted."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.delivery.dispatcher import IDLE_S, Rules
from agentmessage.delivery.queue_rotation import MOST_LANES
from agentmessage.delivery.rate_limits import rules as rate_limit_rules
from agentmessage.delivery.rate_limits.rules import Bucket, Lane, LaneFacts, Pace, shares
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from tests.delivery.harness import Smsc, admit, open_worker, ready_sender
from tests.make.accounts import Account
from tests.make.campaigns import insert_campaign
from tests.make.texts import insert_consent, insert_sender


def _order(smsc: Smsc) -> list[str]:
    """Who sent, in the order of arrival."""
    return [pdu.source for pdu in smsc.asked]


async def test_one_organization_s_long_queue_does_not_delay_another_s_one_text(
    db: CellDb, account: Account, stranger: Account
) -> None:
    busy = await ready_sender(db, account)
    await admit(db, account.tenant, busy, *(f"Acme: {number}" for number in range(200)))
    quiet = await ready_sender(db, stranger, "+14155550199")
    await admit(db, stranger.tenant, quiet, "Stranger: one.")
    async with open_worker(db, window=10) as (smsc, worker):
        await worker.turn()

    assert "14155550199" in _order(smsc)


async def test_many_campaigns_of_one_organization_count_as_one(db: CellDb, account: Account, stranger: Account) -> None:
    senders = [await ready_sender(db, account, f"+1415555{1000 + number}") for number in range(30)]
    for sender in senders:
        await admit(db, account.tenant, sender, "Acme: one.", "Acme: two.")
    quiet = await ready_sender(db, stranger, "+14155550199")
    await admit(db, stranger.tenant, quiet, *(f"Stranger: {number}" for number in range(30)))
    async with open_worker(db, window=20) as (smsc, worker):
        await worker.turn()

    assert Counter(source == "14155550199" for source in _order(smsc)) == {True: 10, False: 10}


async def test_every_campaign_has_its_turn_however_many_there_are(db: CellDb, account: Account) -> None:
    """More lanes than one look takes: the next look goes on from where the last one ended."""
    senders = [await ready_sender(db, account, f"+1415555{1000 + number}") for number in range(40)]
    for sender in senders:
        await admit(db, account.tenant, sender, *("Acme: again." for _ in range(5)))
    async with open_worker(db, window=10) as (smsc, worker):
        while len(smsc.asked) < 100:
            await worker.turn()

    assert len(set(_order(smsc))) >= 35


@pytest.mark.parametrize("count", [MOST_LANES, 2 * MOST_LANES])
async def test_a_round_that_ends_with_a_full_look_begins_anew(db: CellDb, account: Account, *, count: int) -> None:
    """Behind the last lane there is nothing left to find: the organization's first lane is next."""
    senders = [await ready_sender(db, account, f"+1415555{1000 + number}") for number in range(count)]
    async with open_worker(db) as (smsc, worker):
        for asked in range(1, 4):
            for sender in senders:
                await admit(db, account.tenant, sender, "Acme: again.")
            for _ in range(4):
                await worker.turn()
            assert len(smsc.asked) == asked * count

        assert await worker.turn() > 0


async def test_lanes_that_another_worker_has_emptied_do_not_keep_the_others_waiting(
    db: CellDb, account: Account
) -> None:
    """One look had no room for the last lane; by the next it is gone, and the round is over."""
    senders = [await ready_sender(db, account, f"+1415555{1000 + number}") for number in range(2)]
    first, last = sorted(senders, key=lambda sender: sender.campaign_id)
    await admit(db, account.tenant, first, "Acme: one.", "Acme: two.")
    (elsewhere,) = await admit(db, account.tenant, last, "Acme: three.")
    async with open_worker(db, window=1) as (smsc, worker):
        await worker.turn()
        await db.run("DELETE FROM message_queue WHERE message_id = $1", elsewhere.id)
        for _ in range(3):
            await worker.turn()

    assert len(smsc.asked) == 2


async def test_an_organization_whose_queue_another_worker_has_emptied_leaves_nobody_awake(
    db: CellDb, account: Account
) -> None:
    senders = [await ready_sender(db, account, f"+1415555{1000 + number}") for number in range(2)]
    for sender in senders:
        await admit(db, account.tenant, sender, "Acme: one.")
    async with open_worker(db, window=1) as (_, worker):
        await worker.turn()
        await db.run("DELETE FROM message_queue")
        await worker.turn()

        assert await worker.turn() > 0


async def test_a_round_does_not_rest_when_only_its_last_look_found_nothing_due(db: CellDb, account: Account) -> None:
    """The lanes of the first look have more; the seventeenth's texts are for later."""
    senders = [await ready_sender(db, account, f"+1415555{1000 + number}") for number in range(MOST_LANES + 1)]
    *due, last = sorted(senders, key=lambda sender: sender.campaign_id)
    for sender in due:
        await admit(db, account.tenant, sender, *("Acme: again." for _ in range(3)))
    await admit(db, account.tenant, last, "Acme: later.", scheduled_at=db.now + timedelta(hours=1))
    async with open_worker(db, window=MOST_LANES) as (_, worker):
        rests = [await worker.turn() for _ in range(7)]

    assert rests == [*[0.0] * 6, IDLE_S]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.integers(0, 300))
def test_shares_give_away_the_room_and_no_more(orgs: list[int], room: int) -> None:
    ids = [new_id() for _ in range(6)]
    lanes = [Lane(ids[org], new_id()) for org in orgs]

    found = shares(lanes, room)

    assert sum(found.values()) == room
    by_org = Counter[Any]()
    for lane, share in found.items():
        by_org[lane.org_id] += share
    totals = [by_org[ids[org]] for org in set(orgs)]
    assert max(totals) - min(totals) <= 1


@given(st.floats(1, 9000), st.lists(st.tuples(st.floats(0, 5), st.integers(1, 40)), max_size=200))
def test_no_minute_has_more_than_a_bucket_grants(per_min: float, asked: list[tuple[float, int]]) -> None:
    """Whatever is asked and when: within any sixty seconds at most the grant leaves, and one more text for a start."""
    pace, now, began = Pace(per_min), datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    bucket = Bucket("campaign", pace.capacity, now, None)
    gone: list[datetime] = []
    for pause_s, wanted in asked:
        now += timedelta(seconds=pause_s)
        tokens = bucket.at(pace, now)
        taken = 0
        while taken < wanted and tokens >= min(1.0, pace.capacity):
            tokens -= 1.0
            taken += 1
            gone.append(now)
        bucket = Bucket("campaign", tokens, now, None)
    for moment in gone:
        minute = [one for one in gone if moment <= one < moment + timedelta(seconds=60)]
        assert len(minute) <= max(per_min, 1.0) + 1
    assert now >= began


async def test_a_campaign_sends_no_faster_than_its_class_and_the_others_go_on(db: CellDb, account: Account) -> None:
    slow = await ready_sender(db, account)
    fast = await ready_sender(db, account, "+14155550199")
    await db.run(
        "UPDATE campaigns SET mno_metadata = $2 WHERE id = $1",
        slow.campaign_id,
        {"10017": {"msgClass": "T", "tpm": 75}},
    )
    await admit(db, account.tenant, slow, *(f"Acme: {number}" for number in range(50)))
    await admit(db, account.tenant, fast, *(f"Acme: {number}" for number in range(50)))
    async with open_worker(db) as (smsc, worker):
        waits = [await worker.turn() for _ in range(3)]

    sent = Counter(_order(smsc))
    assert sent["14155550199"] == 50
    assert sent["14155550123"] <= 4
    assert waits[-1] > 0


async def test_numbers_of_a_class_that_is_counted_by_number_are_paced_each_for_itself(
    db: CellDb, account: Account
) -> None:
    one = await ready_sender(db, account)
    other = await insert_sender(db, account.tenant, "+14155550199", campaign_id=one.campaign_id)
    await insert_consent(db, account.tenant, other)
    await db.run(
        "UPDATE campaigns SET mno_metadata = $2 WHERE id = $1", one.campaign_id, {"10017": {"msgClass": "N", "tpm": 60}}
    )
    for sender in (one, other):
        await admit(db, account.tenant, sender, *(f"Acme: {number}" for number in range(20)))
    async with open_worker(db) as (smsc, worker):
        for _ in range(3):
            await worker.turn()

    sent = Counter(_order(smsc))
    assert set(sent) == {"14155550123", "14155550199"}
    assert max(sent.values()) <= 3


async def test_a_number_sends_no_faster_than_the_operator_of_the_platform_allows(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    await admit(db, account.tenant, sender, *(f"Acme: {number}" for number in range(20)))
    async with open_worker(db, rules=Rules(max_segments_per_number_per_minute=60)) as (smsc, worker):
        for _ in range(3):
            await worker.turn()

    assert 1 <= len(smsc.asked) <= 3


async def test_the_carrier_account_s_own_limit_holds_for_all_lanes_together(db: CellDb, account: Account) -> None:
    for number in range(5):
        sender = await ready_sender(db, account, f"+1415555{1000 + number}")
        await admit(db, account.tenant, sender, *(f"Acme: {text}" for text in range(20)))
    async with open_worker(db, rules=Rules(max_segments_per_second=10)) as (smsc, worker):
        await worker.turn()

    assert len(smsc.asked) == 10


async def test_a_brand_that_has_used_up_its_day_at_t_mobile_waits_for_the_next(db: CellDb, account: Account) -> None:
    brand_campaign = await insert_campaign(db, account.org_id)
    sender = await ready_sender(db, account, campaign_id=brand_campaign)
    await db.run("UPDATE campaigns SET mno_metadata = $1", {"10035": {"brandTier": "LOW", "brandDailyCap": 3}})
    await admit(db, account.tenant, sender, *(f"Acme: {text}" for text in range(5)))
    async with open_worker(db, rules=Rules(daily_cap="all")) as (smsc, worker):
        await worker.turn()
        await worker.turn()

    assert len(smsc.asked) == 3
    midnight = rate_limit_rules.day_ends_at(db.now)
    assert await db.all(datetime.fromisoformat, "SELECT ready_at::text FROM message_queue") == [midnight, midnight]
    assert await db.value("SELECT segments FROM brand_daily_usage") == 3


async def test_the_cap_counts_only_whom_a_lookup_says_to_be_t_mobile_s(db: CellDb, account: Account) -> None:
    sender = await ready_sender(db, account)
    await insert_consent(db, account.tenant, sender, "+12125550177")
    await db.run("UPDATE campaigns SET mno_metadata = $1", {"10035": {"brandDailyCap": 1}})
    await db.run(
        """INSERT INTO lookups (id, org_id, phone_number, lookup_type, status, line_type, result, cost_cents,
                                requested_at, completed_at, account)
           VALUES ($1, $2, '+12125550177', 'advanced', 'complete', 'MOBILE', $3, 2, $4, $4, 'live')""",
        new_id(),
        account.org_id,
        {"messaging_provider": "T-Mobile USA, Inc."},
        db.now,
    )
    await admit(db, account.tenant, sender, "Acme: a", "Acme: b", "Acme: c")
    await admit(db, account.tenant, sender, "Acme: d", "Acme: e", to="+12125550177")
    async with open_worker(db) as (smsc, worker):
        await worker.turn()

    assert Counter(pdu.destination for pdu in smsc.asked) == {"12125550188": 3, "12125550177": 1}


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-03-08T12:00:00+00:00", "2026-03-09T07:00:00+00:00"),  # the day that has 23 hours
        ("2026-11-01T08:30:00+00:00", "2026-11-02T08:00:00+00:00"),  # the day that has 25
        ("2026-07-01T06:59:59+00:00", "2026-07-01T07:00:00+00:00"),
    ],
)
def test_the_day_ends_at_midnight_pacific(now: str, ends: str) -> None:
    assert rate_limit_rules.day_ends_at(datetime.fromisoformat(now)) == datetime.fromisoformat(ends)


def test_what_the_registry_does_not_say_is_not_limited() -> None:
    facts = LaneFacts(new_id(), None, new_id(), {"10017": {"mno": "AT&T"}})

    assert rate_limit_rules.paces(facts, "sms", number_per_min=0) == {}
    assert rate_limit_rules.paces(None, "sms", number_per_min=0) == {}
    assert rate_limit_rules.daily_cap(facts) is None


def test_media_have_a_pace_of_their_own() -> None:
    facts = LaneFacts(new_id(), None, new_id(), {"10017": {"msgClass": "E", "tpm": 240}})

    (sms,), (mms,) = (rate_limit_rules.paces(facts, channel, number_per_min=0).values() for channel in ("sms", "mms"))
    assert (sms.per_min, mms.per_min) == (240.0, 150.0)
