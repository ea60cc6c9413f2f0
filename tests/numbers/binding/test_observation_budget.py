"""Reading what takes more calls than the budget allows at once."""

import json
import random
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from agentmessage.carriers.bandwidth import BandwidthLines
from agentmessage.carriers.http import HttpAnswer
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from agentmessage.numbers.binding import carrier_order_queries, reconciler
from agentmessage.numbers.binding.call_budget import UNLIMITED, Budget, Limit, Limits
from agentmessage.numbers.binding.model import Pace
from agentmessage.numbers.binding.observations import Interrupted, pages_of
from agentmessage.numbers.binding.reconciler import LineCarrier, Reconciling, RefreshRequest
from tests.carriers.world_line import ACCOUNT
from tests.make.accounts import Account
from tests.numbers.virtual_clock import add_number

PAGES = 5


class LongList:
    """A carrier whose account has several pages, which it serves one number at a time."""

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", timeout_s: float = 30.0
    ) -> HttpAnswer:
        assert (method, body) == ("GET", b"")
        assert "authorization" in headers
        assert timeout_s > 0
        offset = int(parse_qs(urlsplit(url).query)["offset"][0])
        record = {"phoneNumber": f"+1415555010{offset}", "status": "SUCCESS"}
        answer = {"data": [record], "page": {"totalElements": PAGES}}
        return HttpAnswer(200, {}, json.dumps(answer).encode())


def _reconciling(db: CellDb, *, reads: Limit) -> Reconciling:
    budget = Budget(db, {"live": Limits(UNLIMITED, reads, 1.0)})
    lines = BandwidthLines(ACCOUNT, LongList())
    return Reconciling(db, {"live": LineCarrier(lines, Pace(), 1)}, budget, random.Random(1))


async def test_a_list_of_more_pages_than_the_burst_is_read_to_its_end(db: CellDb) -> None:
    reconciling = _reconciling(db, reads=Limit(per_min=3000, burst=2))

    pages = [page async for page in pages_of(reconciling, "live", None)]

    assert len(pages) == PAGES


async def test_a_budget_that_others_use_up_interrupts_a_reading_at_last(db: CellDb) -> None:
    reconciling = _reconciling(db, reads=Limit(per_min=1, burst=1))

    with pytest.raises(Interrupted):
        _ = [page async for page in pages_of(reconciling, "live", None)]


async def test_a_number_whose_reading_broke_off_is_looked_at_again_within_a_minute(
    db: CellDb, account: Account
) -> None:
    await add_number(db, account.org_id, "+14155550100")
    order_id = new_id()
    async with db.transaction() as tx:
        await carrier_order_queries.insert_order(tx, order_id, account="live", order_key="am-line-1", size=1)
        await tx.run("UPDATE carrier_orders SET state = 'done', submissions = 1, due_at = NULL")
        await tx.run(
            """UPDATE line_options SET phase = 'propagating', op_order_id = $2, op_campaign = 'CAAAAAA', due_at = $1,
                   op_accepted_at = $1, op_deadline_at = $1::timestamptz + interval '1 day'""",
            tx.now,
            order_id,
        )

    planned = await reconciler.plan(_reconciling(db, reads=Limit(per_min=1, burst=1)))

    assert planned.refreshes == {RefreshRequest("live", "CAAAAAA")}
    assert await db.value("SELECT due_at FROM line_options") <= db.now + timedelta(seconds=60)
