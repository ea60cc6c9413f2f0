"""Every refusal of the law over the API: its code and status, what it tells, and that nothing is written."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import LiteralString
from uuid import UUID

import pytest

from agentmessage.compliance.errors import (
    ConsentRequired,
    ConsentStale,
    FrequencyCapExceeded,
    LineTypeBlocked,
    QuietHours,
    RecipientOptedOut,
    SenderNotRegistered,
)
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.errors import ApiError
from agentmessage.kernel.ids import new_id
from tests.compliance.test_preflight import asking, bind_profile
from tests.conftest import Client
from tests.make.accounts import Account
from tests.make.texts import CONTACT, Sender, insert_consent, insert_sender, set_throughput

ALL_DAY = {"quiet_hours_start_minute": 0, "quiet_hours_end_minute": 1439}

Arrange = Callable[[CellDb, Account, Sender], Awaitable[None]]


async def unregistered(db: CellDb, account: Account, sender: Sender) -> None:
    await insert_consent(db, account.tenant, sender)
    await db.run("UPDATE campaigns SET is_suspended = true WHERE id = $1", sender.campaign_id)


async def opted_out(db: CellDb, account: Account, sender: Sender) -> None:
    await insert_consent(db, account.tenant, sender, opted_in=False, suppressed_by="keyword")


async def never_asked(db: CellDb, account: Account, sender: Sender) -> None:
    assert await db.value("SELECT count(*) FROM consents WHERE org_id = $1", account.org_id) == 0
    assert sender.campaign_id is not None


async def agreed_long_ago(db: CellDb, account: Account, sender: Sender) -> None:
    await insert_consent(db, account.tenant, sender, opted_in_at=db.now - timedelta(days=31))
    await bind_profile(
        db,
        account.org_id,
        "phone_number",
        sender.id,
        consent_freshness_disabled=False,
        consent_freshness_max_age_days=30,
    )


async def on_a_fixed_line(db: CellDb, account: Account, sender: Sender) -> None:
    await insert_consent(db, account.tenant, sender)
    await look_up(db, account, age=timedelta(days=89))


async def asleep(db: CellDb, account: Account, sender: Sender) -> None:
    await insert_consent(db, account.tenant, sender)
    await bind_profile(
        db, account.org_id, "campaign", sender.campaign_id,
        quiet_hours_disabled=False, quiet_hours_mode="reject", **ALL_DAY,
    )  # fmt: skip


async def texted_often(db: CellDb, account: Account, sender: Sender) -> None:
    await insert_consent(db, account.tenant, sender)
    await bind_profile(
        db, account.org_id, "use_case_default", account.org_id,
        freq_cap_disabled=False, freq_cap_window_minutes=60, freq_cap_max_in_window=1,
    )  # fmt: skip
    await texted_at(db, account, account.org_id)


async def texted_at(db: CellDb, account: Account, scope_id: UUID) -> None:
    """CONTACT was texted just now, as the counter of a scope has it."""
    await db.run(
        """INSERT INTO contact_send_history (org_id, contact_number, history)
           VALUES ($1, $2, json_build_object('sent', json_build_object(
               $3::uuid, ARRAY[(extract(epoch FROM $4::timestamptz) * 1000)::bigint])))""",
        account.org_id,
        CONTACT,
        scope_id,
        db.now,
    )


REFUSALS: list[tuple[Arrange, type[ApiError], set[str]]] = [
    (unregistered, SenderNotRegistered, {"from"}),
    (opted_out, RecipientOptedOut, set()),
    (never_asked, ConsentRequired, set()),
    (agreed_long_ago, ConsentStale, {"to"}),
    (on_a_fixed_line, LineTypeBlocked, set()),
    (asleep, QuietHours, {"opens_at"}),
    (texted_often, FrequencyCapExceeded, {"resets_at"}),
]


def does(sql: LiteralString) -> Callable[[CellDb], Awaitable[int]]:
    return lambda db: db.run(sql)


CURES = [
    does("UPDATE phone_numbers SET state = 'assigned', line_option_status = 'pending'"),
    does("UPDATE phone_numbers SET line_option_status = 'propagated'"),
    does("UPDATE consents SET suppressed_by = NULL"),
    does("UPDATE consents SET opted_in = true, opted_in_at = now() - interval '31 days'"),
    does("UPDATE consents SET opted_in_at = now()"),
    does("DELETE FROM lookups"),
    does("UPDATE guardrail_profiles SET quiet_hours_disabled = true, updated_at = now()"),
    does("DELETE FROM contact_send_history"),
    does("UPDATE wallets SET balance_microcents = 10000000"),
    does("UPDATE send_accounts SET refilled_at = now() - interval '1 hour'"),
]
"""What puts one reason after the other right, in the contract's order."""


