"""Texts in real time: the SMSC, the callbacks over HTTP, the disk, and the one clock that moves all of it."""

import asyncio
import socket
import time

from agentmessage.simulator.message_callback_sender import TextPost
from agentmessage.simulator.smsc import Smsc
from agentmessage.simulator.storage import Storage
from agentmessage.simulator.world import World

TICK_S = 0.01
"""Texts that become due within one tick are moved together."""

LONGEST_NAP_S = 1.0


class TextLine:
    """Runs the texts of one world. Call `moved` after the world may have changed otherwise."""

    def __init__(self, world: World, storage: Storage | None) -> None:
        self._desk = world.texts
        self._storage = storage
        if storage is not None:
            self._desk.restore(storage.message_records())
        self.smsc = Smsc(self._desk, world.system_ids, clock=time.time, keep=self._keep, wake=self._arm)
        self.post = TextPost(world, wake=self._arm)
        self._timer: asyncio.TimerHandle | None = None
        self._armed_at = 0.0
        self._is_open = False

    async def open(self, host: str, port: int | None, listener: socket.socket | None = None) -> None:
        """Begin; with neither port nor socket no SMPP is spoken. Raises OSError where the port is taken."""
        self._is_open = True
        self.post.open()
        if port is not None or listener is not None:
            await self.smsc.open(host, port or 0, listener)
        self.moved()

    async def close(self) -> None:
        """Hang up, give up callbacks under way."""
        self._is_open = False
        if self._timer is not None:
            self._timer.cancel()
        await self.smsc.close()
        await self.post.close()
        self._keep()

    def moved(self) -> None:
        """Something else has changed the world: write it down, and tell what there is to tell."""
        self._keep()
        if self._is_open:
            if self._desk.is_cut:
                self._desk.is_cut = False
                self.smsc.drop()
            self.smsc.pump()
            self.post.pump()
            self._arm()

    def _keep(self) -> None:
        records = self._desk.take_records()
        if records and self._storage is not None:
            self._storage.write_messages(records)

    def _arm(self) -> None:
        """Wake when something is next due, but not within the same tick as now."""
        if not self._is_open:
            return
        now, next_at = time.time(), self._desk.next_at
        wanted_at = now + TICK_S if next_at is None else min(max(next_at, now + TICK_S), now + LONGEST_NAP_S)
        if self._timer is not None:
            if wanted_at >= self._armed_at - TICK_S:
                return
            self._timer.cancel()
        self._armed_at = wanted_at
        self._timer = asyncio.get_running_loop().call_later(wanted_at - now, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._desk.advance(time.time())
        self._keep()
        self.smsc.pump()
        self.post.pump()
        if self._desk.next_at is not None:
            self._arm()
