"""Workers that are called again and again for others' texts look up less often."""

import asyncio

from agentmessage.delivery.dispatcher import IN_VAIN_S, MOST_IN_VAIN
from agentmessage.kernel.db import CellDb
from tests.delivery.harness import admit, open_worker, ready_sender
from tests.make.accounts import Account


async def test_a_worker_that_is_called_for_others_looks_less_often_but_is_there_after_some_quiet(
    db: CellDb, account: Account
) -> None:
    sender = await ready_sender(db, account)
    loop = asyncio.get_running_loop()
    async with open_worker(db) as (smsc, worker):
        began = loop.time()
        for _ in range(MOST_IN_VAIN + 4):
            await worker.turn()
        busy_s = loop.time() - began

        await admit(db, account.tenant, sender, "Acme: you are next.")
        await worker.turn()

    assert busy_s >= 2 * IN_VAIN_S
    assert len(smsc.taken) == 1
