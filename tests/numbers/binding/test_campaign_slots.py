"""A campaign's cap when many workers plan at once: they take turns at the campaign, and none counts before another."""

import asyncio

import pytest

from agentmessage.kernel.db import CellDb
from agentmessage.numbers import operations
from agentmessage.numbers.binding import reconciler
from tests.make.accounts import Account
from tests.make.campaigns import insert_campaign
from tests.numbers.virtual_clock import Story, VirtualClock, add_number

NUMBERS = 8
CAP = 3


async def test_workers_that_plan_at_once_never_bind_a_campaign_over_its_cap(
    db: CellDb, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant (c). Each plans one line only, so that all of them ask for the same slots at the same time."""
    monkeypatch.setattr(reconciler, "PLAN_LIMIT", 1)
    story = Story(db, VirtualClock(), seed=1)
    for round_number in range(6):
        campaign = await insert_campaign(db, account.org_id, number_cap=CAP)
        for n in range(NUMBERS):
            number_id = await add_number(db, account.org_id, f"+1415555{round_number}{n:03d}")
            await operations.attach(db, account.tenant, number_id, campaign)

        await asyncio.gather(*(reconciler.plan(story.reconciling()) for _ in range(NUMBERS)))
        while (await reconciler.plan(story.reconciling())).lines:
            pass

        phases = await db.all(
            str,
            """SELECT phase FROM line_options l JOIN phone_numbers p ON p.id = l.phone_number_id
               WHERE p.campaign_id = $1 ORDER BY phase""",
            campaign,
        )
        assert phases == ["bind_queued"] * CAP + ["blocked"] * (NUMBERS - CAP)
