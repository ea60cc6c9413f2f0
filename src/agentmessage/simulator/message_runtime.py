"""Messaging in real time: the SMSC, HTTP callbacks, storage, and the timer that advances all of it."""

import asyncio
import socket
import time

from agentmessage.simulator.message_callback_sender import MessageCallbackSender
from agentmessage.simulator.smsc import Smsc
from agentmessage.simulator.storage import Storage
from agentmessage.simulator.world import World

TICK_S = 0.01
"""Steps that become due within one tick run together."""

MAX_SLEEP_S = 1.0


class MessageRuntime:
    """Runs the messaging of one world. Call `world_changed` after the world may have changed otherwise."""

    def __init__(self, world: World, storage: Storage | None) -> None:
        self._carrier = world.messaging
        self._storage = storage
        if storage is not None:
            self._carrier.restore(storage.message_records())
        self.smsc = Smsc(self._carrier, world.system_ids, clock=time.time, store=self._store, wake=self._schedule_tick)
        self.callback_sender = MessageCallbackSender(world, wake=self._schedule_tick)
        self._timer: asyncio.TimerHandle | None = None
        self._tick_at = 0.0
        self._is_open = False

    async def open(self, host: str, port: int | None, listener: socket.socket | None = None) -> None:
        """Start; without port and socket there is no SMPP. Raises OSError if the port is in use."""
        self._is_open = True
        self.callback_sender.open()
        if port is not None or listener is not None:
            await self.smsc.open(host, port or 0, listener)
        self.world_changed()

    async def close(self) -> None:
        """Close connections, and cancel callbacks that are being sent."""
        self._is_open = False
        if self._timer is not None:
            self._timer.cancel()
        await self.smsc.close()
        await self.callback_sender.close()
        self._store()

    def world_changed(self) -> None:
        """Store the changes, and deliver what is ready."""
        self._store()
        if self._is_open:
            if self._carrier.is_disconnect_requested:
                self._carrier.is_disconnect_requested = False
                self.smsc.drop()
            self.smsc.pump()
            self.callback_sender.pump()
            self._schedule_tick()

    def _store(self) -> None:
        records = self._carrier.take_records()
        if records and self._storage is not None:
            self._storage.write_messages(records)

    def _schedule_tick(self) -> None:
        """Schedule a tick for the next due step, at the earliest one tick from now."""
        if not self._is_open:
            return
        now, next_at = time.time(), self._carrier.next_at
        wake_at = now + TICK_S if next_at is None else min(max(next_at, now + TICK_S), now + MAX_SLEEP_S)
        if self._timer is not None:
            if wake_at >= self._tick_at - TICK_S:
                return
            self._timer.cancel()
        self._tick_at = wake_at
        self._timer = asyncio.get_running_loop().call_later(wake_at - now, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._carrier.advance(time.time())
        self._store()
        self.smsc.pump()
        self.callback_sender.pump()
        if self._carrier.next_at is not None:
            self._schedule_tick()
