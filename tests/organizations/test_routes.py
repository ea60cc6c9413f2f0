"""GET|PATCH /v1/organization and GET /v1/audit-log: every status, and what each promises."""

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from agentmessage.billing import operations as billing
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.organizations import operations
from agentmessage.web.scopes import CUSTOMER_SCOPES
from tests.conftest import Client
from tests.make.accounts import Account, key_with, open_account
from tests.make.brands import insert_brand
from tests.make.campaigns import insert_campaign
from tests.make.rooms import RoomsApp

ORGANIZATION_KEYS = {
    "id",
    "name",
    "billing_email",
    "plan",
    "throughput_tier",
    "message_retention_days",
    "mms_retention_days",
    "is_reseller",
    "quiet_hours",
    "auto_replies",
    "opt_out_scope",
    "registration_status",
    "created_at",
}
ATTESTED = {"enabled": False, "attestation": "Our own desk answers STOP and HELP within a minute."}

OPERATIONS = [
    pytest.param("GET", "/v1/organization", "org:read", id="getOrganization"),
    pytest.param("PATCH", "/v1/organization", "org:admin:write", id="patchOrganization"),
    pytest.param("GET", "/v1/audit-log", "audit:read", id="listAuditLog"),
]


async def audit(api: Client, query: str = "") -> list[Any]:
    return list((await api.get(f"/v1/audit-log{query}")).data)


async def events_of(db: CellDb, account: Account) -> list[str]:
    return await db.all(
        str,
        "SELECT type FROM events WHERE org_id = $1 AND family = 'organization' ORDER BY created_at",
        account.org_id,
    )


@pytest.mark.covers("getOrganization", 200)
async def test_200_the_organization_prints_every_key_with_the_documented_defaults(
    api: Client, account: Account
) -> None:
    answer = await api.get("/v1/organization")

    assert answer.status == 200
    assert set(answer.data) == ORGANIZATION_KEYS
    assert answer.data["id"] == str(account.org_id)
    assert answer.data["plan"] == "payg"
    assert (answer.data["message_retention_days"], answer.data["mms_retention_days"]) == (90, 30)
    assert answer.data["quiet_hours"] == {"enabled": False, "start": "21:00", "end": "08:00", "mode": "reject"}
    assert answer.data["auto_replies"] == {
        "enabled": True,
        "stop_text": None,
        "help_text": None,
        "start_text": None,
    }
    assert answer.data["registration_status"] == {"brand": None, "brand_count": 0, "campaign_count": 0}


async def test_registration_status_counts_what_is_alive_and_only_ones_own(
    api: Client, db: CellDb, account: Account, stranger: Account
) -> None:
    await insert_brand(db, account.org_id, status="DELETED")
    brand = await insert_brand(db, account.org_id, status="ACTIVE")
    await insert_brand(db, account.org_id, status="PENDING", identity_status=None)
    await insert_campaign(db, account.org_id, brand_id=brand, status="ACTIVE")
    await insert_campaign(db, account.org_id, brand_id=brand, status="EXPIRED")
    await insert_campaign(db, stranger.org_id)

    answer = await api.get("/v1/organization")

    assert answer.data["registration_status"] == {"brand": "ACTIVE", "brand_count": 2, "campaign_count": 1}


async def test_a_query_parameter_that_nobody_knows_is_passed_over(api: Client) -> None:
    answer = await api.get("/v1/organization?expand=brands")

    assert answer.status == 200


@pytest.mark.covers("getOrganization", 401)
@pytest.mark.covers("patchOrganization", 401)
@pytest.mark.covers("listAuditLog", 401)
@pytest.mark.parametrize(("method", "path"), [parameters.values[:2] for parameters in OPERATIONS])
async def test_401_without_a_key_nothing_is_told(app: RoomsApp, method: str, path: str) -> None:
    answer = await Client(app).request(method, path, {} if method == "PATCH" else None)

    assert (answer.status, answer.error["code"]) == (401, "UNAUTHORIZED")


@pytest.mark.covers("getOrganization", 403)
@pytest.mark.covers("patchOrganization", 403)
@pytest.mark.covers("listAuditLog", 403)
@pytest.mark.parametrize(("method", "path", "scope"), OPERATIONS)
async def test_403_without_the_scope_nothing_is_done(
    app: RoomsApp, cells: Cells, method: str, path: str, scope: str
) -> None:
    account = await open_account(cells, scopes=sorted(set(CUSTOMER_SCOPES) - {scope}))
    client = Client(app, account.key)

    answer = await client.request(method, path, {} if method == "PATCH" else None)

    assert (answer.status, answer.error["code"]) == (403, "FORBIDDEN")


