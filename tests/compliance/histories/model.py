"""The law by hand: what the specification says may be handed over, written without looking at how the house decides.

Nothing of the house is imported. Clocks are asked minute by minute, lists are counted from the start: slow and plain.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

Hours = tuple[int, int]
ALWAYS: Hours = (0, 24)
NO_DAY: Hours = (0, 0)

CODES = {
    "unregistered": "SENDER_NOT_REGISTERED",
    "opted out": "RECIPIENT_OPTED_OUT",
    "no consent": "CONSENT_REQUIRED",
    "stale consent": "CONSENT_STALE",
    "fixed line": "LINE_TYPE_BLOCKED",
    "asleep": "QUIET_HOURS",
}
"""What sending answers for each reason, in the order in which reasons are told."""

FOR_GOOD = ("unregistered", "opted out", "no consent", "stale consent", "fixed line", "too old")
"""Reasons that end a message; the others make it wait."""

EVERY_MINUTE = timedelta(minutes=1)
BLUR = timedelta(milliseconds=20)
"""Between the decision and the hand-over: what changes within it may be seen either way."""


@dataclass(frozen=True)
class Contact:
    """Somebody who may be in any of the zones, under a state's hours by weekday, Monday first."""

    number: str
    zones: tuple[ZoneInfo, ...]
    week: tuple[Hours, ...] = (ALWAYS,) * 7


def in_zones(*names: str) -> tuple[ZoneInfo, ...]:
    return tuple(ZoneInfo(name) for name in names)


def days(every_day: Hours, *, saturday: Hours | None = None, sunday: Hours | None = None) -> tuple[Hours, ...]:
    return (*(every_day,) * 5, saturday or every_day, sunday or every_day)


ANYWHERE = in_zones("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")

CONTACTS = [
    Contact("+12125550188", in_zones("America/New_York")),
    Contact("+12085550188", in_zones("America/Boise", "America/Los_Angeles")),
    Contact("+16055550188", in_zones("America/Denver", "America/Chicago")),
    Contact("+18005550188", ANYWHERE, days((9, 20), sunday=NO_DAY)),
    Contact("+16025550188", in_zones("America/Phoenix")),
    Contact("+19075550188", in_zones("America/Adak", "America/Anchorage")),
    Contact("+15045550188", in_zones("America/Chicago"), days((8, 20), sunday=NO_DAY)),
    Contact("+12145550188", in_zones("America/Chicago"), days((9, 21), sunday=(12, 21))),
    Contact("+14015550188", in_zones("America/New_York"), days((9, 18), saturday=(10, 17), sunday=(10, 17))),
    Contact("+18085550188", in_zones("Pacific/Honolulu")),
    Contact("+442079460018", in_zones("Europe/London")),
]


@dataclass
class Guards:
    """The guardrails of one scope; None inherits, False is off. Quiet: minutes of the day, whether messages wait."""

    quiet: tuple[int, int, bool] | bool | None = None
    cap: tuple[int, int] | bool | None = None
    age_days: int | bool | None = None


@dataclass
class Campaign:
    """A campaign as the registry has it, and the brand that it is of."""

    brand: int
    is_active: bool = True
    is_suspended: bool = False


@dataclass
class Sender:
    """One of our numbers, as its carrier has it, on one of the campaigns."""

    campaign: int
    is_attached: bool = True
    is_propagated: bool = True


@dataclass
class Stop:
    """A STOP, which number was told, and what it reaches. `opened` are numbers that were told START afterwards."""

    contact: int
    told: int
    reach: set[str]
    opened: set[int] = field(default_factory=set[int])


@dataclass
class Record:
    """What is on record about a pair."""

    since: datetime | None = None
    said_no: str | None = None
    no_at: datetime | None = None
    asked_at: datetime | None = None


@dataclass
class Text:
    """A message that was accepted. `waits_until`: there was a reason to keep it back until then."""

    id: UUID
    sender: int
    contact: int
    campaign: int
    kind: str
    due_at: datetime
    expires_at: datetime
    is_taken_back: bool = False
    waits_until: datetime | None = None
    offers: int = 0
    is_open: bool = True

    @property
    def is_from_a_customer(self) -> bool:
        return self.kind == "customer"


@dataclass(frozen=True)
class Handed:
    """One hand-over, and the scope whose cap counted it."""

    contact: int
    scope: str
    at: datetime


