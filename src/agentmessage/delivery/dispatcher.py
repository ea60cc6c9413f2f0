"""Hands texts over: claims what may go now, fairly and at the pace that is granted, and tells the line.

    lanes ─▶ shares ─▶ buckets ─▶ pick ─▶ judge ─▶ claim, commit ─▶ hand over ─▶ recording

Organizations take turns, then the campaigns of each, so that one tenant's million texts do not delay another's one. No
more is claimed than the line has room for: what a crash leaves in doubt is at most what was in flight.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from msgspec import Struct

from agentmessage.carriers.messaging import PumpedCarrier, TextAnswer, TextCarrier
from agentmessage.compliance import operations as compliance
from agentmessage.compliance.model import Decision, SendRequest
from agentmessage.delivery import dispatch_queries, recheck
from agentmessage.delivery.dispatch_queries import Picked, Text
from agentmessage.delivery.model import Claim, Over
from agentmessage.delivery.queue_rotation import Lanes
from agentmessage.delivery.rate_limits import rules as rate_limit_rules
from agentmessage.delivery.rate_limits.limiter import Drawing
from agentmessage.delivery.rate_limits.rules import Lane, LaneFacts
from agentmessage.delivery.recorder import Recorder
from agentmessage.kernel.db import DATABASE_UNAVAILABLE, CellDb, Tx
from agentmessage.messages.model import displayed_text

log = structlog.get_logger("agentmessage.messages")

LEASE_S = 20.0
"""How long a claim outlives a worker that says nothing; a living one prolongs it."""

MOST = 250
IDLE_S = 1.0
"""The longest between two looks at an empty queue: a bell rings sooner."""

MOST_IN_VAIN = 2
IN_VAIN_S = 0.1
"""Whoever is called again and again for others' texts looks up less often; after some quiet it is there at once."""

COALESCE_S = 0.002
"""While most of the window is in flight: claiming for two places costs as much as for a hundred."""


class Rules(Struct, frozen=True, kw_only=True):
    """What the operator has decided. 0 texts: no limit. `daily_cap`: whom T-Mobile's cap counts: lookup, all, off."""

    requires_propagation: bool = True
    max_segments_per_second: int = 0
    max_segments_per_number_per_minute: int = 0
    daily_cap: str = "lookup"


