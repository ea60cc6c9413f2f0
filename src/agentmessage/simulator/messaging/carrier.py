"""Accepts or rejects messages, carries them to their handsets, and delivers receipts and replies.

Pure, like the world that it belongs to: `submit`, `send_from_handset` and `advance` are given the time. `waiting` holds
what is ready to be delivered; the sender reports each with `acknowledge` or `redeliver`. `take_records` is what must be
stored.
"""

from collections import deque
from collections.abc import Iterable, Sequence

from msgspec import Struct

from agentmessage.kernel.token_bucket import TokenBucket
from agentmessage.simulator.core.account import SimulatedAccount
from agentmessage.simulator.core.faults import FaultHit, FaultInjector
from agentmessage.simulator.core.http_types import Breakage
from agentmessage.simulator.core.shared_state import SharedState
from agentmessage.simulator.messaging.history import MessageHistory
from agentmessage.simulator.messaging.magic_numbers import (
    QUEUE_FULL,
    RECIPIENT_INVALID,
    SENDER_UNKNOWN,
    SUSPENDED,
    SYSTEM_ERROR,
    THROTTLED,
    UNREGISTERED,
    MagicOutcome,
    SubmitError,
    final_status_of,
    outcome_of,
)
from agentmessage.simulator.messaging.model import (
    AcceptedPart,
    CustomerDelivery,
    FinalStatus,
    InboundPart,
    Submission,
    Via,
)
from agentmessage.simulator.messaging.records import InboundSent, PartAccepted, PartEnded, Record, Settled
from agentmessage.simulator.messaging.settings import IdForm, MessagingSettings
from agentmessage.simulator.messaging.transit import HandsetReply, Transit, operator_of
from agentmessage.sms.numbers import is_e164
from agentmessage.sms.segments import Alphabet, Coding, coding_of, measure, parts


class SubmitOutcome(Struct, frozen=True, gc=False):
    """Our id, or an error. With `breakage` there is no response; with `is_early` a receipt precedes it."""

    id: str = ""
    error: SubmitError | None = None
    breakage: Breakage | None = None
    is_early: bool = False
    delay_s: float = 0.0


