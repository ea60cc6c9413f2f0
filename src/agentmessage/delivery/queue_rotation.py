"""Goes round the lanes: organizations in turn, and within each its campaigns in turn."""

import time
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from agentmessage.delivery.rate_limits import queries as rate_limit_queries
from agentmessage.delivery.rate_limits.rules import Lane, LaneFacts
from agentmessage.kernel.db import CellDb

MOST_ORGS = 128
MOST_LANES = 16
"""Looked at in one turn, in each organization; the next turn goes on from there."""

FACTS_S = 15.0
"""How long what the registry says of a campaign is believed: a class changes by a review, which takes days."""

FIRST, LAST = UUID(int=0), UUID(int=2**128 - 1)


class Lanes:
    """One dispatcher's place in the round."""

    def __init__(self, db: CellDb, account: str, channels: Sequence[str]) -> None:
        self._db = db
        self._account = account
        self._channels = channels
        self._after = FIRST
        self._places: dict[UUID, UUID] = {}
        self._found: dict[UUID, dict[Lane, bool]] = {}
        self._facts: dict[UUID, tuple[float, LaneFacts]] = {}

    @property
    def is_mid_round(self) -> bool:
        """There may be lanes that this round has not come to."""
        return self._after != FIRST or bool(self._places)

    async def next_ready(self) -> Sequence[Lane]:
        """The next lanes that have a due text."""
        found = await rate_limit_queries.list_lanes(
            self._db,
            self._account,
            self._channels,
            after=self._after,
            org_ids=list(self._places),
            places=list(self._places.values()),
            most_orgs=MOST_ORGS,
            most_lanes=MOST_LANES,
        )
        self._found = {}
        for one in found:
            lanes = self._found.setdefault(one.org_id, {})
            if one.queue_id is not None:
                lanes[Lane(one.org_id, one.queue_id)] = bool(one.is_ready)
        return [lane for lanes in self._found.values() for lane, is_ready in lanes.items() if is_ready]

    def went(self, served: Collection[Lane]) -> None:
        """These lanes had their turn; the next look begins after the last of them, in each organization and among all.

        Whoever was found ready but not served, for want of room, is not passed over.
        """
        self._forget_gone()
        last_served: UUID | None = None
        is_anyone_left = False
        for org_id, lanes in self._found.items():
            turns = [lane for lane in lanes if lane in served]
            left = [lane for lane, is_ready in lanes.items() if is_ready and lane not in served]
            is_anyone_left = is_anyone_left or bool(left and not turns)
            last_served = org_id if turns else last_served
            if left and turns:
                self._places[org_id] = turns[-1].id
            elif not left and len(lanes) == MOST_LANES:
                self._places[org_id] = next(reversed(lanes)).id
            elif not left:
                self._places.pop(org_id, None)
        last_found = next(reversed(self._found), FIRST)
        if is_anyone_left and last_served is not None:
            self._after = last_served
        else:
            self._after = last_found if len(self._found) == MOST_ORGS else FIRST

    def _forget_gone(self) -> None:
        """Organizations that this look would have met, and has not: nothing of theirs waits any more."""
        last = next(reversed(self._found), FIRST) if len(self._found) == MOST_ORGS else LAST
        for org_id in [one for one in self._places if self._after < one <= last and one not in self._found]:
            del self._places[org_id]

    async def facts(self, lanes: Sequence[Lane]) -> Mapping[UUID, LaneFacts]:
        """What the registry says of lanes, as of a few seconds ago."""
        now = time.monotonic()
        unknown = [lane for lane in lanes if lane.id not in self._facts or self._facts[lane.id][0] < now]
        if unknown:
            if len(self._facts) > FACTS_KEPT:
                self._facts.clear()
                unknown = list(lanes)
            for fact in await rate_limit_queries.list_facts(self._db, unknown):
                self._facts[fact.id] = (now + FACTS_S, fact)
        return {lane.id: self._facts[lane.id][1] for lane in lanes if lane.id in self._facts}


FACTS_KEPT = 20_000
