"""A plaintext key is nowhere in the database, also not where an Idempotency-Key remembers the answer."""

from agentmessage.kernel.db import CellDb
from tests.conftest import Client


async def test_a_remembered_answer_with_a_plaintext_key_is_sealed_and_still_replayed(api: Client, db: CellDb) -> None:
    wish = {"label": "worker", "scopes": ["org:read"]}
    first = await api.post("/v1/api-keys", wish, headers={"Idempotency-Key": "make-one"})

    again = await api.post("/v1/api-keys", wish, headers={"Idempotency-Key": "make-one"})

    assert first.status == 201
    assert again.body == first.body
    assert again.headers["idempotent-replayed"] == "true"
    kept = await db.value("SELECT body FROM idempotency_keys WHERE key = 'make-one'")
    assert first.json["plaintext"].encode() not in kept
    assert first.json["prefix"].encode() not in kept
