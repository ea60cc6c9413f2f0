"""Answering a question about a series."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from agentmessage.kernel.db import Executor
from agentmessage.kernel.tenant import Tenant
from agentmessage.metrics import queries, rules
from agentmessage.metrics.model import BALANCE, Known, Question
from agentmessage.metrics.schemas import Bucket, Group, PriorPeriod, Series, SeriesMeta, SeriesQuery
from agentmessage.organizations import operations as organizations
from agentmessage.rollups import operations as rollups

_Values = defaultdict[str | None, dict[datetime, int]]
"""Sums by label and bucket."""


async def series(
    db: Executor, tenant: Tenant, *, metric: str, query: SeriesQuery, group_by: str | None
) -> tuple[Series, SeriesMeta]:
    """One page of a series and its `meta`.

    Raises ValidationFailed, OtherQuestion, GranularityNotAvailable, WindowTooLarge.
    """
    page = rules.read(metric, query, group_by, now=db.now)
    question, window = page.question, page.question.window
    rules.require_granularity((await organizations.get(db, tenant)).plan, window.granularity)
    # Read before the sums: what was complete then is in what is read now.
    known = rules.known(window.granularity, as_of=await rollups.as_of(db), now=db.now)
    table = _Table(db, tenant.org_id, question, await _labels(db, tenant, question), known)
    starts = window.starts(page.at, max(1, query.limit // max(1, len(table.labels or ()))))
    shown = await table.over(starts)
    prior = None
    if question.is_compared:
        length, before = window.end - window.start, window.prior
        prior = PriorPeriod(before.start, before.end, *await table.over([start - length for start in starts]))
    behind = starts[-1] + window.granularity.length
    cursor = rules.pin(question, behind) if behind < window.end else None
    answer = Series(metric, window.granularity, window.start, window.end, *shown, prior)
    return answer, SeriesMeta(known.as_of, query.limit, cursor)


async def _labels(db: Executor, tenant: Tenant, question: Question) -> Sequence[str | None] | None:
    """The groups of the whole question, the prior period's too, so that every page tells the same; None without any."""
    if question.group_by is None:
        return None
    window = question.window
    return await queries.list_labels(
        db,
        tenant.org_id,
        metric=question.metric,
        group_by=question.group_by,
        start=window.prior.start if question.is_compared else window.start,
        end=window.end,
    )


class _Table(Struct, frozen=True):
    """The sums that answer a question, under their labels."""

    db: Executor
    org_id: UUID
    question: Question
    labels: Sequence[str | None] | None
    known: Known

    async def over(self, starts: Sequence[datetime]) -> tuple[Sequence[Bucket] | None, Sequence[Group] | None]:
        """Consecutive buckets, or groups of them."""
        metric = self.question.metric
        values = await (self._balances(starts) if metric == BALANCE else self._sums(starts))
        if self.labels is None:
            return rules.buckets(metric, starts, values[None], self.known), None
        return None, [
            Group(self.question.group_by or "", label, rules.buckets(metric, starts, values[label], self.known))
            for label in self.labels
        ]

    async def _sums(self, starts: Sequence[datetime]) -> _Values:
        granularity = self.question.window.granularity
        values: _Values = defaultdict(dict)
        for point in await queries.list_points(
            self.db,
            self.org_id,
            metric=self.question.metric,
            granularity=granularity,
            group_by=self.question.group_by,
            start=starts[0],
            end=starts[-1] + granularity.length,
        ):
            values[point.label][point.bucket_start] = point.value
        return values

    async def _balances(self, starts: Sequence[datetime]) -> _Values:
        granularity = self.question.window.granularity
        balance, moved = await queries.find_balance(
            self.db,
            self.org_id,
            granularity=granularity,
            start=starts[0],
            days_from=rules.next_midnight(starts[-1] + granularity.length),
        )
        return defaultdict(dict, {None: rules.closing(balance, starts, moved)})
