"""Whatever a contact and a customer do, and in whatever order: what is on record is what a small model says."""

import itertools
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from agentmessage.kernel.db import CellDb, Cells
from tests.conftest import Client
from tests.inbound.handset import Handset
from tests.make.accounts import Account
from tests.make.texts import Sender, set_throughput

EXAMPLES = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
SERIALS = itertools.count()
MOST_REPLIES = 10

TEXTS = {
    "stop": "STOP",
    "phrase": "please stop texting me",
    "start": "START",
    "help": "HELP",
    "yes": "YES",
    "chat": "See you on Monday",
}
ACTS = [*TEXTS, "attest", "revoke", "ask"]


class Model(Struct):
    """What is on record about one pair. `suppressed_by` as stored; `is_asked`: a double opt-in is open."""

    is_in: bool = False
    suppressed_by: str | None = None
    is_asked: bool = False
    replies: int = 0
    questions: int = 0
    opted_in: int = 0
    opted_out: int = 0

    def act(self, name: str) -> None:
        """Do what the rules say."""
        getattr(self, name)()
        self.replies = min(self.replies, MOST_REPLIES)

    def stop(self, by: str = "keyword") -> None:
        """Binds always; what came from the handset is not said twice."""
        self.is_asked = False
        if self.suppressed_by in ("keyword", "natural_language"):
            return
        self.opted_out += self.is_in or self.suppressed_by is None
        self.is_in, self.suppressed_by = False, by
        self.replies += 1

    def phrase(self) -> None:
        """As STOP."""
        self.stop("natural_language")

    def start(self) -> None:
        """Undoes what came from the handset, not what the customer revoked."""
        if self.is_in or self.suppressed_by == "revocation":
            return
        self._agree()
        self.replies += 1

    def help(self) -> None:
        """Always answered."""
        self.replies += 1

    def yes(self) -> None:
        """An answer to an open question only."""
        if self.is_asked:
            self.is_asked = False
            if not self.is_in:
                self._agree()
            self.replies += 1

    def chat(self) -> None:
        """Nothing."""

    def attest(self) -> None:
        """Counts unless the contact has said no."""
        if not self.is_in and self.suppressed_by in (None, "revocation"):
            self._agree()

    def revoke(self) -> None:
        """Ends a consent that stands."""
        if self.is_in:
            self.is_in, self.suppressed_by, self.is_asked = False, "revocation", False
            self.opted_out += 1

    def ask(self) -> None:
        """Texts a question unless it is open, answered or unwelcome."""
        if not self.is_in and self.suppressed_by is None and not self.is_asked:
            self.is_asked = True
            self.questions += 1

    def _agree(self) -> None:
        self.is_in, self.suppressed_by = True, None
        self.opted_in += 1


class World:
    """One contact and one of our numbers, for real."""

    def __init__(self, db: CellDb, api: Client, handset: Handset, sender: Sender, contact: str) -> None:
        self._db = db
        self._api = api
        self._handset = handset
        self._pair = {"phone_number_id": str(sender.id), "contact_number": contact}

    async def act(self, name: str) -> None:
        """Do one thing; the customer may be refused."""
        if name in TEXTS:
            await self._handset.texts(TEXTS[name])
        elif name == "attest":
            evidence = {
                "captured_at": self._db.now.isoformat(),
                "ip_address": "203.0.113.9",
                "user_agent": "Mozilla/5.0",
                "agreement_text": "I agree to texts.",
                "form_url": "https://acme.example/book",
                "consent_method": "checkbox",
            }
            reply = await self._api.post("/v1/consent", {**self._pair, "opted_in": True, "evidence": evidence})
            assert reply.status in (200, 201, 409), reply.body
        elif name == "revoke":
            for consent in (await self._api.get(f"/v1/consent?contact_number={self._number}")).data:
                assert (await self._api.delete(f"/v1/consent/{consent['id']}")).status == 200
        else:
            question = {"confirmation_text": "Acme: reply YES to get reminders.", "agreement_text": "I agree to texts."}
            reply = await self._api.post("/v1/consent/double-opt-in", {**self._pair, **question})
            assert reply.status in (200, 202, 409, 453), reply.body

    @property
    def _number(self) -> str:
        return "%2B" + self._pair["contact_number"][1:]

    async def state(self) -> Model:
        """What is on record."""
        contact = self._pair["contact_number"]

        async def count(sql: Any) -> int:
            return int(await self._db.value(sql, contact))

        record: Any = await self._db.one(
            lambda *columns: columns, "SELECT opted_in, suppressed_by FROM consents WHERE contact_number = $1", contact
        )
        return Model(
            is_in=bool(record and record[0]),
            suppressed_by=record[1] if record else None,
            is_asked=await count(
                "SELECT count(*) FROM consent_challenges WHERE contact_number = $1 AND status = 'pending'"
            )
            == 1,
            replies=await count("SELECT count(*) FROM messages WHERE recipient = $1 AND kind = 'auto_reply'"),
            questions=await count("SELECT count(*) FROM messages WHERE recipient = $1 AND kind = 'confirmation'"),
            opted_in=await count(
                "SELECT count(*) FROM events WHERE data ->> 'contact_number' = $1 AND type = 'contact.opted_in'"
            ),
            opted_out=await count(
                "SELECT count(*) FROM events WHERE data ->> 'contact_number' = $1 AND type = 'contact.opted_out'"
            ),
        )


@EXAMPLES
@given(acts=st.lists(st.sampled_from(ACTS), max_size=14))
async def test_the_record_is_what_the_model_says_after_every_act(
    acts: list[str], db: CellDb, cells: Cells, api: Client, *, account: Account, sender: Sender
) -> None:
    await set_throughput(db, account.tenant)
    contact = f"+1212556{next(SERIALS):04d}"
    world = World(db, api, Handset(cells, sender.number, number=contact), sender, contact)
    model = Model()

    for act in acts:
        await world.act(act)
        model.act(act)

        assert await world.state() == model, act