@pytest.mark.covers("patchOrganization", 200)
async def test_200_a_patch_changes_what_is_sent_and_keeps_the_rest(api: Client, db: CellDb, account: Account) -> None:
    answer = await api.patch(
        "/v1/organization",
        {
            "name": "Acme Dental",
            "billing_email": "billing@acme.example",
            "message_retention_days": 30,
            "quiet_hours": {"enabled": True, "mode": "defer"},
            "auto_replies": {"stop_text": "Bye."},
        },
    )

    assert answer.status == 200
    assert answer.data["name"] == "Acme Dental"
    assert answer.data["billing_email"] == "billing@acme.example"
    assert (answer.data["message_retention_days"], answer.data["mms_retention_days"]) == (30, 30)
    assert answer.data["quiet_hours"] == {"enabled": True, "start": "21:00", "end": "08:00", "mode": "defer"}
    assert answer.data["auto_replies"]["stop_text"] == "Bye."
    assert (await api.get("/v1/organization")).data == answer.data
    assert {row["action"] for row in await audit(api, "?resource_type=organization")} == {
        "organization.create",
        "organization.update",
        "retention.update",
        "auto_replies.update",
    }
    assert await events_of(db, account) == ["organization.updated"]


async def test_null_clears_the_billing_email_and_omission_keeps_it(api: Client) -> None:
    await api.patch("/v1/organization", {"billing_email": "billing@acme.example"})

    kept = await api.patch("/v1/organization", {"name": "Acme Two"})
    cleared = await api.patch("/v1/organization", {"billing_email": None})

    assert kept.data["billing_email"] == "billing@acme.example"
    assert cleared.data["billing_email"] is None


@pytest.mark.parametrize("body", [{}, {"name": "Acme"}, {"quiet_hours": {}}, {"auto_replies": {"enabled": True}}])
async def test_a_patch_that_changes_nothing_writes_nothing(
    api: Client, db: CellDb, account: Account, body: dict[str, Any]
) -> None:
    before = await audit(api)

    answer = await api.patch("/v1/organization", body)

    assert answer.status == 200
    assert await audit(api) == before
    assert await events_of(db, account) == []


@pytest.mark.covers("patchOrganization", 400)
async def test_400_a_patch_that_is_not_json_is_refused(api: Client) -> None:
    headers = {"content-type": "application/json"}

    answer = await api.request("PATCH", "/v1/organization", content=b'{"name":', headers=headers)

    assert (answer.status, answer.error["code"]) == (400, "INVALID_INPUT")


@pytest.mark.covers("patchOrganization", 413)
async def test_413_a_patch_over_a_mebibyte_is_refused(api: Client) -> None:
    answer = await api.patch("/v1/organization", {"name": "x" * 1_048_577})

    assert (answer.status, answer.error["code"]) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.covers("patchOrganization", 415)
async def test_415_a_patch_that_is_not_declared_as_json_is_refused(api: Client) -> None:
    answer = await api.patch("/v1/organization", {"name": "A"}, headers={"content-type": "text/plain"})

    assert (answer.status, answer.error["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.covers("patchOrganization", 422)
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a\u0000b"}, "name"),
        ({"billing_email": "nobody"}, "billing_email"),
        ({"billing_email": "a@acme.example\n"}, "billing_email"),
        ({"billing_email": "a@acme.example\r\n"}, "billing_email"),
        ({"billing_email": "a\x7f@acme.example"}, "billing_email"),
        ({"quiet_hours": {"start": "2:00\n"}}, "quiet_hours.start"),
        ({"message_retention_days": 29}, "message_retention_days"),
        ({"message_retention_days": 366}, "message_retention_days"),
        ({"message_retention_days": 30.5}, "message_retention_days"),
        ({"message_retention_days": None}, "message_retention_days"),
        ({"mms_retention_days": 0}, "mms_retention_days"),
        ({"is_reseller": "yes"}, "is_reseller"),
        ({"quiet_hours": None}, "quiet_hours"),
        ({"quiet_hours": {"start": "24:00"}}, "quiet_hours.start"),
        ({"quiet_hours": {"end": "8:00"}}, "quiet_hours.end"),
        ({"quiet_hours": {"mode": "drop"}}, "quiet_hours.mode"),
        ({"quiet_hours": {"end": "21:00"}}, "quiet_hours.end"),
        ({"auto_replies": {"stop_text": "x" * 321}}, "auto_replies.stop_text"),
        ({"auto_replies": {"help_text": "a\u0000"}}, "auto_replies.help_text"),
        ({"auto_replies": {"enabled": False, "attestation": ""}}, "auto_replies.attestation"),
        ({"plan": "gold"}, "plan"),
    ],
)
async def test_422_a_bad_field_is_named_and_nothing_is_changed(api: Client, body: dict[str, Any], field: str) -> None:
    before = (await api.get("/v1/organization")).data

    answer = await api.patch("/v1/organization", {"billing_email": "new@acme.example", **body})

    assert (answer.status, answer.error["code"]) == (422, "VALIDATION_FAILED")
    assert set(answer.error["details"]) == {field}
    assert (await api.get("/v1/organization")).data == before


