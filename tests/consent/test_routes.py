"""Consents over HTTP: every status, the evidence that is kept, what repeats change, and what is told."""

import asyncio
import hashlib
import json
from datetime import timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from msgspec import Raw

from agentmessage.consent import bulk, operations
from agentmessage.consent.model import Source, Suppression
from agentmessage.kernel.db import CellDb, Tx
from tests.conftest import NOWHERE, Client
from tests.consent.conftest import AGREEMENT, CONTACT, ConsentHarness
from tests.make.accounts import Account
from tests.make.numbers import insert_number

RECORD_KEYS = {
    "id", "org_id", "phone_number_id", "contact_number", "opted_in", "opted_in_at", "opted_out_at", "source",
    "consent_method", "suppressed_by", "opted_out_number", "opt_out_scope", "created_at", "updated_at",
}  # fmt: skip
ENTRY_KEYS = {
    "id", "consent_id", "event", "keyword", "source", "raw_event_id", "occurred_at", "recorded_at", "evidence_ip",
    "evidence_user_agent", "evidence_agreement_text", "evidence_agreement_text_hash", "evidence_form_url",
    "evidence_consent_method",
}  # fmt: skip


async def stop(harness: ConsentHarness, by: Suppression = Suppression.KEYWORD, contact: str = CONTACT) -> bool:
    """The contact opts out."""
    source = Source.API if by is Suppression.REVOCATION else Source.INBOUND_REPLY
    async with harness.db.transaction() as tx:
        return await operations.opt_out(
            tx, harness.account.org_id, harness.number, contact, by=by, source=source, keyword="STOP"
        )


@pytest.mark.covers("captureAttestedConsent", 200)
async def test_200_an_attested_consent_is_a_bare_object_with_its_evidence_kept(harness: ConsentHarness) -> None:
    captured_at = harness.clock.moment - timedelta(days=3)

    made = await harness.capture(captured_at=captured_at.isoformat())

    record = (await harness.api.get(f"/v1/consent/{made['id']}")).data
    (entry,) = await harness.history(made["id"])
    digest = hashlib.sha256(AGREEMENT.encode()).hexdigest()
    assert made == {
        "id": made["consent_id"],
        "consent_id": made["id"],
        "agreement_text_hash": digest,
        "already_opted_in": False,
    }
    assert set(record) == RECORD_KEYS
    assert record["opted_in"] is True
    assert record["opted_in_at"] == captured_at.isoformat().replace("+00:00", "Z")
    assert (record["source"], record["consent_method"], record["suppressed_by"]) == ("api", "checkbox", None)
    assert set(entry) == ENTRY_KEYS
    assert (entry["event"], entry["source"], entry["keyword"]) == ("opt_in", "api", None)
    assert entry["evidence_ip"] == "203.0.113.7"
    assert entry["evidence_user_agent"] == "Mozilla/5.0"
    assert entry["evidence_agreement_text"] == AGREEMENT
    assert entry["evidence_agreement_text_hash"] == digest
    assert entry["evidence_form_url"] == "https://acme.example/book"
    assert entry["evidence_consent_method"] == "checkbox"
    assert await harness.facts() == [("contact.opted_in", UUID(made["id"]))]


@pytest.mark.covers("captureAttestedConsent", 200)
async def test_200_a_second_attestation_answers_the_first_and_changes_nothing(harness: ConsentHarness) -> None:
    first = await harness.capture()
    before = (await harness.api.get(f"/v1/consent/{first['id']}")).data

    second = await harness.capture(agreement_text="Something else.", consent_method="verbal")

    assert second == first | {"already_opted_in": True}
    assert (await harness.api.get(f"/v1/consent/{first['id']}")).data == before
    assert len(await harness.history(first["id"])) == 1
    assert len(await harness.facts()) == 1


async def test_what_is_not_known_of_the_evidence_may_be_empty_or_missing(harness: ConsentHarness) -> None:
    body = harness.body(ip_address="", user_agent="", form_url="", consent_method="written")
    bare = harness.body("+14155550124", consent_method="verbal")
    for field in ("ip_address", "user_agent", "form_url"):
        del bare["evidence"][field]
    del bare["opted_in"]

    replies = [await harness.api.post("/v1/consent", body) for body in (body, bare)]

    assert [reply.status for reply in replies] == [200, 200]
    for reply in replies:
        (entry,) = await harness.history(reply.json["id"])
        assert (entry["evidence_ip"], entry["evidence_user_agent"], entry["evidence_form_url"]) == (None, None, None)


