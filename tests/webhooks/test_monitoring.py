"""An operator sees what waits for receivers, and of which kind."""

from msgspec.structs import replace

from agentmessage.app.monitoring import gauges
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.settings import Settings
from tests.make.accounts import Account
from tests.make.receivers import Receiver, status
from tests.make.webhooks import insert_endpoint
from tests.webhooks.receiving import endpoint, happen, telling, until


async def test_gauges_tell_the_failing_from_the_others(
    cells: Cells, db: CellDb, settings: Settings, account: Account, sink: Receiver
) -> None:
    sink.answers["/bad"] = status(500)
    await endpoint(db, settings, account.org_id, sink.url())
    await endpoint(db, settings, account.org_id, sink.url("/bad"))
    await insert_endpoint(db, account.org_id, active=False)
    async with telling(replace(settings, webhook_allow_private=True), cells):
        await happen(db, account.org_id, 3)
        await until(lambda: db.value("SELECT count(*) = 6 FROM webhook_attempts"))

    assert await gauges.count_if_due(cells)
    shown = (await gauges.show(cells)).decode()

    assert 'agentmessage_webhook_deliveries_queued{cell="cell_00",health="failing",state="delayed"} 3.0' in shown
    assert 'agentmessage_webhook_deliveries_queued{cell="cell_00",health="healthy",state="due"} 0.0' in shown
    assert 'agentmessage_webhook_endpoints{cell="cell_00",health="failing"} 1.0' in shown
    assert 'agentmessage_webhook_endpoints{cell="cell_00",health="healthy"} 1.0' in shown
    assert 'agentmessage_webhook_attempts_per_minute{cell="cell_00",outcome="success"} 3.0' in shown
    assert 'agentmessage_webhook_attempts_per_minute{cell="cell_00",outcome="retry"} 3.0' in shown
