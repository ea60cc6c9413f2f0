"""Acts upon the real house, told to the model as well, and what the two must agree on after each of them."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from agentmessage.carriers.messaging import (
    Handed,
    Hear,
    InboundHeard,
    OutboundText,
    ReceiptHeard,
    ReceiptState,
    TextAnswer,
    TextError,
    TextRefused,
)
from agentmessage.carriers.protocols import Accepted, Deferred, Unknown
from agentmessage.delivery.receipts import operations as receipts
from agentmessage.inbound import operations as inbound
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.ids import new_id
from agentmessage.messages.jobs import HANDLERS
from agentmessage.outbox.job_runner import JobRunner
from tests.compliance.histories.model import (
    BLUR,
    CODES,
    CONTACTS,
    EVERY_MINUTE,
    FOR_GOOD,
    Campaign,
    Guards,
    Model,
    Text,
)
from tests.compliance.histories.model import Sender as Line
from tests.conftest import Client
from tests.delivery.harness import MessageWorkerHarness
from tests.make.accounts import Account
from tests.make.campaigns import insert_campaign
from tests.make.clock import TestClock
from tests.make.guardrails import insert_binding, insert_profile
from tests.make.texts import Sender, insert_sender, set_throughput

SERIALS = itertools.count(1000)
BRANDS = (0, 0, 1)
"""The brand of each campaign."""

CAMPAIGNS = (0, 0, 1, 2)
"""The campaign of each number, to begin with."""

WORDS = {
    "stop": "STOP",
    "phrase": "please stop texting me",
    "start": "START",
    "yes": "YES",
    "help": "HELP",
    "chat": "Ok",
}
NOTHING_TO_DO = 2
MAX_TURNS = 60
FINAL = {"delivered", "failed", "undelivered", "canceled"}


class Notebook:
    """A carrier that notes what it was given, and when, and answers as the history says; then it accepts."""

    name = "smpp"
    channels = frozenset({"sms"})
    room = 100

    def __init__(self, clock: TestClock) -> None:
        self._clock = clock
        self.answers: list[str] = []
        self.given: list[tuple[OutboundText, datetime, str]] = []
        self.taken: list[tuple[str, UUID]] = []

    async def run(self, hear: Hear) -> None:
        """It says nothing by itself."""
        del hear
        await asyncio.Event().wait()

    async def until_room(self) -> None:
        """There is always room."""

    async def send(self, text: OutboundText) -> TextAnswer:
        """Note and answer."""
        answer = self.answers.pop(0) if self.answers else "accepted"
        self.given.append((text, self._clock.now(), answer))
        match answer:
            case "deferred":
                return Deferred("busy", 90.0)
            case "refused":
                return TextRefused(TextError.CARRIER_FILTERED, "30007", "filtered")
            case "unknown":
                return Unknown("the line broke")
            case _:
                carrier_id = new_id().hex
                self.taken.append((carrier_id, text.message_id))
                return Accepted(Handed([carrier_id]))


class World:
    """Four numbers of one organization, some contacts, one worker, and the model of it all."""

    def __init__(
        self,
        cells: Cells,
        db: CellDb,
        api: Client,
        *,
        account: Account,
        clock: TestClock,
        contacts: Sequence[int],
        tell: Callable[[str], None],
        counts: Counter[str],
    ) -> None:
        self._counts = counts
        self._tell = tell
        self._cells = cells
        self._db = db
        self._api = api
        self._account = account
        self._clock = clock
        self._line = Notebook(clock)
        self._senders: list[Sender] = []
        self._campaigns: list[UUID] = []
        self._profiles: dict[str, UUID] = {}
        self._jobs = JobRunner(db, HANDLERS)
        self._noted = 0
        self._said_no: set[str] = set()
        self._was_put_off = False
        self.worker = MessageWorkerHarness(db, self._line)
        self.model = Model(
            contacts=[CONTACTS[number] for number in contacts],
            senders=[Line(campaign) for campaign in CAMPAIGNS],
            campaigns=[Campaign(brand) for brand in BRANDS],
            scopes={"number": Guards(), "brand": Guards(), "own": Guards(quiet=False)},
        )

    async def open(self) -> None:
        """Numbers, campaigns of two brands, and profiles that say nothing yet."""
        org_id = self._account.org_id
        await set_throughput(self._db, self._account.tenant)
        first = await insert_campaign(self._db, org_id)
        brand_id = await self._db.value("SELECT brand_id FROM campaigns WHERE id = $1", first)
        second = await insert_campaign(self._db, org_id, brand_id=brand_id)
        self._campaigns = [first, second, await insert_campaign(self._db, org_id)]
        for place in CAMPAIGNS:
            number = f"+1415557{next(SERIALS)}"
            self._senders.append(
                await insert_sender(self._db, self._account.tenant, number, campaign_id=self._campaigns[place])
            )
        for scope, kind, scope_id in (
            ("brand", "brand", brand_id),
            ("number", "phone_number", self._senders[2].id),
        ):
            self._profiles[scope] = await insert_profile(self._db, org_id, name=scope)
            await insert_binding(self._db, org_id, self._profiles[scope], kind, scope_id)

    @property
    def now(self) -> datetime:
        return self._clock.moment

    async def act(self, name: str, given: Mapping[str, Any]) -> None:
        """Do one thing here and there, and compare."""
        self._tell(f"{self.now:%a %d %b %H:%M:%S} {name} {given}")
        await getattr(self, name)(**given)
        await self._learn()
        await self._compare()
        if name in ("text", "receipt", "move"):
            await self._compare_shown()

    # What customers do

    async def send(self, *, sender: int, contact: int, after: int | None, validity_s: int, priority: str) -> None:
        """Send a message, now or so many minutes later."""
        at = self.now
        due_at = at if after is None else (at + timedelta(minutes=after)).replace(microsecond=0)
        body = {
            "from": self._senders[sender].number,
            "to": self.model.contacts[contact].number,
            "text": "Acme: you are next.",
            "validity_s": validity_s,
            "priority": priority,
            **({} if after is None else {"scheduled_at": due_at.isoformat()}),
        }
        reply = await self._api.post("/v1/messages", body)

        told = None if reply.status == 202 else reply.error["code"]
        self._counts["accepted" if told is None else "refused"] += 1
        expected = self._refusals(sender, contact, at, due_at)
        if told == "FREQUENCY_CAP_EXCEEDED":
            assert expected[0] is None, (told, expected)
            assert self.model.guard(sender, "cap") is not None
        else:
            assert told in expected, (told, expected)
        if told is None and self.model.is_asleep(sender, contact, due_at):
            opens_at = datetime.fromisoformat(reply.data["scheduled_at"])
            assert not self.model.is_asleep(sender, contact, opens_at)
            assert self.model.is_asleep(sender, contact, opens_at - timedelta(seconds=1))

    def _refusals(self, sender: int, contact: int, at: datetime, due_at: datetime) -> list[str | None]:
        """What sending may answer, with the blur of the moment."""
        told: list[str | None] = []
        for blur in (timedelta(0), BLUR):
            reasons = list(self.model.objections(sender, contact, "customer", at + blur, due_at=due_at + blur))
            if self.model.is_asleep(sender, contact, due_at + blur) and (
                not self.model.lets_wait(sender) or self.model.never_wakes(sender, contact, due_at)
            ):
                reasons.append("asleep")
            told.append(CODES[reasons[0]] if reasons else None)
        return told

    async def cancel(self, *, which: int) -> None:
        """Take a message back, if it can be."""
        open_ones = [text for text in self.model.messages.values() if text.is_open]
        if open_ones:
            text = open_ones[which % len(open_ones)]
            reply = await self._api.delete(f"/v1/messages/{text.id}")
            assert reply.status in (200, 409), reply.body
            text.is_taken_back = reply.status == 200

    async def attest(self, *, sender: int, contact: int, age_days: int) -> None:
        """Say that a contact agreed some days ago."""
        captured_at = self.now - timedelta(days=age_days)
        may = self.model.may_attest(sender, contact, captured_at)
        evidence = {"captured_at": captured_at.isoformat(), "agreement_text": "I agree.", "consent_method": "verbal"}
        reply = await self._api.post("/v1/consent", {**self._pair(sender, contact), "evidence": evidence})
        assert (reply.status == 200) is may, (reply.status, reply.body)
        self.model.attest(sender, contact, captured_at)

    async def revoke(self, *, sender: int, contact: int) -> None:
        """Take a consent back."""
        pair = self._pair(sender, contact)
        found = await self._db.value(
            "SELECT id FROM consents WHERE phone_number_id = $1 AND contact_number = $2", *pair.values()
        )
        if found is not None:
            assert (await self._api.delete(f"/v1/consent/{found}")).status == 200
            self.model.stop(sender, contact, self.now, by="revocation")

    async def ask(self, *, sender: int, contact: int) -> None:
        """Ask a contact by double opt-in."""
        messages = {"confirmation_text": "Acme: reply YES to get reminders.", "agreement_text": "I agree to texts."}
        reply = await self._api.post("/v1/consent/double-opt-in", {**self._pair(sender, contact), **messages})
        assert reply.status in (200, 202, 409, 422, 453), reply.body
        answer = reply.json
        if reply.status in (200, 202) and not answer["reused"] and not answer["already_opted_in"]:
            self.model.record(sender, contact).asked_at = self.now

    async def guard(self, *, scope: str, tool: str, value: Any) -> None:
        """Change a guardrail: of the brand, of the third number, or the organization's own quiet hours."""
        if scope == "own":
            if tool == "quiet" and value is not None:
                await self._db.run(
                    "UPDATE organizations SET quiet_hours = $2 WHERE id = $1", self._account.org_id, _own_hours(value)
                )
                self.model.scopes["own"].quiet = value
            return
        reply = await self._api.patch(f"/v1/guardrails/profiles/{self._profiles[scope]}", _patch(tool, value))
        assert reply.status == 200, reply.body
        setattr(self.model.scopes[scope], tool, value)

    # What contacts, registries, carriers and time do

    async def text(self, *, sender: int, contact: int, word: str) -> None:
        """A contact messages one of our numbers."""
        heard = InboundHeard(
            carrier="smpp",
            carrier_message_id=new_id().hex,
            sender=self.model.contacts[contact].number,
            recipient=self._senders[sender].number,
            text=WORDS[word],
            raw=WORDS[word].encode(),
        )
        await inbound.receive(self._cells, "live", [heard], ring=lambda _cell, _bell: None)
        if word in ("stop", "phrase"):
            self.model.stop(sender, contact, self.now)
            await self._nothing_waits_for(contact)
        elif word == "start":
            self.model.start(sender, contact, self.now)
        elif word == "yes":
            self.model.say_yes(sender, contact, self.now)

    async def _nothing_waits_for(self, contact: int) -> None:
        out = [self._senders[place].id for place in range(len(CAMPAIGNS)) if self.model.is_out(place, contact)]
        waiting = await self._db.value(
            """SELECT count(*) FROM message_queue
               WHERE phone_number_id = ANY ($1) AND recipient = $2 AND kind <> 'auto_reply'""",
            out,
            self.model.contacts[contact].number,
        )
        assert waiting == 0, "a STOP left messages in the queue"

    async def register(self, *, sender: int, what: str, is_on: bool) -> None:
        """The registry or the carrier changes its mind about a number or its campaign."""
        line = self.model.senders[sender]
        mine = self._senders[sender]
        if what == "attached":
            line.is_attached = is_on
            await self._attach(sender)
        elif what == "propagated":
            await self._db.run(
                "UPDATE phone_numbers SET line_option_status = $2 WHERE id = $1",
                mine.id,
                "propagated" if is_on else "pending",
            )
            line.is_propagated = is_on
        else:
            campaign = self.model.campaigns[line.campaign]
            campaign.is_suspended = what == "suspended" and not is_on
            campaign.is_active = not (what == "active" and not is_on)
            await self._db.run(
                "UPDATE campaigns SET is_suspended = $2, status = $3 WHERE id = $1",
                self._campaigns[line.campaign],
                campaign.is_suspended,
                "ACTIVE" if campaign.is_active else "EXPIRED",
            )

    async def move(self, *, sender: int, campaign: int) -> None:
        """A number goes to another campaign, maybe of the other brand."""
        self.model.senders[sender].campaign = campaign
        await self._attach(sender)

    async def _attach(self, sender: int) -> None:
        line = self.model.senders[sender]
        await self._db.run(
            "UPDATE phone_numbers SET campaign_id = $2 WHERE id = $1",
            self._senders[sender].id,
            self._campaigns[line.campaign] if line.is_attached else None,
        )

    async def scope(self, *, scope: str) -> None:
        """The organization changes how far a STOP reaches from now on."""
        reply = await self._api.patch("/v1/organization", {"opt_out_scope": scope})
        assert reply.status == 200, reply.body
        self.model.opt_out_scope = scope

    async def look_up(self, *, contact: int, is_fixed: bool) -> None:
        """A lookup says what line a contact has."""
        await self._db.run(
            """INSERT INTO lookups (id, org_id, account, phone_number, lookup_type, status, line_type, cost_cents,
                                    requested_at, completed_at)
               VALUES ($1, $2, 'live', $3, 'advanced', 'complete', $4, 2, $5, $5)""",
            new_id(),
            self._account.org_id,
            self.model.contacts[contact].number,
            "FIXED" if is_fixed else "MOBILE",
            self._clock.now(),
        )
        if is_fixed:
            self.model.fixed_since[contact] = self.now
        else:
            self.model.fixed_since.pop(contact, None)

    async def receipt(self, *, which: int, state: str, says_no: bool) -> None:
        """The carrier tells of something that it took."""
        if not self._line.taken:
            return
        carrier_id, message_id = self._line.taken[which % len(self._line.taken)]
        is_no = says_no and state != "delivered"
        heard = ReceiptHeard(
            carrier="smpp",
            carrier_message_id=carrier_id,
            state=ReceiptState(state),
            error=TextError.RECIPIENT_OPTED_OUT if is_no else None,
            happened_at=self.now,
            raw="a receipt",
        )
        assert await receipts.apply(self._db, "live", [heard]) == []
        if is_no and carrier_id not in self._said_no:  # told twice, it counts once
            self._said_no.add(carrier_id)
            text = self.model.messages[message_id]
            self.model.stop(text.sender, text.contact, self.now)

    async def wait(self, *, minutes: int) -> None:
        """Time passes."""
        self._clock.moment += timedelta(minutes=minutes)

    async def wait_for_edge(self, *, sender: int, contact: int, offset_s: int) -> None:
        """Time passes until the contact is about to fall asleep or to wake."""
        edge = self.model.edge(sender, contact, self.now) + timedelta(seconds=offset_s)
        self._clock.moment = max(self.now, edge)

    async def sweep(self) -> None:
        """The worker's sweeps, and its jobs."""
        await self.worker.sweep()
        await self.worker.sweeper.give_up()
        while await self._jobs.run_due():
            pass

    async def turn(self, *, answers: Sequence[str]) -> None:
        """The worker hands over what it may; `answers` are the carrier's first words."""
        self._line.answers = list(answers)
        idle = turns = 0
        while idle < NOTHING_TO_DO:
            idle = idle + 1 if await self.worker.turn() else 0
            turns += 1
            assert turns < MAX_TURNS, "the worker turns for ever"
            await self._check_given()
        self._check_waiting(await self._queued())

    async def _check_given(self) -> None:
        """The law at the hand-over: no reason speaks against it both just before and just after."""
        await self._learn()
        for given, at, answer in self._line.given[self._noted :]:
            text = self.model.messages[given.message_id]
            before, after = set(self.model.reasons(text, at - BLUR)), set(self.model.reasons(text, at + BLUR))
            assert not before & after, f"handed over at {at} though {before & after}: {text}"
            assert text.is_open, f"handed over after its end: {text}"
            assert not text.is_taken_back, f"handed over after it was taken back: {text}"
            assert at + BLUR >= text.due_at, f"handed over at {at}, too early: {text}"
            if answer == "deferred":
                self._was_put_off = True
            else:
                assert text.offers == 0, f"handed over twice: {text}"
                self.model.hand(text, at)
                self._counts["handed over"] += 1
            if answer == "accepted":
                pair = (text.sender, text.contact)
                sent = (at, text.id, text.campaign)
                self.model.last_sent[pair] = max(sent, self.model.last_sent.get(pair, sent))
        self._noted = len(self._line.given)

    def _check_waiting(self, queued: Sequence[UUID]) -> None:
        """What is due and was not handed over has a reason to wait, now or at an earlier turn."""
        if self._was_put_off:  # the carrier asked for patience
            return
        for message_id in queued:
            text = self.model.messages[message_id]
            if text.due_at > self.now:
                continue
            reasons = set(self.model.reasons(text, self.now))
            if reasons & {"asleep", "capped"}:
                self._counts["kept back"] += 1
                text.waits_until = max(text.waits_until or self.now, self.model.free_at(text, self.now))
            elif text.waits_until is None or text.waits_until + EVERY_MINUTE < self.now:
                raise AssertionError(f"nothing speaks against it, and yet at {self.now} it waits: {text}")

    # What both must agree on

    async def _learn(self) -> None:
        """Messages that are new to the model: sent by the customer, or by the platform for them."""
        numbers = {sender.number: place for place, sender in enumerate(self._senders)}
        people = {contact.number: place for place, contact in enumerate(self.model.contacts)}

        def text(*columns: Any) -> Text:
            message_id, sender, recipient, campaign_id, *rest = columns
            campaign = self._campaigns.index(campaign_id)
            return Text(message_id, numbers[sender], people[recipient], campaign, *rest)

        found = await self._db.all(
            text,
            """SELECT id, sender, recipient, campaign_id, kind, coalesce(scheduled_at, created_at), expires_at
               FROM messages WHERE org_id = $1 AND NOT id = ANY ($2)""",
            self._account.org_id,
            list(self.model.messages),
        )
        for message in found:
            assert message.kind != "auto_reply" or message.due_at <= self.now, f"an answer is to wait: {message}"
        self.model.messages |= {message.id: message for message in found}

    async def _compare(self) -> None:
        """Whoever is on record; every end has its reason; what is held is what waits."""
        agreed = await self._db.all(
            lambda *columns: columns,
            "SELECT phone_number_id, contact_number, opted_in FROM consents WHERE org_id = $1",
            self._account.org_id,
        )
        on_record = {(number, contact) for number, contact, is_in in agreed if is_in}
        wanted = {
            (self._senders[sender].id, self.model.contacts[contact].number)
            for (sender, contact), record in self.model.records.items()
            if record.since is not None
        }
        assert on_record == wanted, f"on record: {on_record}, and it should be {wanted}"
        await self._check_ends()
        held, waiting = await self._held()
        assert held == waiting, "what is held is not what waits"

    async def _compare_shown(self) -> None:
        """The list of consents and its filter say who may be texted, and a contact who is out has a STOP to show."""
        shown = {
            (row["phone_number_id"], row["contact_number"]): row
            for is_in in ("true", "false")
            for row in (await self._api.get(f"/v1/consent?opted_in={is_in}&limit=100")).data
            if row["opted_in"] is (is_in == "true")
        }
        for (sender, contact), record in self.model.records.items():
            pair = self._pair(sender, contact)
            one = shown.get((pair["phone_number_id"], pair["contact_number"]))
            counts = record.since is not None and not self.model.is_out(sender, contact)
            assert (one is not None and one["opted_in"]) is counts, (sender, contact, one)
            if one is not None and self.model.is_out(sender, contact) and record.said_no != "revocation":
                told = {stop.told for stop in self.model.stops if stop.contact == contact}
                assert one["opted_out_number"] in {self._senders[place].number for place in told}, one
                assert one["opted_out_at"] is not None

    async def _held(self) -> tuple[int, int]:
        found = await self._db.one(
            lambda *columns: columns,
            """SELECT coalesce((SELECT admitted_microcents FROM send_accounts WHERE org_id = $1), 0)
                      - settled_microcents,
                      (SELECT coalesce(sum(price_microcents), 0)::bigint FROM message_queue WHERE org_id = $1)
               FROM wallets WHERE org_id = $1""",
            self._account.org_id,
        )
        assert found is not None
        return found[0], found[1]

    async def _check_ends(self) -> None:
        """A message ends because it was handed over, taken back, or because of a reason that holds for good."""
        states = await self._states()
        for text in self.model.messages.values():
            if not text.is_open or states[text.id] not in FINAL:
                continue
            text.is_open = False
            if text.offers or text.is_taken_back:
                continue
            reasons = {
                *self.model.reasons(text, self.now - BLUR),
                *self.model.reasons(text, self.now + BLUR),
            }
            self._counts["ended unsent"] += 1
            assert reasons & set(FOR_GOOD), f"{states[text.id]} without a reason: {text}"

    async def _states(self) -> dict[UUID, str]:
        rows = await self._db.all(
            lambda *columns: columns, "SELECT id, status FROM messages WHERE org_id = $1", self._account.org_id
        )
        return dict(rows)

    async def _queued(self) -> list[UUID]:
        return await self._db.all(_id, "SELECT message_id FROM message_queue WHERE org_id = $1", self._account.org_id)

    async def end(self) -> None:
        """Let everything come to its end, and add up."""
        for _ in range(12):
            await self.wait(minutes=3 * 24 * 60)
            await self.turn(answers=())
            await self._learn()
            await self._compare()
            await self.sweep()
        states = await self._states()
        lasting = [text for text in self.model.messages.values() if states[text.id] not in FINAL]
        assert not lasting, f"never came to an end: {[(states[text.id], text) for text in lasting]}"
        assert await self._held() == (0, 0)
        charged = await self._db.value(
            "SELECT count(*) FROM usage_rows WHERE org_id = $1 AND kind = 'outbound_sms'", self._account.org_id
        )
        assert charged == len(self._line.taken)

    def _pair(self, sender: int, contact: int) -> dict[str, str]:
        return {
            "phone_number_id": str(self._senders[sender].id),
            "contact_number": self.model.contacts[contact].number,
        }


def _id(value: UUID) -> UUID:
    return value


def _own_hours(value: Any) -> dict[str, Any]:
    if value is False:
        return {"enabled": False, "start": "21:00", "end": "08:00", "mode": "reject"}
    start, end, waits = value
    return {"enabled": True, "start": _clock(start), "end": _clock(end), "mode": "defer" if waits else "reject"}


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _patch(tool: str, value: Any) -> dict[str, Any]:
    """A guardrail as the API writes it."""
    name = {"quiet": "quiet_hours", "cap": "freq_cap", "age_days": "consent_freshness"}[tool]
    body: dict[str, Any] = {f"{name}_disabled": None if value is None else value is False}
    if value is None or value is False:
        return body
    match tool:
        case "quiet":
            start, end, waits = value
            mode = "defer" if waits else "reject"
            return body | {
                "quiet_hours_start_minute": start,
                "quiet_hours_end_minute": end,
                "quiet_hours_mode": mode,
            }
        case "cap":
            minutes, most = value
            return body | {"freq_cap_window_minutes": minutes, "freq_cap_max_in_window": most}
        case _:
            return body | {"consent_freshness_max_age_days": value}