async def test_two_attestations_of_one_pair_at_once_make_one_record(harness: ConsentHarness, db: CellDb) -> None:
    bodies = [harness.body(agreement_text=f"Agreement {index}.") for index in range(8)]

    replies = await asyncio.gather(*(harness.api.post("/v1/consent", body) for body in bodies))

    assert [reply.status for reply in replies] == [200] * 8
    assert len({reply.json["id"] for reply in replies}) == 1
    assert sum(not reply.json["already_opted_in"] for reply in replies) == 1
    assert await db.value("SELECT count(*) FROM consents") == 1
    assert await db.value("SELECT count(*) FROM consent_history") == 1
    assert len(await harness.facts()) == 1


@pytest.mark.covers("captureAttestedConsent", 404)
async def test_404_a_number_that_is_not_held_now(harness: ConsentHarness, db: CellDb, stranger: Account) -> None:
    theirs = await insert_number(db, stranger.org_id, "+14155550198")
    released = await insert_number(db, harness.account.org_id, "+14155550197", state="quarantined")

    replies = [
        await harness.api.post("/v1/consent", harness.body() | {"phone_number_id": str(one)})
        for one in (NOWHERE, theirs, released)
    ]

    assert [(reply.status, reply.error["code"]) for reply in replies] == [(404, "NOT_FOUND")] * 3
    assert await db.value("SELECT count(*) FROM consents") == 0


@pytest.mark.covers("captureAttestedConsent", 409)
@pytest.mark.parametrize("by", [Suppression.KEYWORD, Suppression.NATURAL_LANGUAGE, Suppression.CARRIER])
async def test_409_after_stop_no_attestation_counts_and_nothing_is_recorded(
    harness: ConsentHarness, by: Suppression
) -> None:
    made = await harness.capture()
    await stop(harness, by)
    before = (await harness.api.get(f"/v1/consent/{made['id']}")).data
    harness.clock.moment += timedelta(days=1)

    reply = await harness.api.post("/v1/consent", harness.body())

    assert (reply.status, reply.error["code"]) == (409, "CONTACT_OPTED_OUT")
    assert (await harness.api.get(f"/v1/consent/{made['id']}")).data == before
    assert before["opted_in"] is False
    assert before["suppressed_by"] == by
    assert [entry["event"] for entry in await harness.history(made["id"])] == ["opt_out", "opt_in"]


@pytest.mark.covers("captureAttestedConsent", 409)
async def test_409_older_evidence_does_not_undo_a_revocation_and_newer_does(harness: ConsentHarness) -> None:
    made = await harness.capture()
    captured_before = harness.clock.moment.isoformat()
    await harness.api.delete(f"/v1/consent/{made['id']}")
    harness.clock.moment += timedelta(days=1)

    older = await harness.api.post("/v1/consent", harness.body(captured_at=captured_before))
    newer = await harness.api.post("/v1/consent", harness.body())

    assert (older.status, older.error["code"]) == (409, "CONTACT_OPTED_OUT")
    assert newer.json == made | {"already_opted_in": False}
    assert [entry["event"] for entry in await harness.history(made["id"])] == ["opt_in", "opt_out", "opt_in"]
    assert [kind for kind, _ in await harness.facts()] == ["contact.opted_in", "contact.opted_out", "contact.opted_in"]


@pytest.mark.covers("captureAttestedConsent", 422)
async def test_422_every_faulty_field_is_named(harness: ConsentHarness) -> None:
    shape = harness.body(agreement_text="", form_url="ftp://x", consent_method="guessed", user_agent="x" * 1025)
    shape |= {"contact_number": "4155550123"}
    del shape["evidence"]["captured_at"]
    beyond = harness.body(ip_address="300.1.1.1", captured_at=(harness.clock.moment + timedelta(minutes=6)).isoformat())
    beyond |= {"opted_in": False}

    wrong_shape, wrong_facts = [await harness.api.post("/v1/consent", body) for body in (shape, beyond)]

    assert wrong_shape.status == 422
    assert set(wrong_shape.error["details"]) == {
        "contact_number",
        "evidence.captured_at",
        "evidence.agreement_text",
        "evidence.form_url",
        "evidence.consent_method",
        "evidence.user_agent",
    }
    assert wrong_facts.status == 422
    assert set(wrong_facts.error["details"]) == {"opted_in", "evidence.ip_address", "evidence.captured_at"}


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00"])
async def test_a_time_that_cannot_be_is_refused(harness: ConsentHarness, moment: str) -> None:
    reply = await harness.api.post("/v1/consent", harness.body(captured_at=moment))

    assert reply.status == 422
    assert set(reply.error["details"]) == {"evidence.captured_at"}


