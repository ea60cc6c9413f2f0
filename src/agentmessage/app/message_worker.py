"""A worker's texts: every line kept up, every cell's queue handed over, every outcome recorded.

It runs beside the worker's other loops and is stopped after them, in its own order: first nothing new is claimed, then
what is in flight is waited for, then it is recorded, and at last the lines part.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct

from agentmessage.app.carrier_events import Hearing
from agentmessage.app.monitoring.connections import LineState
from agentmessage.app.providers.message_carriers import TextLine
from agentmessage.delivery.dispatcher import LEASE_S, Dispatcher, Rules
from agentmessage.delivery.recorder import Recorder
from agentmessage.delivery.sweeper import Sweeper
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.tasks import start_forever
from agentmessage.messages.operations import TOPIC
from agentmessage.outbox.notifications import Bells, Ring, wait_for
from agentmessage.settings import Settings

LANDING_S = 8.0
"""How long a stop waits for the carrier's answers; what is not answered by then is unknown."""

RECORDING_S = 5.0
SWEEP_S = 1.0
SETTLE_S = 5.0
LOOK_AGAIN_S = 1.0
GIVE_UP_S = 60.0


@runtime_checkable
class Bound(Protocol):
    """A carrier whose line stands or does not; one that is called over HTTP has no such thing."""

    @property
    def is_up(self) -> bool:
        """Texts can be handed over."""
        ...


class Desk(Struct, frozen=True):
    """One cell's texts over one line."""

    dispatcher: Dispatcher
    recorder: Recorder
    sweeper: Sweeper


class Texting:
    """All texts of one worker process."""

    def __init__(
        self, settings: Settings, cells: Cells, lines: Mapping[str, Sequence[TextLine]], *, bells: Bells, ring: Ring
    ) -> None:
        self._settings = settings
        self._lines = lines
        self._bells = bells
        self._desks: dict[str, list[Desk]] = defaultdict(list)
        self._claiming: list[asyncio.Task[None]] = []
        self._prolonging: list[asyncio.Task[None]] = []
        self._hearing: list[asyncio.Task[None]] = []
        self._ear = Hearing(
            cells,
            ring=ring,
            requires_propagation=settings.require_propagation,
            floor_cents=settings.wallet_floor_cents,
            until_recorded=self._until_recorded,
        )

    def start(self) -> None:
        """Bring the lines up; cells are added by `take_up`."""
        self._hearing.append(start_forever("receipts with unclear ids", self._look_again))
        for account, lines in self._lines.items():
            for line in lines:
                self._hearing.append(
                    start_forever(f"line {account} {line.carrier.name}", lambda line=line: self._hear(line))
                )

    def take_up(self, db: CellDb) -> None:
        """Hand over one cell's texts from now on."""
        for account, lines in self._lines.items():
            for line in lines:
                self._open_desk(db, account, line)

    def line_states(self) -> Sequence[LineState]:
        """How every line stands at this moment."""
        return [
            LineState(
                account=account,
                carrier=line.carrier.name,
                channels=sorted(line.channels),
                is_up=line.carrier.is_up if isinstance(line.carrier, Bound) else None,
                room=line.carrier.room,
            )
            for account, lines in sorted(self._lines.items())
            for line in lines
        ]

    async def stop(self) -> None:
        """End in order, within a few seconds."""
        for task in self._claiming:
            task.cancel()
        await asyncio.gather(*self._claiming, return_exceptions=True)
        desks = [desk for desks in self._desks.values() for desk in desks]
        await _within(LANDING_S, [desk.dispatcher.until_landed() for desk in desks])
        await _within(RECORDING_S, [desk.recorder.until_caught_up() for desk in desks])
        for task in (*self._hearing, *self._prolonging):
            task.cancel()
        await asyncio.gather(*self._hearing, *self._prolonging, return_exceptions=True)
        await asyncio.gather(*(desk.recorder.close() for desk in desks))

    def _open_desk(self, db: CellDb, account: str, line: TextLine) -> None:
        settings, token = self._settings, new_id()
        recorder = Recorder(db, account, line.carrier.name, token, retries_unknown=settings.resend_unknown_outcomes)
        rules = Rules(
            requires_propagation=settings.require_propagation,
            max_segments_per_second=settings.max_segments_per_second if account == "live" else 0,
            max_segments_per_number_per_minute=settings.max_segments_per_number_per_minute,
            daily_cap=settings.tmobile_daily_cap_mode,
        )
        dispatcher = Dispatcher(db, account, line.carrier, recorder, token=token, rules=rules, channels=line.channels)
        sweeper = Sweeper(
            db,
            account,
            line.channels,
            recorder,
            token=token,
            patience_h=settings.receipt_timeout_hours,
            mine=lambda: dispatcher.held,
        )
        self._desks[account].append(Desk(dispatcher, recorder, sweeper))
        title = f"{db.name} texts {account} {line.carrier.name}"
        bell = self._bells.hear(db.name, TOPIC)
        self._claiming.append(start_forever(f"{title} claim", lambda: self._claim(dispatcher, bell)))
        self._claiming.append(start_forever(f"{title} sweep", lambda: self._sweep(sweeper)))
        self._claiming.append(start_forever(f"{title} settle", lambda: self._settle(sweeper)))
        self._claiming.append(start_forever(f"{title} give up", lambda: self._give_up(sweeper)))
        self._prolonging.append(start_forever(f"{title} prolong", lambda: self._prolong(dispatcher)))

    async def _claim(self, dispatcher: Dispatcher, bell: asyncio.Event) -> None:
        """One turn, which a stop lets come to its end: what was claimed is handed over."""
        await dispatcher.until_room()
        turn = asyncio.ensure_future(dispatcher.turn())
        try:
            wait_s = await asyncio.shield(turn)
        except asyncio.CancelledError:
            await _within(LANDING_S, [turn])
            raise
        if wait_s:
            await wait_for(bell, wait_s)

    async def _sweep(self, sweeper: Sweeper) -> None:
        if not await sweeper.turn():
            await asyncio.sleep(SWEEP_S)

    async def _settle(self, sweeper: Sweeper) -> None:
        await sweeper.settle()
        await asyncio.sleep(SETTLE_S)

    async def _give_up(self, sweeper: Sweeper) -> None:
        if not await sweeper.give_up():
            await sweeper.tidy()
            await asyncio.sleep(GIVE_UP_S)

    async def _prolong(self, dispatcher: Dispatcher) -> None:
        await asyncio.sleep(LEASE_S / 4)
        await dispatcher.prolong()

    async def _hear(self, line: TextLine) -> None:
        await line.carrier.run(self._ear.hear)

    async def _look_again(self) -> None:
        if not await self._ear.look_again():
            await self._ear.tidy()
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _until_recorded(self, account: str) -> None:
        for desk in self._desks[account]:
            await desk.recorder.until_caught_up()


async def _within(seconds: float, waits: Sequence[Awaitable[object]]) -> None:
    """Wait for all, but not longer."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*waits, return_exceptions=True)
