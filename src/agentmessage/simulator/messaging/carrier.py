"""What the simulated carrier does with a text: takes it or not, carries it, and tells what came of it.

Pure, like the world that it belongs to: `submit`, `say` and `advance` are given the time, `waiting` holds what is to be
told over each way, and whoever told it says so with `acknowledge` or `give_back`. `take_records` is what must survive.
"""

from collections import deque
from collections.abc import Iterable, Sequence

from msgspec import Struct

from agentmessage.kernel.token_bucket import TokenBucket
from agentmessage.simulator.core.account import Account
from agentmessage.simulator.core.faults import FaultBook, Strike
from agentmessage.simulator.core.http_types import Breakage
from agentmessage.simulator.core.shared_state import Realm
from agentmessage.simulator.messaging.history import TextBook
from agentmessage.simulator.messaging.magic_numbers import (
    QUEUE_FULL,
    RECIPIENT_INVALID,
    SENDER_UNKNOWN,
    SICK,
    SUSPENDED,
    THROTTLED,
    UNREGISTERED,
    Fate,
    Refusal,
    ending_of,
    fate_of,
)
from agentmessage.simulator.messaging.model import Ending, Handed, Inbound, Submission, Telling, Via
from agentmessage.simulator.messaging.records import InboundSent, PartAccepted, PartEnded, Record, Settled
from agentmessage.simulator.messaging.settings import IdForm, TextSettings
from agentmessage.simulator.messaging.transit import Reply, Transit, operator_of
from agentmessage.sms.numbers import is_e164
from agentmessage.sms.segments import Alphabet, Coding, coding_of, measure, parts


class Verdict(Struct, frozen=True, gc=False):
    """What to answer: our id, or a refusal. `breakage`: instead of it. `is_early`: a receipt goes before it."""

    id: str = ""
    refusal: Refusal | None = None
    breakage: Breakage | None = None
    is_early: bool = False
    delay_s: float = 0.0