async def test_a_clock_that_is_a_little_ahead_is_no_fault_and_nothing_is_in_the_future(harness: ConsentHarness) -> None:
    made = await harness.capture(captured_at=(harness.clock.moment + timedelta(minutes=4)).isoformat())

    record = (await harness.api.get(f"/v1/consent/{made['id']}")).data
    assert record["opted_in_at"] == record["created_at"]


@pytest.mark.covers("captureAttestedConsent", 429)
async def test_429_the_allowance_of_a_minute_is_shared_by_all_captures_and_grows_again(harness: ConsentHarness) -> None:
    bulk = {"records": [harness.body(f"+1415556{index:04}") for index in range(99)]}
    assert (await harness.api.post("/v1/consent/bulk", bulk)).data["accepted"] == 99
    await harness.capture()

    refused = await harness.api.post("/v1/consent", harness.body("+14155550124"))
    harness.clock.moment += timedelta(seconds=1)
    taken = await harness.api.post("/v1/consent", harness.body("+14155550124"))

    assert (refused.status, refused.error["code"], refused.headers["retry-after"]) == (429, "RATE_LIMITED", "1")
    assert taken.status == 200


@pytest.mark.covers("captureAttestedConsentBulk", 429)
async def test_429_a_batch_takes_all_its_records_from_the_minute_or_none(harness: ConsentHarness) -> None:
    first = {"records": [harness.body(f"+1415556{index:04}") for index in range(60)]}
    second = {"records": [harness.body(f"+1415557{index:04}") for index in range(60)]}
    assert (await harness.api.post("/v1/consent/bulk", first)).status == 200

    refused = await harness.api.post("/v1/consent/bulk", second)
    smaller = await harness.api.post("/v1/consent/bulk", {"records": second["records"][:40]})

    assert (refused.status, refused.error["code"]) == (429, "RATE_LIMITED")
    assert 10 <= int(refused.headers["retry-after"]) <= 13
    assert smaller.data["accepted"] == 40
    assert (await harness.api.post("/v1/consent", harness.body())).status == 429


@pytest.mark.covers("captureAttestedConsentBulk", 200)
async def test_200_each_record_of_a_batch_stands_alone(harness: ConsentHarness, db: CellDb, stranger: Account) -> None:
    theirs = await insert_number(db, stranger.org_id, "+14155550198")
    await stop(harness, contact="+14155550140")
    records = [
        harness.body("+14155550130"),
        harness.body("not a number"),
        harness.body("+14155550131") | {"phone_number_id": str(theirs)},
        "not a record",
        harness.body("+14155550140"),
        harness.body("+14155550130", agreement_text="The same pair again."),
        harness.body("+14155550132", ip_address="nowhere"),
        harness.body("+14155550133") | {"extra": 1},
        harness.body("+14155550134"),
    ]

    result = (await harness.api.post("/v1/consent/bulk", {"records": records})).data

    assert result["accepted"] == 3
    assert [(one["index"], one["code"]) for one in result["rejected"]] == [
        (1, "VALIDATION_FAILED"),
        (2, "NOT_FOUND"),
        (3, "VALIDATION_FAILED"),
        (4, "CONTACT_OPTED_OUT"),
        (6, "VALIDATION_FAILED"),
        (7, "VALIDATION_FAILED"),
    ]
    assert result["rejected"][0]["details"] == {"contact_number": "must be E.164"}
    assert result["rejected"][1]["details"] is None
    contacts = await db.all(str, "SELECT contact_number FROM consents WHERE opted_in ORDER BY 1")
    assert contacts == ["+14155550130", "+14155550134"]
    assert await db.value("SELECT count(*) FROM consent_history WHERE event = 'opt_in'") == 2


