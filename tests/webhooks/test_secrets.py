"""Secrets: shown once, encrypted where they lie, dead or in grace as the contract says."""

import base64
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from agentmessage.kernel.db import CellDb
from agentmessage.kernel.encryption import parse_keys
from tests.conftest import ENCRYPTION_KEY, Client
from tests.make.accounts import Account
from tests.make.webhooks import URL, audited

SECRET_BOX = parse_keys(ENCRYPTION_KEY)


async def made(api: Client) -> Any:
    answer = await api.post("/v1/webhooks", {"url": URL, "events": ["api_key.created"]})
    return answer.json


async def encrypted_of(db: CellDb, endpoint_id: str) -> bytes:
    encrypted: bytes = await db.value("SELECT encrypted_secret FROM webhook_endpoints WHERE id = $1", UUID(endpoint_id))
    return encrypted


async def test_a_secret_is_32_bytes_in_base64_and_is_stored_encrypted(api: Client, db: CellDb) -> None:
    endpoint = await made(api)

    secret = base64.b64decode(endpoint["secret"], validate=True)
    encrypted = await encrypted_of(db, endpoint["id"])
    assert len(secret) == 32
    assert secret not in encrypted
    assert SECRET_BOX.decrypt(encrypted) == secret


async def test_no_two_secrets_are_the_same(api: Client) -> None:
    assert len({(await made(api))["secret"] for _ in range(3)}) == 3


@pytest.mark.covers("rotateWebhookEndpointSecret", 200)
async def test_200_a_rotated_endpoint_has_another_secret_at_once(api: Client, db: CellDb, account: Account) -> None:
    old = await made(api)

    answer = await api.post(f"/v1/webhooks/{old['id']}/rotate-secret")

    new = answer.json
    assert (answer.status, list(new), new["secret_displayed_once"]) == (200, list(old), True)
    assert new["secret"] != old["secret"]
    assert SECRET_BOX.decrypt(await encrypted_of(db, old["id"])) == base64.b64decode(new["secret"])
    assert [action for action, _, _ in await audited(db, account.org_id, "webhook_endpoint")] == [
        "webhook_endpoint.create",
        "webhook_endpoint.rotate_secret",
    ]


async def test_no_secret_is_ever_in_the_audit_log_or_among_the_kept_answers(api: Client, db: CellDb) -> None:
    headers = {"idempotency-key": "k"}
    endpoint = await made(api)
    rotated = (await api.post(f"/v1/webhooks/{endpoint['id']}/rotate-secret", headers=headers)).json
    own = (await api.post("/v1/webhook-secret/rotate", headers=headers | {"idempotency-key": "l"})).json

    everything = await db.value("SELECT string_agg(a::text, '') FROM audit_log a")
    kept = await db.value("SELECT string_agg(encode(body, 'escape'), '') FROM idempotency_keys")

    for secret in (endpoint["secret"], rotated["secret"], own["webhook_secret"]):
        assert secret not in everything
        assert secret not in kept


@pytest.mark.covers("rotateWebhookSecret", 200)
async def test_200_the_organizations_secret_has_five_minutes_of_grace(
    api: Client, db: CellDb, account: Account
) -> None:
    first = (await api.post("/v1/webhook-secret/rotate")).json
    only = await secrets_of(db, account)
    answer = await api.post("/v1/webhook-secret/rotate")

    second = answer.json
    rotated_at, until = (datetime.fromisoformat(second[name]) for name in ("rotated_at", "previous_valid_until"))
    assert (answer.status, list(second)) == (200, ["webhook_secret", "rotated_at", "previous_valid_until"])
    assert until - rotated_at == timedelta(minutes=5)
    assert first["previous_valid_until"] is None
    assert only == (base64.b64decode(first["webhook_secret"]), None, None)
    assert await secrets_of(db, account) == (
        base64.b64decode(second["webhook_secret"]),
        base64.b64decode(first["webhook_secret"]),
        until,
    )
    assert await audited(db, account.org_id, "organization") != []
    assert (await audited(db, account.org_id, "organization"))[-1] == (
        "webhook_secret.rotate",
        str(account.org_id),
        None,
    )


@pytest.mark.covers("rotateWebhookSecret", 200)
async def test_200_a_second_rotation_ends_the_first_secret(api: Client, db: CellDb, account: Account) -> None:
    secrets = [(await api.post("/v1/webhook-secret/rotate")).json["webhook_secret"] for _ in range(3)]

    newest, previous, _ = await secrets_of(db, account)

    assert [base64.b64decode(secret) for secret in secrets[:0:-1]] == [newest, previous]


@pytest.mark.covers("rotateWebhookSecret", 200)
async def test_200_one_organizations_rotation_leaves_anothers_secret(
    app: Any, api: Client, db: CellDb, account: Account, stranger: Account
) -> None:
    await Client(app, stranger.key).post("/v1/webhook-secret/rotate")
    theirs = await secrets_of(db, stranger)

    await api.post("/v1/webhook-secret/rotate")

    assert await secrets_of(db, stranger) == theirs
    assert await secrets_of(db, account) != theirs


async def secrets_of(db: CellDb, account: Account) -> tuple[bytes, bytes | None, datetime | None]:
    """An organization's secret, the one before, and until when that is valid."""
    row = await db.one(
        lambda *columns: columns,
        """SELECT encrypted_secret, previous_encrypted_secret, previous_valid_until FROM webhook_secrets
           WHERE org_id = $1""",
        account.org_id,
    )
    assert row is not None
    newest, previous, until = row
    return SECRET_BOX.decrypt(newest), None if previous is None else SECRET_BOX.decrypt(previous), until
