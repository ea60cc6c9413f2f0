"""Whatever customers, contacts, registries, carriers and clocks do, in whatever order: no message goes out unlawfully.

The real admission, keyword law, hand-over and receipts over a real database and a clock of the test, beside a model
that was written from the specification (`model.py`). `LAW_EXAMPLES` sets how many histories are tried, `LAW_SEED` the
first; one that fails is told again in as few acts as still fail. What was broken on purpose and noticed: decision 13.
"""

import os
from collections import Counter
from collections.abc import Sequence
from random import Random

from agentmessage.app.api import Api
from agentmessage.kernel.db import CellDb, Cells
from tests.compliance.histories.story import Act, Beginning, begin, history
from tests.compliance.histories.world import World
from tests.conftest import Client
from tests.make.accounts import open_account
from tests.make.clock import TestClock

EXAMPLES = int(os.environ.get("LAW_EXAMPLES", "80"))
FIRST = int(os.environ.get("LAW_SEED", "1"))
MAX_REPLAYS = 80


class Stage:
    """Plays histories, each with an organization of its own. `counts` is what happened in all of them."""

    def __init__(self, cells: Cells, db: CellDb, app: Api, clock: TestClock) -> None:
        self._cells = cells
        self._db = db
        self._app = app
        self._clock = clock
        self.counts: Counter[str] = Counter()

    async def play(self, beginning: Beginning, acts: Sequence[Act], told: list[str]) -> None:
        """One history from its beginning to the end of its last message. Raises AssertionError."""
        self._clock.moment = beginning.at
        account = await open_account(self._cells)
        world = World(
            self._cells,
            self._db,
            Client(self._app, account.key),
            account=account,
            clock=self._clock,
            contacts=beginning.contacts,
            tell=told.append,
            counts=self.counts,
        )
        await world.open()
        try:
            for name, given in (*beginning.acts, *acts):
                await world.act(name, given)
            await world.end()
        finally:
            await world.worker.recorder.close()
            await self._db.run("TRUNCATE message_queue")

    async def retell(self, beginning: Beginning, acts: list[Act]) -> list[str]:
        """The history in fewer acts that still fails: pieces are left out, ever smaller ones."""
        left, size = MAX_REPLAYS, len(acts) // 2
        while size and left:
            place = 0
            while place < len(acts) and left:
                left -= 1
                fewer = [*acts[:place], *acts[place + size :]]
                if await self._fails(beginning, fewer):
                    acts = fewer
                else:
                    place += size
            size //= 2
        told: list[str] = []
        await self._fails(beginning, acts, told)
        return told

    async def _fails(self, beginning: Beginning, acts: Sequence[Act], told: list[str] | None = None) -> bool:
        told = told if told is not None else []
        try:
            await self.play(beginning, acts, told)
        except AssertionError as error:
            told.append(str(error))
            return True
        return False


async def test_no_message_is_handed_over_against_the_law_as_it_is_at_that_moment(
    cells: Cells, db: CellDb, app: Api, clock: TestClock
) -> None:
    stage = Stage(cells, db, app, clock)

    for seed in range(FIRST, FIRST + EXAMPLES):
        rng = Random(seed)
        beginning, acts = begin(rng), history(rng)
        try:
            await stage.play(beginning, acts, [])
        except AssertionError as error:
            story = "\n".join(await stage.retell(beginning, acts))
            raise AssertionError(f"LAW_SEED={seed}, {beginning}\n{story}") from error

    print(f"{EXAMPLES} histories:", dict(stage.counts))  # noqa: T201 - shown by `pytest -s`
    assert stage.counts["handed over"] > EXAMPLES
