"""Reading what takes more calls than the budget allows at once."""

import json
import random
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import pytest

from agentmessage.carriers.bandwidth import BandwidthLines
from agentmessage.carriers.http import HttpAnswer
from agentmessage.kernel.db import CellDb
from agentmessage.numbers.budget import UNLIMITED, Budget, Limit, Limits
from agentmessage.numbers.line_model import Pace
from agentmessage.numbers.readings import Interrupted, pages_of
from agentmessage.numbers.reconciler import LineCarrier, Reconciling
from tests.carriers.world_line import ACCOUNT

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
