"""Preflight and sending ask the same rules: one says yes exactly when the other accepts."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from tests.conftest import Client
from tests.make.accounts import Account
from tests.make.texts import CONTACT, Sender, insert_consent, insert_sender, set_throughput

SETTINGS = (
    "quiet_hours_disabled",
    "quiet_hours_start_minute",
    "quiet_hours_end_minute",
    "quiet_hours_mode",
    "freq_cap_disabled",
    "freq_cap_window_minutes",
    "freq_cap_max_in_window",
    "consent_freshness_disabled",
    "consent_freshness_max_age_days",
    "autostamp_disabled",
    "autostamp_sender_id_text",
    "autostamp_cadence",
)


def asking(sender: Sender, **changes: Any) -> dict[str, Any]:
    return {"from": sender.number, "to": CONTACT, "text": "Acme: you are next.", **changes}


async def bind_profile(db: CellDb, org_id: UUID, scope_kind: str, scope_id: UUID, **columns: Any) -> None:
    """A guardrail profile on a scope; columns by name."""
    profile_id = new_id()
    await db.run(
        """INSERT INTO guardrail_profiles (id, org_id, name, quiet_hours_disabled, quiet_hours_start_minute,
               quiet_hours_end_minute, quiet_hours_mode, freq_cap_disabled, freq_cap_window_minutes,
               freq_cap_max_in_window, consent_freshness_disabled, consent_freshness_max_age_days, autostamp_disabled,
               autostamp_sender_id_text, autostamp_cadence, created_at, updated_at)
           VALUES ($1, $2, 'p', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $3, $3)""",
        profile_id,
        org_id,
        db.now,
        *(columns.get(name) for name in SETTINGS),
    )
    await db.run(
        """INSERT INTO guardrail_bindings (id, org_id, scope_kind, scope_id, profile_id, created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $6)""",
        new_id(),
        org_id,
        scope_kind,
        scope_id,
        profile_id,
        db.now,
    )


@pytest.mark.covers("preflightGuardrails", 200)
async def test_200_every_reason_is_told_not_only_the_first(db: CellDb, api: Client, account: Account) -> None:
    sender = await insert_sender(db, account.tenant, line_option_status="pending")
    await db.run("UPDATE wallets SET balance_microcents = 0 WHERE org_id = $1", account.org_id)

    reply = await api.post("/v1/guardrails/preflight", asking(sender))

    assert reply.data["can_submit"] is False
    blocked = [finding["code"] for finding in reply.data["findings"] if finding["severity"] == "block"]
    assert blocked == ["SENDER_NOT_REGISTERED", "CONSENT_REQUIRED", "INSUFFICIENT_CREDIT"]
    assert all(f["suggested_fix"] for f in reply.data["findings"] if f["severity"] == "block")
    assert await db.value("SELECT count(*) FROM messages") == 0


@pytest.mark.covers("preflightGuardrails", 404)
async def test_404_a_number_that_one_does_not_own(db: CellDb, api: Client, stranger: Account) -> None:
    theirs = await insert_sender(db, stranger.tenant)

    assert (await api.post("/v1/guardrails/preflight", asking(theirs))).status == 404


@pytest.mark.covers("preflightGuardrails", 422)
async def test_422_names_the_faulty_field(db: CellDb, api: Client, account: Account) -> None:
    sender = await insert_sender(db, account.tenant)

    reply = await api.post("/v1/guardrails/preflight", asking(sender, to="12"))

    assert (reply.status, reply.error["details"]) == (422, {"to": "must be E.164"})


async def test_quiet_hours_warn_where_the_message_may_wait_and_sending_then_schedules_it(
    db: CellDb, api: Client, account: Account
) -> None:
    sender = await insert_sender(db, account.tenant)
    await insert_consent(db, account.tenant, sender)
    local = (db.now - timedelta(hours=5)).hour * 60  # New York, give or take the summer
    await bind_profile(
        db,
        account.org_id,
        "phone_number",
        sender.id,
        quiet_hours_disabled=False,
        quiet_hours_start_minute=(local - 180) % 1440,
        quiet_hours_end_minute=(local + 300) % 1440,
        quiet_hours_mode="defer",
        autostamp_disabled=False,
        autostamp_sender_id_text="Acme Dental",
        autostamp_cadence="every",
    )

    preflight = (await api.post("/v1/guardrails/preflight", asking(sender))).data
    sent = (await api.post("/v1/messages", asking(sender))).data

    assert preflight["can_submit"] is True
    assert [f["severity"] for f in preflight["findings"] if f["check"] == "quiet_hours"] == ["warn"]
    assert sent["scheduled_at"] == preflight["would_be_sent_at"]
    assert sent["appended_text"] == preflight["appended_text"] == "\nAcme Dental"
    assert preflight["source_breakdown"]["quiet_hours"]["scope_kind"] == "phone_number"


SITUATIONS = st.fixed_dictionaries(
    {
        "wish": st.booleans(),
        "propagated": st.sampled_from(["propagated", "propagated", "pending", None]),
        "consent": st.sampled_from([None, "in", "in", "in", "old", "out", "keyword", "revocation"]),
        "line": st.sampled_from([None, None, "MOBILE", "FIXED"]),
        "quiet": st.sampled_from([None, None, "reject", "defer"]),
        "cap": st.sampled_from([None, 1, 2, 5]),
        "before": st.integers(min_value=0, max_value=3),
        "freshness": st.sampled_from([None, 30]),
        "cents": st.sampled_from([0, 1, 2, 10_000]),
        "per_min": st.sampled_from([1, 2, 1_000]),
        "text": st.sampled_from(["Acme: hi", "a" * 161, "ж" * 71]),
    }
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "text": st.sampled_from(["\u200b", "“hi”", None]),
        "media": st.lists(st.sampled_from(["url", "stored", "announced", "unknown", "foreign"]), max_size=2),
        "tag": st.sampled_from(["order 7421", None, "a\nb"]),
        "metadata": st.sampled_from([{"visit": "8841"}, None, {"": "x"}]),
        "priority": st.sampled_from(["high", "low", None, "urgent"]),
        "validity_s": st.sampled_from([60, 172_800, None, 59]),
        "scheduled_at": st.sampled_from([timedelta(minutes=2), timedelta(days=29), timedelta(seconds=5), None]),
        "smart_encoding": st.sampled_from([True, False, None]),
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(situation=SITUATIONS, given_=BODIES)
async def test_preflight_says_yes_exactly_when_sending_accepts(
    db: CellDb, api: Client, account: Account, stranger: Account, *, situation: dict[str, Any], given_: dict[str, Any]
) -> None:
    sender = await _arrange(db, account, situation)
    for _ in range(situation["before"]):
        await api.post("/v1/messages", asking(sender))
    body = asking(sender, **{"text": situation["text"], **given_})
    if given_.get("scheduled_at"):
        body["scheduled_at"] = (db.now + given_["scheduled_at"]).isoformat()
    if "media" in given_:
        body["media"] = [await _file(db, account, stranger, kind) for kind in given_["media"]]

    answer = await api.post("/v1/guardrails/preflight", body)
    sent = await api.post("/v1/messages", body)

    is_about_the_pair = body["text"] is None and not body.get("media")
    if answer.status != 200:
        assert (sent.status, sent.error["code"]) == (answer.status, answer.error["code"])
        if not is_about_the_pair:
            assert sent.error["details"] == answer.error["details"]
        return
    if is_about_the_pair:
        return
    preflight = answer.data
    assert preflight["can_submit"] == (sent.status == 202), (situation, preflight, sent.body)
    if sent.status == 202:
        assert preflight["segment_count"] == sent.data["segment_count"]
        assert preflight["cost_cents"] == sent.data["cost_cents"]
    else:
        first = next(f for f in preflight["findings"] if f["severity"] == "block")
        assert first["code"] == sent.error["code"]


async def _file(db: CellDb, account: Account, stranger: Account, kind: str) -> str:
    """What a media entry may be: an address, or an upload in one of its states."""
    if kind == "url":
        return "https://customer.example/a.png"
    media_id = new_id()
    if kind != "unknown":
        await db.run(
            """INSERT INTO media (id, org_id, mime_type, byte_size, state, object_key, created_at, expires_at,
                   stored_at)
               VALUES ($1, $2, 'image/png', 9, $3, $4, $5, $5::timestamptz + interval '1 day', $5)""",
            media_id,
            stranger.org_id if kind == "foreign" else account.org_id,
            "announced" if kind == "announced" else "stored",
            str(media_id),
            db.now,
        )
    return str(media_id)


@pytest.mark.covers("preflightGuardrails", 200)
async def test_200_an_unknown_file_is_a_reason_against_it(db: CellDb, api: Client, account: Account) -> None:
    sender = await insert_sender(db, account.tenant)
    await insert_consent(db, account.tenant, sender)

    preflight = (await api.post("/v1/guardrails/preflight", asking(sender, media=[str(new_id())]))).data

    assert preflight["can_submit"] is False
    (finding,) = [finding for finding in preflight["findings"] if finding["severity"] == "block"]
    assert (finding["check"], finding["code"], list(finding["details"])) == ("media", "VALIDATION_FAILED", ["media[0]"])


async def test_asking_about_a_file_keeps_it_no_longer(db: CellDb, api: Client, account: Account) -> None:
    sender = await insert_sender(db, account.tenant)
    media_id = await _file(db, account, account, "stored")

    await api.post("/v1/guardrails/preflight", asking(sender, media=[media_id]))

    assert await db.value("SELECT needed_until FROM media") is None


async def _arrange(db: CellDb, account: Account, situation: dict[str, Any]) -> Sender:
    """An organization of its own in this situation: the same account, wiped."""
    tenant = account.tenant
    await db.run("TRUNCATE messages, message_queue, contact_send_history, lookups, send_accounts, guardrail_bindings")
    await db.run("DELETE FROM phone_numbers")
    await db.run("DELETE FROM directory.inventory")
    sender = await insert_sender(db, tenant, line_option_status=situation["propagated"])
    if not situation["wish"]:
        await db.run("UPDATE phone_numbers SET campaign_id = NULL WHERE id = $1", sender.id)
    if (consent := situation["consent"]) is not None:
        given: dict[str, Any] = {"opted_in": consent in ("in", "old")}
        if consent == "old":
            given["opted_in_at"] = db.now - timedelta(days=100)
        if consent in ("keyword", "revocation"):
            given["suppressed_by"] = consent
        await insert_consent(db, tenant, sender, **given)
    if situation["line"]:
        await db.run(
            """INSERT INTO lookups (id, org_id, account, phone_number, lookup_type, status, line_type, cost_cents,
                                    requested_at, completed_at)
               VALUES ($1, $2, 'live', $3, 'advanced', 'complete', $4, 2, $5, $5)""",
            new_id(),
            tenant.org_id,
            CONTACT,
            situation["line"],
            db.now,
        )
    await bind_profile(
        db,
        tenant.org_id,
        "use_case_default",
        tenant.org_id,
        quiet_hours_disabled=situation["quiet"] is None,
        quiet_hours_start_minute=0,
        quiet_hours_end_minute=1439,
        quiet_hours_mode=situation["quiet"],
        freq_cap_disabled=situation["cap"] is None,
        freq_cap_window_minutes=60,
        freq_cap_max_in_window=situation["cap"],
        consent_freshness_disabled=situation["freshness"] is None,
        consent_freshness_max_age_days=situation["freshness"],
    )
    await db.run(
        "UPDATE wallets SET balance_microcents = $2, settled_microcents = 0 WHERE org_id = $1",
        tenant.org_id,
        situation["cents"] * 1_000_000,
    )
    await set_throughput(db, tenant, per_sec=1_000, per_min=situation["per_min"])
    return sender
