"""A long message is counted, priced and paced as what goes over the wire."""

import pytest
from msgspec.structs import replace

from agentmessage.app.providers.message_carriers import layouts
from agentmessage.carriers.smpp import LongTexts
from agentmessage.kernel.db import CellDb
from agentmessage.settings import Settings
from agentmessage.sms.segments import Alphabet, Layout
from tests.conftest import Client
from tests.delivery.harness import open_worker, ready_sender
from tests.make.accounts import Account
from tests.make.texts import CONTACT

EURO = "\u20ac" * 150
"""300 septets are two parts; a carrier of ISO 8859-1, which has no such character, is sent three of UTF-16."""

BOUNDARY = "a" * 306
"""Two parts under references of 8 bits, which leave 153 septets each; three under those of 16, which leave 152."""


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """Live messages go to a carrier that wants `long_texts` so."""
    return replace(settings, smpp_host="smsc.example", **request.param)


@pytest.mark.parametrize(
    ("settings", "text", "parts"),
    [
        ({"smpp_concatenation": "udh8"}, BOUNDARY, 2),
        ({"smpp_concatenation": "udh16"}, BOUNDARY, 3),
        ({"smpp_default_alphabet": "gsm"}, EURO, 2),
        ({"smpp_default_alphabet": "latin1"}, EURO, 3),
        ({"smpp_default_alphabet": "latin1"}, "{" * 100, 2),
    ],
    indirect=["settings"],
    ids=["8 bits", "16 bits", "gsm", "latin1", "latin1, in its alphabet"],
)
async def test_a_long_message_counts_as_many_parts_as_its_carrier_is_sent(
    db: CellDb, api: Client, account: Account, settings: Settings, *, text: str, parts: int
) -> None:
    sender = await ready_sender(db, account)
    await db.run("""UPDATE campaigns SET mno_metadata = '{"10017": {"tpm": 180, "msgClass": "A"}}'""")
    body = {"from": sender.number, "to": CONTACT, "text": text}
    preflight = (await api.post("/v1/guardrails/preflight", body)).data
    sent = [(await api.post("/v1/messages", body)).data]
    sent.append((await api.post("/v1/messages", body, headers={"Idempotency-Key": "key"})).data)
    batch = await api.post("/v1/messages/batch", {"messages": [body]})
    sent.append(batch.data["results"][0]["message"])
    long_texts, alphabet = LongTexts(settings.smpp_concatenation), Alphabet(settings.smpp_default_alphabet)
    async with open_worker(db, long_texts=long_texts, alphabet=alphabet) as (smsc, worker):
        await worker.turn()
        on_the_wire = len(smsc.asked)

    assert on_the_wire == parts
    assert [one["segment_count"] for one in (preflight, *sent)] == [parts] * 4
    assert [one["cost_cents"] for one in (preflight, *sent)] == [parts] * 4
    assert await db.value("SELECT sum(quantity)::int FROM usage_rows") == parts
    assert await db.value("SELECT 3 - tokens FROM send_rate_buckets WHERE scope LIKE 'campaign:%'") == pytest.approx(
        parts
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {}),
        ({"smpp_concatenation": "udh16"}, {}),  # the simulator is sent 8 bits
        ({"smpp_host": "smsc.example"}, {"live": Layout(8, Alphabet.GSM)}),
        ({"smpp_host": "smsc.example", "smpp_concatenation": "udh16"}, {"live": Layout(16, Alphabet.GSM)}),
        ({"smpp_host": "smsc.example", "smpp_default_alphabet": "latin1"}, {"live": Layout(8, Alphabet.LATIN1)}),
        ({"smpp_host": "smsc.example", "smpp_concatenation": "udh16", "live_message_carrier": "bandwidth"}, {}),
    ],
)
def test_only_live_messages_over_smpp_are_sent_otherwise_than_usual(
    changes: dict[str, str], expected: dict[str, Layout]
) -> None:
    given = Settings(database_url="postgresql://", **changes)  # type: ignore[arg-type]

    assert layouts(given) == expected
