"""A number's history stays short, whatever happens to it."""

from uuid import UUID

from msgspec.structs import replace

from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from agentmessage.numbers.binding import queries as binding_queries
from agentmessage.numbers.binding import reconciler
from agentmessage.numbers.binding.model import Phase
from tests.make.accounts import Account

NUMBER = "+14155550100"


async def _number(db: CellDb, account: Account) -> UUID:
    number_id = new_id()
    await db.run(
        """WITH p AS (
               INSERT INTO phone_numbers (id, org_id, account, number, number_type, state, generation, desired_at,
                                          created_at, updated_at)
               VALUES ($1, $2, 'live', $3, 'local', 'assigned', 1, $4, $4, $4))
           INSERT INTO line_options (phone_number_id, org_id, account, number, phase, observed, observed_at,
                                     applied_generation, updated_at)
           VALUES ($1, $2, 'live', $3, 'unbound', 'absent', $4, 1, $4)""",
        number_id,
        account.org_id,
        NUMBER,
        db.now,
    )
    return number_id


async def test_the_newest_steps_of_a_number_are_kept_and_the_old_ones_forgotten(db: CellDb, account: Account) -> None:
    number_id = await _number(db, account)

    for step in range(200):
        async with db.transaction() as tx:
            (line,) = await binding_queries.lock_by_number(tx, "live", [NUMBER])
            after = replace(line, op_seq=line.op_seq + 1, phase=(Phase.BACKOFF, Phase.UNKNOWN)[step % 2])
            await reconciler.record(tx, [(line, after, f"step {step}")])

    steps = await binding_queries.list_transitions(db, account.org_id, number_id, limit=1000)
    notes = [note for _, _, _, note in steps]
    most = reconciler.TRANSITIONS_KEPT + reconciler.OPERATIONS_BETWEEN_TRIMS
    assert reconciler.TRANSITIONS_KEPT <= len(notes) <= most
    assert notes == [f"step {step}" for step in range(199, 199 - len(notes), -1)]