class MessagingCarrier:
    """The messages of both accounts."""

    def __init__(self, shared: SharedState, *, started_at: float) -> None:
        self._shared = shared
        self.history = MessageHistory()
        self.settings = MessagingSettings()
        self.is_disconnect_requested = False
        """Whether every SMPP connection shall be closed; the runtime does it and resets this."""
        self._transit = Transit(shared, self.history)
        self._serial = 0
        # Ids grow over restarts too, also when an empty world is started for a customer with ids of an earlier one.
        self._first_id = int(started_at) << 24
        self._rejected_to: dict[str, int] = {}
        self._vias: dict[str, Via] = {}
        self._scripts: dict[str, deque[str]] = {}
        self._bucket = TokenBucket()

    # ── accepting messages ──────────────────────────────────────────────────────────────────────────────────

    def submit(self, submission: Submission, *, at: float) -> SubmitOutcome:
        """Accept or reject a part, or a whole message."""
        faults = self._shared.faults
        if (
            submission.via is Via.SMPP
            and not faults.is_quiet
            and (fault_outcome := self._fault(faults, submission, at)) is not None
        ):
            self.history.counts["faulted"] += 1
            return fault_outcome
        outcome = outcome_of(submission.recipient)
        account = self._shared.accounts[submission.account]
        error = self._submit_error(submission, account, outcome, at)
        if error is not None:
            self.history.counts[f"rejected_{error.name}"] += 1
            return SubmitOutcome(error=error)
        if outcome.breakage is Breakage.HANG_BEFORE:
            return SubmitOutcome(breakage=outcome.breakage)
        return self._accept(submission, outcome, self._final_status(submission, account, outcome, at), at)

    def _fault(self, faults: FaultInjector, submission: Submission, at: float) -> SubmitOutcome | None:
        """The fault before an SMPP message is handled; the world does this for HTTP."""
        match faults.outage_at(at, "smpp.submit"):
            case "hang":
                return SubmitOutcome(breakage=Breakage.HANG_BEFORE)
            case "error":
                return SubmitOutcome(error=SYSTEM_ERROR)
            case _:
                pass
        if self._hit("timeout_before", submission):
            return SubmitOutcome(breakage=Breakage.HANG_BEFORE)
        if self._hit("error_before", submission):
            return SubmitOutcome(error=SYSTEM_ERROR)
        if self._hit("rate_limited", submission):
            return SubmitOutcome(error=THROTTLED)
        return SubmitOutcome(error=QUEUE_FULL) if self._hit("queue_full", submission) else None

    def _submit_error(
        self, submission: Submission, account: SimulatedAccount, outcome: MagicOutcome, at: float
    ) -> SubmitError | None:
        settings = self.settings
        if settings.checks_senders and submission.sender not in account.lines:
            return SENDER_UNKNOWN
        if not is_e164(submission.recipient):
            return RECIPIENT_INVALID
        if outcome.error is not None and self._still_rejects(outcome, submission.recipient):
            return outcome.error
        per_second = settings.max_messages_per_second
        if per_second is not None and self._bucket.take(at, capacity=max(1.0, per_second), per_second=per_second) > 0:
            return THROTTLED
        is_full = settings.max_open_parts is not None and self._transit.open >= settings.max_open_parts
        return QUEUE_FULL if is_full else None

    def _still_rejects(self, outcome: MagicOutcome, recipient: str) -> bool:
        if not outcome.error_count:
            return True
        rejected = self._rejected_to.get(recipient, 0)
        self._rejected_to[recipient] = rejected + 1
        return rejected < outcome.error_count

    def _final_status(
        self, submission: Submission, account: SimulatedAccount, outcome: MagicOutcome, at: float
    ) -> FinalStatus:
        """The future status of a message; a sender without a campaign at the recipient's operator comes first."""
        if self.settings.checks_senders:
            campaign_id = account.lines[submission.sender].operators(at)[operator_of(submission.recipient)]
            if campaign_id is None:
                return UNREGISTERED
            campaign = account.campaigns.get(campaign_id)
            if campaign is None or not campaign.may_carry_numbers:
                return SUSPENDED
        if not self._shared.faults.is_quiet and (hit := self._hit("message_failed", submission)) is not None:
            return final_status_of(hit.code, hit.text)
        return outcome.final_status

    def _accept(
        self, submission: Submission, outcome: MagicOutcome, final_status: FinalStatus, at: float
    ) -> SubmitOutcome:
        self._serial += 1
        part_id = self._id(submission.via, at)
        part = self._transit.open_part(self._serial, part_id, submission, final_status, at=at)
        self._transit.records.append(PartAccepted(self._serial, part_id, at, submission, final_status))
        self._vias[submission.sender] = submission.via
        if self._shared.faults.is_quiet and not outcome.is_early:
            self._schedule(part, outcome, at)
            return SubmitOutcome(part_id, None, outcome.breakage, delay_s=self.settings.latency_s)
        return self._accept_with_faults(part, submission, outcome, at)

    def _accept_with_faults(
        self, part: AcceptedPart, submission: Submission, outcome: MagicOutcome, at: float
    ) -> SubmitOutcome:
        """Apply the faults that happen after a message was accepted."""
        is_early = outcome.is_early or self._hit("receipt_early", submission) is not None
        if is_early:
            self._transit.end(part, at=at)
            self._reply_to_arrived()
        else:
            part.is_silent = self._hit("receipt_lost", submission) is not None
            part.copies = 3 if self._hit("receipt_duplicated", submission) else 1
            late = self._hit("receipt_late", submission)
            is_reordered = self._hit("receipt_reordered", submission) is not None
            late_s = 0.0 if late is None else late.seconds
            self._schedule(part, outcome, at, late_s=late_s, is_reordered=is_reordered)
        breakage, delay_s = outcome.breakage, self.settings.latency_s
        if submission.via is Via.SMPP:
            breakage = self._breakage(submission) or breakage
            slow = self._hit("slow", submission)
            delay_s += 0.0 if slow is None else slow.seconds
        return SubmitOutcome(part.id, None, breakage, is_early, delay_s)

    def _schedule(
        self, part: AcceptedPart, outcome: MagicOutcome, at: float, *, late_s: float = 0.0, is_reordered: bool = False
    ) -> None:
        part.copies = max(part.copies, outcome.copies)
        part.is_silent = part.is_silent or outcome.is_silent
        self._transit.schedule_part(part, outcome, at=at, late_s=late_s, is_reordered=is_reordered)

    def _breakage(self, submission: Submission) -> Breakage | None:
        if self._hit("timeout_after", submission):
            return Breakage.HANG_AFTER
        return Breakage.RESET if self._hit("reset_after", submission) else None

    def _hit(self, fault: str, submission: Submission) -> FaultHit | None:
        operation = "smpp.submit" if submission.via is Via.SMPP else "messages.send"
        return self._shared.faults.hit(
            fault, operation=operation, account=submission.account, number=submission.recipient
        )

    def _id(self, via: Via, at: float) -> str:
        number = self._first_id + self._serial
        if via is Via.BANDWIDTH:
            return f"{int(at * 1000)}s{number:015x}"
        if self.settings.counts_from_one:
            number = self._serial
        return str(number) if self.settings.ids in (IdForm.DECIMAL, IdForm.MIXED_BACK) else f"{number:X}"

    # ── handsets ────────────────────────────────────────────────────────────────────────────────────────────

    def send_from_handset(
        self, handset: str, to: str, text: str, *, media: Sequence[str] = (), account: str, at: float
    ) -> list[str]:
        """Send a message from a handset to a number of the customer; returns the ids of the parts.

        It takes the protocol of the number's last message; media is sent over HTTP only.
        """
        via = Via.BANDWIDTH if media else self._vias.get(to, self.settings.via)
        complete = InboundPart(0, "", account, via, handset, to, text, tuple(media), at, measure(text).segments)
        ids: list[str] = []
        alphabet, is_packed = self.settings.alphabet, self.settings.is_packed
        for part in _parts_of(complete, self._serial + 1, alphabet=alphabet, is_packed=is_packed):
            self._serial += 1
            part.serial, part.id = self._serial, self._id(via, at)
            self._transit.records.append(InboundSent(part))
            self._transit.deliver_inbound(part)
            ids.append(part.id)
        self.history.counts["inbound"] += 1
        return ids

    def script(self, handset: str, replies: Iterable[str]) -> None:
        """Set the replies of a handset to its next messages."""
        self._scripts[handset] = deque(replies)

    def _reply_to_arrived(self) -> None:
        arrived, self._transit.arrived = self._transit.arrived, []
        for message in arrived:
            replies = self._scripts.get(message.recipient)
            reply_text = replies.popleft() if replies else outcome_of(message.recipient).reply
            if reply_text:
                reply = HandsetReply(message.account, message.recipient, message.sender, reply_text)
                self._transit.schedule_reply(reply, at=(message.delivered_at or 0.0) + self.settings.reply_after_s)

    # ── time, and delivery ──────────────────────────────────────────────────────────────────────────────────

    @property
    def waiting(self) -> dict[tuple[str, Via], deque[CustomerDelivery]]:
        """What is ready to be delivered, by account and protocol, oldest first; take from the left."""
        return self._transit.waiting

    @property
    def open(self) -> int:
        """Number of parts and inbound parts that are not finished and acknowledged."""
        return self._transit.open

    @property
    def next_at(self) -> float | None:
        """When the next step of a message is due."""
        return self._transit.next_at

    def advance(self, until: float) -> None:
        """Run every step of messages that is due."""
        while (next_at := self._transit.next_at) is not None and next_at <= until:
            replies = self._transit.advance(until)
            if self._transit.arrived:
                self._reply_to_arrived()
            for due, reply in replies:
                self.send_from_handset(reply.handset, reply.to, reply.text, account=reply.account, at=due)

    def acknowledge(self, delivery: CustomerDelivery) -> None:
        """The customer acknowledged a delivery."""
        self._transit.acknowledge(delivery)

    def redeliver(self, delivery: CustomerDelivery, *, at: float) -> None:
        """The customer did not acknowledge a delivery: retry it later, with growing delays."""
        self._transit.redeliver(delivery, at=at)

    # ── over a restart ──────────────────────────────────────────────────────────────────────────────────────

    def take_records(self) -> list[Record]:
        """The records since the last call, to be stored."""
        records, self._transit.records = self._transit.records, []
        return records

    def restore(self, records: Sequence[Record]) -> None:
        """Restore stored records into an empty carrier; messages in transit continue."""
        settled = {record.serial for record in records if isinstance(record, Settled)}
        ended = {record.serial: record.at for record in records if isinstance(record, PartEnded)}
        for record in records:
            if isinstance(record, PartAccepted):
                self._serial = max(self._serial, record.serial)
                self._restore_part(record, ended.get(record.serial), is_settled=record.serial in settled)
            elif isinstance(record, InboundSent):
                self._serial = max(self._serial, record.serial)
                if record.serial not in settled:
                    self._transit.deliver_inbound(record.inbound)
        self._transit.arrived.clear()
        self._transit.records.clear()

    def _restore_part(self, record: PartAccepted, ended_at: float | None, *, is_settled: bool) -> None:
        submission, outcome = record.submission, outcome_of(record.submission.recipient)
        self._vias[submission.sender] = submission.via
        part = self._transit.open_part(record.serial, record.part_id, submission, record.final_status, at=record.at)
        part.copies, part.is_silent = outcome.copies, outcome.is_silent
        if ended_at is None:
            self._schedule(part, outcome, record.at)
        elif is_settled:
            self._transit.close(part, at=ended_at)
        else:
            self._transit.end(part, at=ended_at)


def _parts_of(complete: InboundPart, reference: int, *, alphabet: Alphabet, is_packed: bool) -> list[InboundPart]:
    """Split a message of a handset: over SMPP in parts of 140 octets, over HTTP not at all."""
    if complete.via is Via.BANDWIDTH:
        return [complete]
    coding = coding_of(complete.text, alphabet=alphabet, is_packed=is_packed)
    return [
        InboundPart(
            0,
            "",
            complete.account,
            complete.via,
            complete.sender,
            complete.recipient,
            complete.text,
            (),
            complete.at,
            1,
            part.udh,
            part.body,
            coding is Coding.UCS2,
        )
        for part in parts(complete.text, coding, reference=reference)
    ]
