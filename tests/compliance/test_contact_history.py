"""What admission remembers of a contact, and the guardrails of organizations with many."""

import asyncio

from agentmessage.compliance.queries import MAX_BINDINGS
from agentmessage.guardrails.model import ScopeKind
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from tests.compliance.test_preflight import bind_profile
from tests.conftest import Client
from tests.make.accounts import Account
from tests.make.texts import CONTACT, insert_consent, insert_sender, set_throughput

TEXT = "Acme: you are next."


async def test_texts_of_one_flush_to_one_contact_are_stamped_once_a_day(
    db: CellDb, api: Client, account: Account
) -> None:
    sender = await insert_sender(db, account.tenant)
    await insert_consent(db, account.tenant, sender)
    await set_throughput(db, account.tenant)
    await bind_profile(
        db, account.org_id, "use_case_default", account.org_id,
        autostamp_disabled=False, autostamp_sender_id_text="Acme Dental", autostamp_cadence="daily",
    )  # fmt: skip

    asked = {"from": sender.number, "to": CONTACT, "text": TEXT}
    replies = await asyncio.gather(*(api.post("/v1/messages", asked) for _ in range(6)))
    later = await api.post("/v1/messages", asked)

    stamps = [reply.data["appended_text"] for reply in replies]
    assert sorted(stamps, key=str) == [*["\nAcme Dental"], *[None] * 5]
    assert later.data["appended_text"] is None


async def test_the_default_and_a_numbers_own_profile_hold_however_many_others_are_bound(
    db: CellDb, api: Client, account: Account
) -> None:
    sender = await insert_sender(db, account.tenant)
    await insert_consent(db, account.tenant, sender)
    await set_throughput(db, account.tenant)
    for _ in range(MAX_BINDINGS):
        await bind_profile(db, account.org_id, ScopeKind.PHONE_NUMBER.value, new_id())
    await bind_profile(
        db, account.org_id, "use_case_default", account.org_id,
        freq_cap_disabled=False, freq_cap_window_minutes=60, freq_cap_max_in_window=1,
    )  # fmt: skip
    await bind_profile(
        db, account.org_id, "phone_number", sender.id,
        autostamp_disabled=False, autostamp_sender_id_text="Acme Dental", autostamp_cadence="every",
    )  # fmt: skip

    asked = {"from": sender.number, "to": CONTACT, "text": TEXT}
    first, second = [await api.post("/v1/messages", asked) for _ in range(2)]

    assert first.data["appended_text"] == "\nAcme Dental"
    assert second.error["code"] == "FREQUENCY_CAP_EXCEEDED"