class TextDesk:
    """Texts of both accounts."""

    def __init__(self, realm: Realm, *, started_at: float) -> None:
        self._realm = realm
        self.book = TextBook()
        self.settings = TextSettings()
        self.is_cut = False
        """Every connection is to be cut; whoever has them does so and takes it back."""
        self._transit = Transit(realm, self.book)
        self._serial = 0
        # Ids grow over restarts too, and over a world begun anew beside a customer who remembers the old one.
        self._first_id = int(started_at) << 24
        self._refused_to: dict[str, int] = {}
        self._vias: dict[str, Via] = {}
        self._scripts: dict[str, deque[str]] = {}
        self._bucket = TokenBucket()

    # ── taking texts ────────────────────────────────────────────────────────────────────────────────────────

    def submit(self, given: Submission, *, at: float) -> Verdict:
        """Take a part or a text, or refuse it."""
        faults = self._realm.faults
        if given.via is Via.SMPP and not faults.is_quiet and (trouble := self._trouble(faults, given, at)) is not None:
            self.book.counts["troubled"] += 1
            return trouble
        fate = fate_of(given.recipient)
        account = self._realm.accounts[given.account]
        refusal = self._refusal(given, account, fate, at)
        if refusal is not None:
            self.book.counts[f"refused_{refusal.name}"] += 1
            return Verdict(refusal=refusal)
        if fate.breakage is Breakage.HANG_BEFORE:
            return Verdict(breakage=fate.breakage)
        return self._take(given, fate, self._ending(given, account, fate, at), at)

    def _trouble(self, faults: FaultBook, given: Submission, at: float) -> Verdict | None:
        """What goes wrong on the line to the SMSC before the work is done; over HTTP the world sees to that."""
        match faults.outage_at(at, "smpp.submit"):
            case "hang":
                return Verdict(breakage=Breakage.HANG_BEFORE)
            case "error":
                return Verdict(refusal=SICK)
            case _:
                pass
        if self._strike("timeout_before", given):
            return Verdict(breakage=Breakage.HANG_BEFORE)
        if self._strike("error_before", given):
            return Verdict(refusal=SICK)
        if self._strike("rate_limited", given):
            return Verdict(refusal=THROTTLED)
        return Verdict(refusal=QUEUE_FULL) if self._strike("queue_full", given) else None

    def _refusal(self, given: Submission, account: Account, fate: Fate, at: float) -> Refusal | None:
        settings = self.settings
        if settings.checks_senders and given.sender not in account.lines:
            return SENDER_UNKNOWN
        if not is_e164(given.recipient):
            return RECIPIENT_INVALID
        if fate.refusal is not None and self._still_refuses(fate, given.recipient):
            return fate.refusal
        per_s = settings.texts_per_s
        if per_s is not None and self._bucket.take(at, capacity=max(1.0, per_s), per_second=per_s) > 0:
            return THROTTLED
        is_full = settings.most_open is not None and self._transit.open >= settings.most_open
        return QUEUE_FULL if is_full else None

    def _still_refuses(self, fate: Fate, recipient: str) -> bool:
        if not fate.refusals:
            return True
        refused = self._refused_to.get(recipient, 0)
        self._refused_to[recipient] = refused + 1
        return refused < fate.refusals

    def _ending(self, given: Submission, account: Account, fate: Fate, at: float) -> Ending:
        """A sender without a campaign at the recipient's operator comes first: nobody looks at the text then."""
        if self.settings.checks_senders:
            campaign_id = account.lines[given.sender].operators(at)[operator_of(given.recipient)]
            if campaign_id is None:
                return UNREGISTERED
            campaign = account.campaigns.get(campaign_id)
            if campaign is None or not campaign.may_carry_numbers:
                return SUSPENDED
        if not self._realm.faults.is_quiet and (strike := self._strike("text_failed", given)) is not None:
            return ending_of(strike.code, strike.text)
        return fate.ending

    def _take(self, given: Submission, fate: Fate, ending: Ending, at: float) -> Verdict:
        self._serial += 1
        part_id = self._id(given.via, at)
        handed = self._transit.open_part(self._serial, part_id, given, ending, at=at)
        self._transit.records.append(PartAccepted(self._serial, part_id, at, given, ending))
        self._vias[given.sender] = given.via
        if self._realm.faults.is_quiet and not fate.is_early:
            self._carry(handed, fate, at)
            return Verdict(part_id, None, fate.breakage, delay_s=self.settings.latency_s)
        return self._take_troubled(handed, given, fate, at)

    def _take_troubled(self, handed: Handed, given: Submission, fate: Fate, at: float) -> Verdict:
        """What goes wrong after the work was done."""
        is_early = fate.is_early or self._strike("receipt_early", given) is not None
        if is_early:
            self._transit.end(handed, at=at)
            self._answer_arrived()
        else:
            handed.is_silent = self._strike("receipt_lost", given) is not None
            handed.copies = 3 if self._strike("receipt_duplicated", given) else 1
            late = self._strike("receipt_late", given)
            is_disordered = self._strike("receipt_reordered", given) is not None
            late_s = 0.0 if late is None else late.seconds
            self._carry(handed, fate, at, late_s=late_s, is_disordered=is_disordered)
        breakage, delay_s = fate.breakage, self.settings.latency_s
        if given.via is Via.SMPP:
            breakage = self._breakage(given) or breakage
            slow = self._strike("slow", given)
            delay_s += 0.0 if slow is None else slow.seconds
        return Verdict(handed.id, None, breakage, is_early, delay_s)

    def _carry(
        self, handed: Handed, fate: Fate, at: float, *, late_s: float = 0.0, is_disordered: bool = False
    ) -> None:
        handed.copies = max(handed.copies, fate.copies)
        handed.is_silent = handed.is_silent or fate.is_silent
        self._transit.carry(handed, fate, at=at, late_s=late_s, is_disordered=is_disordered)

    def _breakage(self, given: Submission) -> Breakage | None:
        if self._strike("timeout_after", given):
            return Breakage.HANG_AFTER
        return Breakage.RESET if self._strike("reset_after", given) else None

    def _strike(self, fault: str, given: Submission) -> Strike | None:
        operation = "smpp.submit" if given.via is Via.SMPP else "messages.send"
        return self._realm.faults.strikes(fault, operation=operation, account=given.account, number=given.recipient)

    def _id(self, via: Via, at: float) -> str:
        number = self._first_id + self._serial
        if via is Via.BANDWIDTH:
            return f"{int(at * 1000)}s{number:015x}"
        if self.settings.counts_from_one:
            number = self._serial
        return str(number) if self.settings.ids in (IdForm.DECIMAL, IdForm.MIXED_BACK) else f"{number:X}"

    # ── handsets ────────────────────────────────────────────────────────────────────────────────────────────

    def say(self, handset: str, to: str, text: str, *, media: Sequence[str] = (), account: str, at: float) -> list[str]:
        """A handset texts one of the customer's numbers; answers the ids of the parts.

        It comes the way on which that number last sent; pictures come over HTTP only.
        """
        via = Via.BANDWIDTH if media else self._vias.get(to, self.settings.via)
        whole = Inbound(0, "", account, via, handset, to, text, tuple(media), at, measure(text).segments)
        ids: list[str] = []
        alphabet, is_packed = self.settings.alphabet, self.settings.is_packed
        for part in _parts_of(whole, self._serial + 1, alphabet=alphabet, is_packed=is_packed):
            self._serial += 1
            part.serial, part.id = self._serial, self._id(via, at)
            self._transit.records.append(InboundSent(part))
            self._transit.tell(part)
            ids.append(part.id)
        self.book.counts["inbound"] += 1
        return ids

    def script(self, handset: str, replies: Iterable[str]) -> None:
        """What a handset answers to the texts that come next, one each."""
        self._scripts[handset] = deque(replies)

    def _answer_arrived(self) -> None:
        arrived, self._transit.arrived = self._transit.arrived, []
        for text in arrived:
            replies = self._scripts.get(text.recipient)
            said = replies.popleft() if replies else fate_of(text.recipient).reply
            if said:
                reply = Reply(text.account, text.recipient, text.sender, said)
                self._transit.plan_reply(reply, at=(text.delivered_at or 0.0) + self.settings.reply_after_s)

    # ── time, and telling ───────────────────────────────────────────────────────────────────────────────────

    @property
    def waiting(self) -> dict[tuple[str, Via], deque[Telling]]:
        """What is to be told now, by account and way, oldest first; take from the left."""
        return self._transit.waiting

    @property
    def open(self) -> int:
        """Parts and handsets' texts whose end is not acknowledged yet."""
        return self._transit.open

    @property
    def next_at(self) -> float | None:
        """When something will next happen to a text."""
        return self._transit.next_at

    def advance(self, until: float) -> None:
        """Let everything happen to texts that is due by an instant."""
        while (next_at := self._transit.next_at) is not None and next_at <= until:
            replies = self._transit.advance(until)
            if self._transit.arrived:
                self._answer_arrived()
            for due, reply in replies:
                self.say(reply.handset, reply.to, reply.text, account=reply.account, at=due)

    def acknowledge(self, telling: Telling) -> None:
        """The customer has it."""
        self._transit.acknowledge(telling)

    def give_back(self, telling: Telling, *, at: float) -> None:
        """The customer does not have it, or nobody knows: it is told again, later each time."""
        self._transit.give_back(telling, at=at)

    # ── over a restart ──────────────────────────────────────────────────────────────────────────────────────

    def take_records(self) -> list[Record]:
        """What has happened since the last call that must survive."""
        records, self._transit.records = self._transit.records, []
        return records

    def restore(self, records: Sequence[Record]) -> None:
        """Put back what was read from disk, into a desk that is still empty; what was under way goes on."""
        settled = {record.serial for record in records if isinstance(record, Settled)}
        ended = {record.serial: record.at for record in records if isinstance(record, PartEnded)}
        for record in records:
            if isinstance(record, PartAccepted):
                self._serial = max(self._serial, record.serial)
                self._restore_part(record, ended.get(record.serial), is_settled=record.serial in settled)
            elif isinstance(record, InboundSent):
                self._serial = max(self._serial, record.serial)
                if record.serial not in settled:
                    self._transit.tell(record.inbound)
        self._transit.arrived.clear()
        self._transit.records.clear()

    def _restore_part(self, part: PartAccepted, ended_at: float | None, *, is_settled: bool) -> None:
        given, fate = part.given, fate_of(part.given.recipient)
        self._vias[given.sender] = given.via
        handed = self._transit.open_part(part.serial, part.part_id, given, part.ending, at=part.at)
        handed.copies, handed.is_silent = fate.copies, fate.is_silent
        if ended_at is None:
            self._carry(handed, fate, part.at)
        elif is_settled:
            self._transit.close(handed, at=ended_at)
        else:
            self._transit.end(handed, at=ended_at)


def _parts_of(whole: Inbound, reference: int, *, alphabet: Alphabet, is_packed: bool) -> list[Inbound]:
    """How a handset sends a text: over SMPP in parts of 140 octets, over HTTP whole."""
    if whole.via is Via.BANDWIDTH:
        return [whole]
    coding = coding_of(whole.text, alphabet=alphabet, is_packed=is_packed)
    return [
        Inbound(
            0,
            "",
            whole.account,
            whole.via,
            whole.sender,
            whole.recipient,
            whole.text,
            (),
            whole.at,
            1,
            part.udh,
            part.body,
            coding is Coding.UCS2,
        )
        for part in parts(whole.text, coding, reference=reference)
    ]