async def look_up(db: CellDb, account: Account, *, age: timedelta, line_type: str = "FIXED") -> None:
    """A lookup of CONTACT that was completed some time ago."""
    await db.run(
        """INSERT INTO lookups (id, org_id, account, phone_number, lookup_type, status, line_type, cost_cents,
                                requested_at, completed_at)
           VALUES ($1, $2, 'live', $3, 'advanced', 'complete', $4, 2, $5, $5)""",
        new_id(),
        account.org_id,
        CONTACT,
        line_type,
        db.now - age,
    )


@pytest.mark.parametrize(("arrange", "refusal", "details"), REFUSALS, ids=lambda part: getattr(part, "__name__", ""))
async def test_a_message_against_the_law_is_refused_and_leaves_no_trace(
    db: CellDb, api: Client, account: Account, *, arrange: Arrange, refusal: type[ApiError], details: set[str]
) -> None:
    sender = await insert_sender(db, account.tenant)
    await arrange(db, account, sender)

    reply = await api.post("/v1/messages", asking(sender))

    assert (reply.status, reply.error["code"]) == (refusal.status, refusal.code)
    assert set(reply.error.get("details", {})) == details
    assert await db.value("SELECT count(*) FROM messages") == 0
    assert await db.value("SELECT count(*) FROM message_queue") == 0
    assert await db.value("SELECT coalesce(sum(admitted_microcents), 0) FROM send_accounts") == 0


async def test_the_reasons_are_told_in_the_order_of_the_contract(db: CellDb, api: Client, account: Account) -> None:
    """Everything is wrong at first, and one thing after the other is put right."""
    sender = await insert_sender(db, account.tenant)
    await insert_consent(db, account.tenant, sender, opted_in=False, suppressed_by="keyword")
    await look_up(db, account, age=timedelta(days=1))
    await bind_profile(
        db, account.org_id, "phone_number", sender.id,
        quiet_hours_disabled=False, quiet_hours_mode="reject", **ALL_DAY,
        freq_cap_disabled=False, freq_cap_window_minutes=60, freq_cap_max_in_window=1,
        consent_freshness_disabled=False, consent_freshness_max_age_days=30,
    )  # fmt: skip
    await texted_at(db, account, sender.id)
    await db.run("UPDATE wallets SET balance_microcents = 0")
    await set_throughput(db, account.tenant, per_sec=1, per_min=1)
    await db.run("INSERT INTO send_accounts (org_id, refilled_at) VALUES ($1, $2)", account.org_id, db.now)
    await db.run("UPDATE phone_numbers SET state = 'quarantined'")
    told: list[str] = []

    for cure in CURES:
        reply = await api.post("/v1/messages", asking(sender))
        told.append(reply.error["code"])
        await cure(db)
    accepted = await api.post("/v1/messages", asking(sender))

    assert told == [
        "VALIDATION_FAILED",
        "SENDER_NOT_REGISTERED",
        "RECIPIENT_OPTED_OUT",
        "CONSENT_REQUIRED",
        "CONSENT_STALE",
        "LINE_TYPE_BLOCKED",
        "QUIET_HOURS",
        "FREQUENCY_CAP_EXCEEDED",
        "INSUFFICIENT_CREDIT",
        "RATE_LIMITED",
    ]
    assert accepted.status == 202


@pytest.mark.parametrize(
    ("age_days", "line_type", "status"), [(89, "FIXED", 422), (91, "FIXED", 202), (1, "MOBILE", 202), (1, "VOIP", 202)]
)
async def test_a_lookup_counts_for_ninety_days(
    db: CellDb, api: Client, account: Account, *, age_days: int, line_type: str, status: int
) -> None:
    sender = await insert_sender(db, account.tenant)
    await insert_consent(db, account.tenant, sender)
    await look_up(db, account, age=timedelta(days=age_days), line_type=line_type)

    assert (await api.post("/v1/messages", asking(sender))).status == status


async def test_of_several_lookups_the_newest_counts(db: CellDb, api: Client, account: Account) -> None:
    """A number that was ported to a mobile operator takes messages."""
    sender = await insert_sender(db, account.tenant)
    await insert_consent(db, account.tenant, sender)
    await look_up(db, account, age=timedelta(days=9))
    await look_up(db, account, age=timedelta(days=2), line_type="MOBILE")

    assert (await api.post("/v1/messages", asking(sender))).status == 202


@pytest.mark.parametrize(("age", "status"), [(timedelta(days=29, hours=23), 202), (timedelta(days=30, hours=1), 453)])
async def test_consent_is_stale_from_the_guardrails_age_on(
    db: CellDb, api: Client, account: Account, *, age: timedelta, status: int
) -> None:
    sender = await insert_sender(db, account.tenant)
    await agreed_long_ago(db, account, sender)
    await db.run("UPDATE consents SET opted_in_at = $1", db.now - age)

    assert (await api.post("/v1/messages", asking(sender))).status == status
