"""Numbers at the carrier that are not ours: reported while they are there."""

import random
from collections.abc import Sequence

from agentmessage.carriers.bandwidth import BandwidthLines
from agentmessage.kernel.db import CellDb
from agentmessage.numbers.binding import drift, drift_queries
from agentmessage.numbers.binding.call_budget import UNLIMITED, Budget, Limits
from agentmessage.numbers.binding.model import SIMULATED
from agentmessage.numbers.binding.reconciler import LineCarrier, Reconciling
from tests.carriers.world_line import ACCOUNT
from tests.numbers.harness import Wire

STRANGER = "+14155550177"
TCR_ID = "CAAAAAA"


async def _sweep(db: CellDb, wire: Wire) -> None:
    carrier = LineCarrier(BandwidthLines(ACCOUNT, wire), SIMULATED, 1)
    reconciling = Reconciling(
        db, {"live": carrier}, Budget(db, {"live": Limits(UNLIMITED, UNLIMITED, 1.0)}), random.Random(1)
    )
    await drift_queries.want(db, "live", db.now)
    assert await drift.sweep_due(reconciling, [db], heal_percent=5) is not None


async def _unlisted(db: CellDb) -> Sequence[str]:
    return await db.all(str, "SELECT number FROM drift_events WHERE resolved_at IS NULL")


async def test_a_stranger_is_reported_while_it_is_there_and_closed_when_a_whole_listing_has_it_no_longer(
    db: CellDb,
) -> None:
    wire = Wire("instant")
    wire.control(f"campaigns/{TCR_ID}", {"status": "ACTIVE", "create": True})
    wire.control("numbers", {"numbers": [STRANGER], "campaign": TCR_ID})
    await _sweep(db, wire)
    await _sweep(db, wire)
    assert await _unlisted(db) == [STRANGER]

    wire.is_down = True
    await _sweep(db, wire)
    assert await _unlisted(db) == [STRANGER]

    wire.is_down = False
    wire.control("drift", {"number": STRANGER, "campaign": None})
    await _sweep(db, wire)
    assert await _unlisted(db) == []