@pytest.mark.covers("patchOrganization", 422)
async def test_422_all_faults_are_named_at_once(api: Client) -> None:
    answer = await api.patch("/v1/organization", {"name": 1, "mms_retention_days": 999, "quiet_hours": {"mode": "x"}})

    assert set(answer.error["details"]) == {"name", "mms_retention_days", "quiet_hours.mode"}


@pytest.mark.covers("patchOrganization", 422)
async def test_422_auto_replies_are_turned_off_only_with_an_attestation(api: Client) -> None:
    refused = await api.patch("/v1/organization", {"auto_replies": {"enabled": False}})
    blank = await api.patch("/v1/organization", {"auto_replies": {"enabled": False, "attestation": " \u00a0 "}})
    allowed = await api.patch("/v1/organization", {"auto_replies": ATTESTED})
    on_again = await api.patch("/v1/organization", {"auto_replies": {"enabled": True}})

    assert (refused.status, refused.error["code"]) == (422, "ATTESTATION_REQUIRED")
    assert (blank.status, blank.error["code"]) == (422, "ATTESTATION_REQUIRED")
    assert (allowed.status, allowed.data["auto_replies"]["enabled"]) == (200, False)
    assert (on_again.status, on_again.data["auto_replies"]["enabled"]) == (200, True)
    off_and_on = await audit(api, "?action=auto_replies.update&include=payload")
    assert [row["payload"]["after"]["enabled"] for row in off_and_on] == [True, False]
    assert off_and_on[1]["payload"]["attestation"] == ATTESTED["attestation"]


@pytest.mark.covers("patchOrganization", 422)
async def test_422_only_commercial_organizations_become_resellers(app: RoomsApp, cells: Cells) -> None:
    personal = Client(app, (await open_account(cells, is_commercial=False)).key)
    commercial = Client(app, (await open_account(cells)).key)

    refused = await personal.patch("/v1/organization", {"is_reseller": True})
    allowed = await commercial.patch("/v1/organization", {"is_reseller": True})

    assert (refused.status, refused.error["code"]) == (422, "RESELLER_NOT_ELIGIBLE")
    assert allowed.data["is_reseller"] is True


@pytest.mark.covers("patchOrganization", 422)
async def test_422_a_reseller_with_brands_stays_one(api: Client, db: CellDb, account: Account) -> None:
    await api.patch("/v1/organization", {"is_reseller": True})
    await insert_brand(db, account.org_id)

    refused = await api.patch("/v1/organization", {"is_reseller": False})
    await db.run("UPDATE brands SET status = 'DELETED' WHERE org_id = $1", account.org_id)
    allowed = await api.patch("/v1/organization", {"is_reseller": False})

    assert (refused.status, refused.error["code"]) == (422, "RESELLER_HAS_BRANDS")
    assert allowed.data["is_reseller"] is False


@pytest.mark.covers("listAuditLog", 200)
async def test_200_the_audit_log_tells_who_did_what_newest_first(api: Client, account: Account) -> None:
    changed = await api.patch("/v1/organization", {"name": "Acme Dental"})

    answer = await api.get("/v1/audit-log")

    newest = answer.data[0]
    assert answer.status == 200
    assert set(newest) == {
        "id",
        "occurred_at",
        "actor",
        "action",
        "resource",
        "reason",
        "request_id",
        "payload",
    }
    assert newest["action"] == "organization.update"
    assert newest["actor"] == {"kind": "customer", "label": f"api_key:{account.key_id} (test)"}
    assert newest["resource"] == {"type": "organization", "id": str(account.org_id)}
    assert newest["request_id"] == changed.headers["x-request-id"]
    assert newest["payload"] is None
    assert [row["occurred_at"] for row in answer.data] == sorted(
        (row["occurred_at"] for row in answer.data), reverse=True
    )


