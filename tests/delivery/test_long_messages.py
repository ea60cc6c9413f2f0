"""A long message is counted, priced and paced as what goes over the wire."""

import pytest
from msgspec.structs import replace

from agentmessage.carriers.smpp import LongTexts
from agentmessage.kernel.db import CellDb
from agentmessage.settings import Settings
from tests.conftest import Client
from tests.delivery.floor import floor, ready_sender
from tests.make.accounts import Account
from tests.make.texts import CONTACT

BOUNDARY = "a" * 306
"""Two parts under references of 8 bits, which leave 153 septets each; three under those of 16, which leave 152."""


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """Live messages go to a carrier that wants `long_texts` so."""
    return replace(settings, smpp_host="smsc.example", smpp_long_texts=request.param)


@pytest.mark.parametrize(("settings", "parts"), [("udh8", 2), ("udh16", 3)], indirect=["settings"])
async def test_a_long_message_counts_as_many_parts_as_its_carrier_is_sent(
    db: CellDb, api: Client, account: Account, settings: Settings, *, parts: int
) -> None:
    sender = await ready_sender(db, account)
    await db.run("""UPDATE campaigns SET mno_metadata = '{"10017": {"tpm": 180, "msgClass": "A"}}'""")
    body = {"from": sender.number, "to": CONTACT, "text": BOUNDARY}
    preflight = (await api.post("/v1/guardrails/preflight", body)).data
    sent = [(await api.post("/v1/messages", body)).data]
    sent.append((await api.post("/v1/messages", body, headers={"Idempotency-Key": "key"})).data)
    batch = await api.post("/v1/messages/batch", {"messages": [body]})
    sent.append(batch.data["results"][0]["message"])
    async with floor(db, long_texts=LongTexts(settings.smpp_long_texts)) as (smsc, desk):
        await desk.turn()
        on_the_wire = len(smsc.asked)

    assert on_the_wire == parts
    assert [one["segment_count"] for one in (preflight, *sent)] == [parts] * 4
    assert [one["cost_cents"] for one in (preflight, *sent)] == [parts] * 4
    assert await db.value("SELECT sum(quantity)::int FROM usage_rows") == parts
    assert await db.value("SELECT 3 - tokens FROM pace_buckets WHERE scope LIKE 'campaign:%'") == pytest.approx(parts)


@pytest.mark.parametrize(
    ("changes", "accounts"),
    [
        ({}, set()),
        ({"smpp_long_texts": "udh16"}, set()),  # the simulator is sent 8 bits
        ({"smpp_host": "smsc.example", "smpp_long_texts": "udh16"}, {"live"}),
        ({"smpp_host": "smsc.example", "smpp_long_texts": "udh16", "live_text_carrier": "bandwidth"}, set()),
    ],
)
def test_only_live_messages_over_such_a_carrier_have_wide_references(
    changes: dict[str, str], accounts: set[str]
) -> None:
    given = Settings(database_url="postgresql://", **changes)  # type: ignore[arg-type]

    assert given.wide_references == accounts
