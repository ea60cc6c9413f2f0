"""/metrics tells what became of the texts that customers asked for."""

from prometheus_client.parser import text_string_to_metric_families

from agentmessage.kernel.db import CellDb
from tests.conftest import Client
from tests.make.accounts import Account
from tests.make.texts import CONTACT, insert_consent, insert_sender, set_throughput


async def asked(api: Client) -> dict[str, float]:
    page = (await api.get("/metrics")).body.decode()
    (family,) = (one for one in text_string_to_metric_families(page) if one.name == "agentmessage_message_requests")
    return {one.labels["outcome"]: one.value for one in family.samples if one.name.endswith("_total")}


async def test_texts_are_counted_once_by_what_became_of_them_whichever_way_they_came(
    db: CellDb, api: Client, account: Account
) -> None:
    sender = await insert_sender(db, account.tenant)
    await insert_consent(db, account.tenant, sender)
    await set_throughput(db, account.tenant)
    good = {"from": sender.number, "to": CONTACT, "text": "Acme: you are next."}
    stranger = {**good, "to": "+12125550177"}
    key = {"Idempotency-Key": "one"}

    await api.post("/v1/messages", good)
    await api.post("/v1/messages", stranger)
    await api.post("/v1/messages/batch", {"messages": [good, stranger]})
    assert await asked(api) == {"accepted": 2, "CONSENT_REQUIRED": 2}
    await api.post("/v1/messages/batch", {"messages": [good, stranger]}, headers=key)

    assert await asked(api) == {"accepted": 3, "CONSENT_REQUIRED": 3}
    assert await asked(api) == {"accepted": 3, "CONSENT_REQUIRED": 3}