@pytest.mark.covers("listAuditLog", 200)
async def test_200_filters_of_the_audit_log_must_all_hold(api: Client, account: Account) -> None:
    await api.patch("/v1/organization", {"name": "Acme Dental"})
    renamed = (await audit(api))[0]
    at = quote(renamed["occurred_at"])

    assert [row["action"] for row in await audit(api, "?actor_kind=customer")] == ["organization.update"]
    assert {row["actor"]["label"] for row in await audit(api, "?actor_kind=platform")} == {"platform"}
    assert await audit(api, "?action=organization.update&actor_kind=platform") == []
    assert len(await audit(api, f"?resource_id={account.org_id}&action=organization.update")) == 1
    assert [row["id"] for row in await audit(api, f"?since={at}")] == [renamed["id"]]
    assert renamed["id"] not in [row["id"] for row in await audit(api, f"?until={at}")]
    payload = (await audit(api, "?action=organization.update&include=payload"))[0]["payload"]
    assert payload == {"before": {"name": "Acme"}, "after": {"name": "Acme Dental"}}


async def test_pages_of_the_audit_log_neither_skip_nor_repeat_while_rows_are_added(
    api: Client, db: CellDb, account: Account
) -> None:
    """Rows that share an instant are the hard case, so one transaction writes many."""
    async with db.transaction() as tx:
        written = [
            await operations.record(tx, account.tenant, action="made", resource_type="thing", resource_id=number)
            for number in range(25)
        ]

    seen: list[str] = []
    cursor = None
    while True:
        answer = await api.get(f"/v1/audit-log?action=made&limit=4{f'&cursor={cursor}' if cursor else ''}")
        seen += [row["id"] for row in answer.data]
        cursor = answer.json["meta"]["next_cursor"]
        await operations.record(db, account.tenant, action="made", resource_type="thing", resource_id="late")
        if cursor is None:
            break

    assert sorted(seen) == sorted(written)


async def test_an_audit_log_never_shows_another_organization(api: Client, stranger: Account, db: CellDb) -> None:
    await operations.record(db, stranger.tenant, action="secret", resource_type="thing", resource_id=1)

    assert await audit(api, "?action=secret") == []


def cursor_of(**place: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).rstrip(b"=").decode()


@pytest.mark.covers("listAuditLog", 422)
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("include=everything", "include"),
        ("actor_kind=robot", "actor_kind"),
        ("resource_id=7", "resource_id"),
        ("since=yesterday", "since"),
        ("since=2026-01-01T00:00:00", "since"),
        ("since=0001-01-01T00:00:00%2B23:59", "since"),
        ("since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "until"),
        ("action=%00", "action"),
        ("action=", "action"),
        ("cursor=abc", "cursor"),
        (f"cursor={cursor_of(created_at='2026-01-01T00:00:00Z', id='not-a-ulid')}", "cursor"),
        (f"cursor={cursor_of(created_at='0001-01-01T00:00:00+23:59', id='01JTBQH2FZ8K1RXC0WJ4Z9P3VM')}", "cursor"),
        ("unheard=of", "unheard"),
    ],
)
async def test_422_a_bad_filter_is_named(api: Client, query: str, field: str) -> None:
    answer = await api.get(f"/v1/audit-log?{query}")

    assert (answer.status, answer.error["code"]) == (422, "VALIDATION_FAILED")
    assert set(answer.error["details"]) == {field}


async def test_a_sandbox_shares_nothing_with_its_live_twin(
    app: RoomsApp, cells: Cells, db: CellDb, account: Account
) -> None:
    sandbox = Client(app, await key_with(cells, account.sandbox, sorted(account.tenant.scopes)))

    await sandbox.patch("/v1/organization", {"name": "Playground"})

    live = (await Client(app, account.key).get("/v1/organization")).data
    assert live["name"] == "Acme"
    assert (await sandbox.get("/v1/organization")).data["id"] == str(account.sandbox.org_id)
    assert (await billing.wallet(db, account.sandbox)).balance_microcents == 1_000 * 100 * 1_000_000
    assert (await operations.twin_in(db, account.org_id)).org_id == account.sandbox.org_id
    assert (await operations.twin_in(db, account.sandbox.org_id)).org_id == account.org_id