@dataclass
class Model:
    """Everything that messages are decided by, and the messages themselves."""

    contacts: Sequence[Contact]
    senders: Sequence[Sender]
    campaigns: Sequence[Campaign]
    scopes: dict[str, Guards]
    opt_out_scope: str = "brand"
    stops: list[Stop] = field(default_factory=list[Stop])
    last_sent: dict[tuple[int, int], tuple[datetime, UUID, int]] = field(
        default_factory=dict[tuple[int, int], tuple[datetime, UUID, int]]
    )
    records: dict[tuple[int, int], Record] = field(default_factory=dict[tuple[int, int], Record])
    fixed_since: dict[int, datetime] = field(default_factory=dict[int, datetime])
    messages: dict[UUID, Text] = field(default_factory=dict[UUID, Text])
    handed: list[Handed] = field(default_factory=list[Handed])

    def record(self, sender: int, contact: int) -> Record:
        return self.records.setdefault((sender, contact), Record())

    # How far a STOP reaches

    def names(self, campaign: int) -> dict[str, str]:
        """A campaign and its brand, by scope."""
        return {"campaign": f"campaign {campaign}", "brand": f"brand {self.campaigns[campaign].brand}"}

    def belongs(self, sender: int) -> set[str]:
        """All that a number is in: itself, its organization, and its campaign and brand while it is attached."""
        line = self.senders[sender]
        return {f"number {sender}", "organization", *(self.names(line.campaign).values() if line.is_attached else ())}

    def reach(self, sender: int, contact: int) -> set[str]:
        """What a STOP to a number means: the number, and by the present scope what it is in or last texted for."""
        reached = {f"number {sender}"}
        line, last = self.senders[sender], self.last_sent.get((sender, contact))
        if self.opt_out_scope == "organization":
            reached.add("organization")
        elif self.opt_out_scope != "number":
            campaigns = [line.campaign] if line.is_attached else []
            campaigns += [last[2]] if last is not None else []
            reached |= {self.names(campaign)[self.opt_out_scope] for campaign in campaigns}
        return reached

    def is_out(self, sender: int, contact: int) -> bool:
        """Some STOP of the contact's reaches the number, and the number was not told START since."""
        return any(
            stop.contact == contact and stop.reach & self.belongs(sender) and sender not in stop.opened
            for stop in self.stops
        )

    # What the contact says

    def stop(self, sender: int, contact: int, at: datetime, by: str = "handset") -> None:
        """Binds always; the handset's own word binds hardest, and reaches further than the pair."""
        record = self.record(sender, contact)
        record.asked_at = None
        if by == "handset":
            self.stops.append(Stop(contact, sender, self.reach(sender, contact)))
            for place in range(len(self.senders)):
                if self.is_out(place, contact):
                    self.record(place, contact).asked_at = None
        if record.said_no == "handset" or (by == "revocation" and record.since is None):
            return
        record.since, record.said_no, record.no_at = None, by, at

    def start(self, sender: int, contact: int, at: datetime) -> None:
        """Renews the consent, or undoes a STOP; not what the customer revoked.

        Every STOP that this number was told reaches nothing any more; those that others were told, not this number.
        """
        record = self.record(sender, contact)
        if record.said_no == "revocation":
            return
        record.since, record.said_no = at, None
        self.stops = [stop for stop in self.stops if (stop.contact, stop.told) != (contact, sender)]
        for stop in self.stops:
            if stop.contact == contact and stop.reach & self.belongs(sender):
                stop.opened.add(sender)

    def say_yes(self, sender: int, contact: int, at: datetime) -> None:
        """Answers a question of the last day; else it means nothing."""
        record = self.record(sender, contact)
        is_asked = record.asked_at is not None and at < record.asked_at + timedelta(hours=24)
        if is_asked and record.said_no is None and not self.is_out(sender, contact):
            record.asked_at, record.since = None, at

    # What the customer says

    def may_attest(self, sender: int, contact: int, captured_at: datetime) -> bool:
        """An attestation does not lift the contact's own no, and a revocation only by newer evidence."""
        record = self.record(sender, contact)
        if self.is_out(sender, contact):
            return False
        if record.said_no == "revocation" and record.no_at is not None:
            return captured_at > record.no_at
        return record.said_no is None

    def attest(self, sender: int, contact: int, captured_at: datetime) -> None:
        record = self.record(sender, contact)
        if record.since is None and self.may_attest(sender, contact, captured_at):
            record.since, record.said_no = captured_at, None

    # What holds

    def ladder(self, sender: int) -> Sequence[str]:
        """Whose guardrails hold for a number, the most specific first: the third has its own, the first brand too."""
        line = self.senders[sender]
        of_brand = line.is_attached and self.campaigns[line.campaign].brand == 0
        return [*(["number"] if sender == 2 else []), *(["brand"] if of_brand else []), "own"]

    def is_registered(self, sender: int) -> bool:
        """The number's campaign works, and its carrier has confirmed it."""
        line = self.senders[sender]
        campaign = self.campaigns[line.campaign]
        return line.is_attached and line.is_propagated and campaign.is_active and not campaign.is_suspended

    def scope_of(self, sender: int, tool: str) -> str | None:
        """The first scope of the sender's that has something to say."""
        for scope in self.ladder(sender):
            if getattr(self.scopes[scope], tool) is not None:
                return scope
        return None

    def guard(self, sender: int, tool: str) -> tuple[int, ...] | int | None:
        """What it says; None: no such guardrail."""
        scope = self.scope_of(sender, tool)
        value = getattr(self.scopes[scope], tool) if scope is not None else None
        return None if value is False else value

    def is_asleep(self, sender: int, contact: int, at: datetime) -> bool:
        """In some place where the contact may be it is quiet, or the state allows no messages."""
        quiet = self.guard(sender, "quiet")
        if not isinstance(quiet, tuple):
            return False
        start, end = quiet[0], quiet[1]
        who = self.contacts[contact]
        for zone in who.zones:
            wall = at.astimezone(zone)
            minute = wall.hour * 60 + wall.minute
            is_night = start <= minute < end if start < end else minute >= start or minute < end
            first, last = who.week[wall.weekday()]
            if is_night or not first * 60 <= minute < last * 60:
                return True
        return False

    def never_wakes(self, sender: int, contact: int, at: datetime) -> bool:
        """No quarter of an hour of a whole week suits everywhere; the windows of the histories begin and end on one."""
        quarter = at.replace(minute=0, second=0, microsecond=0)
        quarters = (quarter + timedelta(minutes=15 * count) for count in range(1, 8 * 96))
        return all(self.is_asleep(sender, contact, moment) for moment in quarters)

    def lets_wait(self, sender: int) -> bool:
        quiet = self.guard(sender, "quiet")
        return isinstance(quiet, tuple) and bool(quiet[2])

    def is_capped(self, sender: int, contact: int, at: datetime) -> bool:
        """The contact was handed as many messages in the window before as the cap of the sender's scope allows."""
        cap = self.guard(sender, "cap")
        if not isinstance(cap, tuple):
            return False
        minutes, most = cap
        scope = self.scope_of(sender, "cap")
        lately = [
            request
            for request in self.handed
            if request.contact == contact and request.scope == scope and at - timedelta(minutes=minutes) < request.at
        ]
        return len(lately) >= most

    def reasons(self, text: Text, at: datetime) -> Iterator[str]:
        """Why a message must not be handed over at this moment."""
        if text.expires_at <= at:
            yield "too old"
        yield from self.objections(text.sender, text.contact, text.kind, at, due_at=at)
        if text.kind != "auto_reply" and self.is_asleep(text.sender, text.contact, at):
            yield "asleep"
        if text.kind != "auto_reply" and self.is_capped(text.sender, text.contact, at):
            yield "capped"

    def objections(self, sender: int, contact: int, kind: str, at: datetime, *, due_at: datetime) -> Iterator[str]:
        """What speaks against it whatever the hour, in the order in which it is told."""
        record = self.record(sender, contact)
        if not self.is_registered(sender):
            yield "unregistered"
        if kind == "auto_reply":
            return
        if record.said_no is not None or self.is_out(sender, contact):
            yield "opted out"
        if kind == "customer":
            if record.since is None:
                yield "no consent"
            age_days = self.guard(sender, "age_days")
            if isinstance(age_days, int) and record.since is not None and due_at - record.since > timedelta(age_days):
                yield "stale consent"
        looked_up_at = self.fixed_since.get(contact)
        if looked_up_at is not None and at - looked_up_at < timedelta(days=90):
            yield "fixed line"

    def hand(self, text: Text, at: datetime) -> None:
        """A message goes out."""
        text.offers += 1
        scope = self.scope_of(text.sender, "cap")
        if text.kind != "auto_reply" and scope is not None and self.guard(text.sender, "cap") is not None:
            self.handed.append(Handed(text.contact, scope, at))

    def free_at(self, text: Text, at: datetime) -> datetime:
        """When there is no more reason to wait, as things stand: at most a week ahead, to the minute."""
        moment = at
        while moment < at + timedelta(days=7) and (
            self.is_asleep(text.sender, text.contact, moment) or self.is_capped(text.sender, text.contact, moment)
        ):
            moment += EVERY_MINUTE
        return moment

    def edge(self, sender: int, contact: int, at: datetime) -> datetime:
        """The next whole minute at which the contact falls asleep or wakes; two days later if there is none."""
        minute = at.replace(second=0, microsecond=0) + timedelta(minutes=1)
        now = self.is_asleep(sender, contact, at)
        end = at + timedelta(days=2)
        while minute < end and self.is_asleep(sender, contact, minute) is now:
            minute += EVERY_MINUTE
        return minute