class Counted:
    """A transaction that counts its statements."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx
        self.now = tx.now
        self.statements = 0

    def __getattr__(self, name: str) -> Any:
        self.statements += 1
        return getattr(self.tx, name)


async def test_a_thousand_records_are_a_few_statements(harness: ConsentHarness) -> None:
    records = [Raw(json.dumps(harness.body(f"+1415556{index:04}")).encode()) for index in range(1000)]
    batch = bulk.read(records, harness.db.now)

    async with harness.db.transaction() as tx:
        counted = Counted(tx)
        result = await bulk.capture(cast("Tx", counted), harness.account.tenant, batch)

    assert (result.accepted, result.rejected) == (1000, [])
    assert await harness.db.value("SELECT count(*) FROM consents WHERE opted_in") == 1000
    assert await harness.db.value("SELECT count(*) FROM consent_history") == 1000
    assert len(set(await harness.facts())) == 1000
    assert counted.statements <= 7


@pytest.mark.covers("captureAttestedConsentBulk", 422)
@pytest.mark.parametrize("count", [0, 101, 1001])
async def test_422_a_batch_that_is_empty_or_larger_than_the_whole_minute(harness: ConsentHarness, count: int) -> None:
    reply = await harness.api.post("/v1/consent/bulk", {"records": [harness.body()] * count})

    assert (reply.status, reply.error["code"]) == (422, "VALIDATION_FAILED")
    assert set(reply.error["details"]) == {"records"}


async def test_a_batch_may_have_eight_mebibytes(harness: ConsentHarness) -> None:
    records = [harness.body(f"+1415556{index:04}", agreement_text="ж" * 4000) for index in range(100)]
    body = json.dumps({"records": records})
    json_type = {"content-type": "application/json"}

    whole = await harness.api.request(
        "POST", "/v1/consent/bulk", content=body.ljust(8 * 1024 * 1024).encode(), headers=json_type
    )
    too_long = await harness.api.request(
        "POST", "/v1/consent/bulk", content=body.ljust(8 * 1024 * 1024 + 1).encode(), headers=json_type
    )

    assert whole.data["accepted"] == 100
    assert (too_long.status, too_long.error["code"]) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.covers("listConsent", 200)
async def test_200_the_list_is_most_recently_updated_first_and_pages_without_gaps(harness: ConsentHarness) -> None:
    await harness.api.post("/v1/consent/bulk", {"records": [harness.body(f"+1415556{i:04}") for i in range(7)]})
    oldest = (await harness.api.get("/v1/consent?contact_number=%2B14155560003")).data[0]
    await harness.api.delete(f"/v1/consent/{oldest['id']}")

    seen, path = [], "/v1/consent?limit=3"
    while True:
        page = (await harness.api.get(path)).json
        seen += page["data"]
        if page["meta"]["next_cursor"] is None:
            break
        path = f"/v1/consent?limit=3&cursor={page['meta']['next_cursor']}"

    assert seen[0]["contact_number"] == "+14155560003"
    assert len(seen) == len({one["id"] for one in seen}) == 7
    assert [one["updated_at"] for one in seen] == sorted((one["updated_at"] for one in seen), reverse=True)


async def test_the_filters_of_the_list_all_hold(harness: ConsentHarness, db: CellDb) -> None:
    other = await insert_number(db, harness.account.org_id, "+14155550196")
    first = await harness.capture("+14155550130")
    await harness.capture("+14155550131", consent_method="written")
    harness.clock.moment += timedelta(hours=1)
    since = harness.clock.moment.isoformat().replace("+00:00", "Z")
    await harness.api.post("/v1/consent", harness.body("+14155550130") | {"phone_number_id": str(other)})
    await harness.api.delete(f"/v1/consent/{first['id']}")

    async def count(query: str) -> int:
        return len((await harness.api.get(f"/v1/consent?{query}")).data)

    assert await count("contact_number=%2B14155550130") == 2
    assert await count(f"phone_number_id={other}") == 1
    assert await count("opted_in=true") == 2
    assert await count("opted_in=false") == 1
    assert await count("consent_method=written") == 1
    assert await count(f"since={since}") == 2
    assert await count(f"contact_number=%2B14155550130&opted_in=true&phone_number_id={harness.number}") == 0


@pytest.mark.covers("listConsent", 422)
@pytest.mark.parametrize(
    "query",
    ["limit=101", "limit=0", "opted_in=yes", "since=yesterday", "consent_method=x", "phone_number_id=1", "cursor=x"],
)
async def test_422_a_faulty_filter_is_named(harness: ConsentHarness, query: str) -> None:
    reply = await harness.api.get(f"/v1/consent?{query}")

    assert reply.status == 422
    assert set(reply.error["details"]) == {query.partition("=")[0]}


@pytest.mark.covers("getConsent", 200)
async def test_200_one_consent_is_read_as_listed(harness: ConsentHarness) -> None:
    made = await harness.capture()

    one, listed = (await harness.api.get(f"/v1/consent/{made['id']}")).data, (await harness.api.get("/v1/consent")).data

    assert [one] == listed


@pytest.mark.covers("getConsent", 404)
@pytest.mark.covers("listConsentHistory", 404)
@pytest.mark.covers("revokeConsent", 404)
async def test_404_a_strangers_consent_is_nothing(harness: ConsentHarness, app: object, stranger: Account) -> None:
    made = await harness.capture()
    theirs = Client(app, stranger.key)

    replies = [
        await theirs.get(f"/v1/consent/{made['id']}"),
        await theirs.get(f"/v1/consent/{made['id']}/history"),
        await theirs.delete(f"/v1/consent/{made['id']}"),
        await theirs.get(f"/v1/consent/{NOWHERE}"),
    ]

    assert [(reply.status, reply.error["message"]) for reply in replies] == [(404, "not found")] * 4
    assert (await theirs.get("/v1/consent")).data == []
    assert (await harness.api.get(f"/v1/consent/{made['id']}")).data["opted_in"] is True


@pytest.mark.covers("getConsent", 400)
@pytest.mark.covers("listConsentHistory", 400)
@pytest.mark.covers("revokeConsent", 400)
async def test_400_an_id_must_be_a_uuid(harness: ConsentHarness) -> None:
    replies = [
        await harness.api.get("/v1/consent/x"),
        await harness.api.get("/v1/consent/x/history"),
        await harness.api.delete("/v1/consent/x"),
    ]

    assert [(reply.status, reply.error["details"]) for reply in replies] == [(400, {"id": "must be a UUID"})] * 3


@pytest.mark.covers("listConsentHistory", 200)
async def test_200_the_history_is_newest_first_and_pages(harness: ConsentHarness) -> None:
    made = await harness.capture()
    for _ in range(3):
        await harness.api.delete(f"/v1/consent/{made['id']}")
        harness.clock.moment += timedelta(seconds=1)
        await harness.capture()

    pages, path = [], f"/v1/consent/{made['id']}/history?limit=2"
    while path:
        page = (await harness.api.get(path)).json
        pages += page["data"]
        cursor = page["meta"]["next_cursor"]
        path = f"/v1/consent/{made['id']}/history?limit=2&cursor={cursor}" if cursor else ""

    assert [entry["event"] for entry in pages] == ["opt_in", "opt_out"] * 3 + ["opt_in"]
    assert {entry["consent_id"] for entry in pages} == {made["id"]}


@pytest.mark.covers("listConsentHistory", 422)
async def test_422_a_history_has_pages_of_at_most_a_hundred(harness: ConsentHarness) -> None:
    made = await harness.capture()

    reply = await harness.api.get(f"/v1/consent/{made['id']}/history?limit=101")

    assert (reply.status, set(reply.error["details"])) == (422, {"limit"})


@pytest.mark.covers("revokeConsent", 200)
async def test_200_a_revocation_is_a_bare_record_one_entry_one_fact_and_one_audit_row(
    harness: ConsentHarness, db: CellDb, account: Account
) -> None:
    made = await harness.capture()

    first = await harness.api.delete(f"/v1/consent/{made['id']}")
    second = await harness.api.delete(f"/v1/consent/{made['id']}")

    assert first.status == second.status == 200
    assert first.json == second.json
    assert set(first.json) == RECORD_KEYS
    assert (first.json["opted_in"], first.json["source"], first.json["suppressed_by"]) == (False, "api", "revocation")
    assert first.json["opted_out_at"] is not None
    assert [entry["event"] for entry in await harness.history(made["id"])] == ["opt_out", "opt_in"]
    assert [kind for kind, _ in await harness.facts()] == ["contact.opted_in", "contact.opted_out"]
    audited = await db.all(
        str, "SELECT action FROM audit_log WHERE org_id = $1 AND action LIKE 'consent%'", account.org_id
    )
    assert audited == ["consent.revoke"]
    waiting = await db.value("SELECT arguments->>'resource_id' FROM jobs WHERE kind = 'messages.cancel_opted_out'")
    assert waiting == made["id"]


async def test_an_idempotency_key_repeats_the_answer_and_does_nothing(harness: ConsentHarness) -> None:
    key = {"idempotency-key": str(uuid4())}
    body = harness.body()

    first = await harness.api.post("/v1/consent", body, headers=key)
    again = await harness.api.post("/v1/consent", body, headers=key)

    assert first.json["already_opted_in"] is again.json["already_opted_in"] is False
    assert first.json == again.json
    assert len(await harness.history(first.json["id"])) == 1