class Dispatcher:
    """One worker's hand-over of one cell's texts to one line. `token` marks its claims."""

    def __init__(
        self,
        db: CellDb,
        account: str,
        line: TextCarrier,
        recorder: Recorder,
        *,
        token: UUID,
        rules: Rules,
        channels: frozenset[str] | None = None,
    ) -> None:
        self._db = db
        self._account = account
        self._line = line
        self._pumped = line if isinstance(line, PumpedCarrier) else None
        self._recorder = recorder
        self._token = token
        self._rules = rules
        self._channels = sorted(channels if channels is not None else line.channels)
        self._lanes = Lanes(db, account, self._channels)
        self._flying: set[UUID] = set()
        self._most_room = 1
        self._round_wait_s = IDLE_S
        self._looked_at = 0.0
        self._in_vain = 0
        self._landed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def until_room(self) -> None:
        """Wait until a turn is worthwhile."""
        await self._line.until_room()
        room = self._line.room
        self._most_room = max(self._most_room, room)
        if room * 2 < self._most_room and self._flying:
            await asyncio.sleep(COALESCE_S)
        elif self._in_vain > MOST_IN_VAIN and not self._lanes.is_mid_round:
            await asyncio.sleep(IN_VAIN_S)

    async def turn(self) -> float:
        """Claim what may go now and hand it over; answers how many seconds there is surely nothing to do.

        Let it come to its end: what it has claimed it must hand over.
        """
        if self._recorder.is_behind:
            return IDLE_S
        ready = await self._lanes.next_ready()
        self._note_look(found=bool(ready))
        shares = rate_limit_rules.shares(ready, min(self._line.room, MOST))
        if ready and not shares:
            return 0.0
        self._lanes.went(shares.keys())
        if not ready:
            return self._rest_s(IDLE_S)
        facts = await self._lanes.facts(list(shares))
        if await self._split(facts, shares):
            return 0.0
        claims, overs, wait_s = await self._claim_safely(shares, facts)
        for claim, outcome in overs:
            self._recorder.add(claim, outcome)
        for claim in claims:
            self._hand_over(claim)
        return self._rest_s(0.0 if claims or overs else wait_s)

    async def prolong(self) -> None:
        """Say that this worker holds what it has handed over or learned; what it has lost sight of becomes unknown."""
        held = self.held
        if held:
            await dispatch_queries.prolong(self._db, self._token, held, until=self._lease())

    @property
    def held(self) -> Sequence[UUID]:
        """Messages whose outcome this worker waits for, or knows and has not recorded yet."""
        return [*self._flying, *self._recorder.held]

    async def until_landed(self) -> None:
        """Wait until the line has answered for everything that was handed over."""
        while self._flying:
            self._landed.clear()
            await self._landed.wait()

    def _note_look(self, *, found: bool) -> None:
        """Count the looks in vain that follow each other closely: the bell rings for texts of all lines."""
        now = asyncio.get_running_loop().time()
        self._in_vain = 0 if found or now - self._looked_at > IN_VAIN_S * 2 else self._in_vain + 1
        self._looked_at = now

    def _rest_s(self, wait_s: float) -> float:
        """Nothing in the middle of a round; at its end the least that any of its turns would have waited."""
        self._round_wait_s = min(self._round_wait_s, wait_s)
        if self._lanes.is_mid_round:
            return 0.0
        rest_s, self._round_wait_s = self._round_wait_s, IDLE_S
        return rest_s

    async def _split(self, facts: Mapping[UUID, LaneFacts], shares: Mapping[Lane, int]) -> bool:
        """Give the numbers of a lane lanes of their own, where each has a pace of its own; True: some was changed."""
        is_split = False
        for lane in shares:
            known = facts.get(lane.id)
            if (
                known is not None
                and known.number_id is None
                and (self._rules.max_segments_per_number_per_minute or rate_limit_rules.is_per_number(known))
            ):
                is_split = bool(await dispatch_queries.move_to_number_lanes(self._db, lane)) or is_split
        return is_split

    async def _claim_safely(
        self, shares: Mapping[Lane, int], facts: Mapping[UUID, LaneFacts]
    ) -> tuple[list[Claim], list[tuple[Claim, Over]], float]:
        """As `_claim`; but a lane that cannot be judged stands alone, and the others go on."""
        try:
            return await self._claim(shares, facts)
        except DATABASE_UNAVAILABLE:
            raise
        except compliance.CapCounterConflict:
            return await self._claim_safely(shares, facts)
        except Exception:
            log.exception("messages not claimed", queues=len(shares))
            if len(shares) == 1:
                return [], [], IDLE_S
        claims: list[Claim] = []
        overs: list[tuple[Claim, Over]] = []
        for lane, share in shares.items():
            more = await self._claim_safely({lane: share}, facts)
            claims += more[0]
            overs += more[1]
        return claims, overs, IDLE_S

    async def _claim(
        self, shares: Mapping[Lane, int], facts: Mapping[UUID, LaneFacts]
    ) -> tuple[list[Claim], list[tuple[Claim, Over]], float]:
        """Take texts in one transaction: those to hand over, those that must not go any more, and the wait if none."""
        async with self._db.transaction() as tx:
            drawing = Drawing(tx, self._account, self._rules, facts)
            open_lanes = await drawing.open(list(shares), self._channels)
            if not open_lanes:
                return [], [], drawing.wait_s
            picked = await dispatch_queries.pick(
                tx, self._account, self._channels, open_lanes, [shares[lane] for lane in open_lanes]
            )
            if not picked:
                return [], [], 0.0
            judged, go, overs, put_off = await self._judge(tx, picked)
            go = await drawing.draw(go)
            await compliance.count_submissions(tx, judged, [claim.message_id for claim in go])
            put_off |= drawing.put_off
            if put_off:
                await dispatch_queries.put_off(tx, list(put_off), list(put_off.values()))
            taken = [*go, *(claim for claim, _ in overs)]
            if taken:
                ids = [claim.message_id for claim in taken]
                await dispatch_queries.claim(tx, ids, token=self._token, until=self._lease())
            await drawing.save()
        return go, overs, drawing.wait_s

    async def _judge(
        self, tx: Tx, picked: Sequence[Picked]
    ) -> tuple[Mapping[UUID, Decision], list[Claim], list[tuple[Claim, Over]], dict[UUID, datetime]]:
        """What the law says of texts: which may go now, which never, and which later."""
        texts = {text.id: text for text in await dispatch_queries.list_texts(tx, [one.message_id for one in picked])}
        claims = {one.message_id: _claimed(one, texts[one.message_id]) for one in picked}
        overs: list[tuple[Claim, Over]] = []
        asks: dict[UUID, SendRequest] = {}
        for one in picked:
            text = texts[one.message_id]
            over = recheck.over(text.text, text.media, expires_at=one.expires_at, now=tx.now)
            if over is None:
                asks[one.message_id] = self._ask(one, text, tx.now)
            else:
                overs.append((claims[one.message_id], over))
        judged = await compliance.recheck(tx, asks, requires_propagation=self._rules.requires_propagation)
        go: list[Claim] = []
        put_off: dict[UUID, datetime] = {}
        for message_id, verdict in judged.items():
            if verdict.error is not None:
                overs.append((claims[message_id], recheck.unlawful(verdict.error)))
            elif verdict.ready_at is not None:
                put_off[message_id] = verdict.ready_at
            else:
                go.append(claims[message_id])
        return judged, go, overs, put_off

    def _ask(self, picked: Picked, text: Text, now: datetime) -> SendRequest:
        return SendRequest(picked.org_id, self._account, text.sender, text.recipient, text.kind, now)

    def _hand_over(self, claim: Claim) -> None:
        self._flying.add(claim.message_id)
        if self._pumped is not None:
            self._pumped.hand_over(claim.outbound(), self._answered(claim))
            return
        task = asyncio.get_running_loop().create_task(self._send(self._line, claim))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, line: TextCarrier, claim: Claim) -> None:
        self._answered(claim)(await line.send(claim.outbound()))

    def _answered(self, claim: Claim) -> Callable[[TextAnswer], None]:
        def answered(answer: TextAnswer) -> None:
            self._flying.discard(claim.message_id)
            self._recorder.add(claim, answer)
            if not self._flying:
                self._landed.set()

        return answered

    def _lease(self) -> datetime:
        return self._db.now + timedelta(seconds=LEASE_S)


def _claimed(picked: Picked, text: Text) -> Claim:
    return Claim(
        text.id,
        picked.org_id,
        text.phone_number_id,
        picked.queue_id,
        text.brand_id,
        text.kind,
        text.sender,
        text.recipient,
        displayed_text(text.text, text.appended_text, is_smart=text.is_smart),
        text.media,
        text.channel,
        text.segments,
        text.priority,
        text.unit_price_microcents * text.segments,
        picked.expires_at,
        picked.attempts,
    )
