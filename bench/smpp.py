"""Submits a second at windows of 1, 10 and 100, ours against two libraries, in one run.

    python -m bench.smpp [--short]

Client and server are two processes, on a core each where there are two. The text is 82 octets; the server numbers it
and answers. smpp34 (Rust, both ends) and smpplib (a client without a window of its own) come with `make setup`.
"""

import argparse
import asyncio
import multiprocessing
import os
import socket
import time
from collections.abc import Callable
from multiprocessing.synchronize import Event
from typing import Any

import smpp34
import smpplib.client
import uvloop
from msgspec import Struct

from agentmessage.smpp.client import Bind, connect
from agentmessage.smpp.codec import decode, encode
from agentmessage.smpp.pdu import DataSm, SubmitSm, Tlv
from agentmessage.smpp.server import Reply, ServerSession, known, serve
from agentmessage.smpp.settings import Result, Terms

SENDER, RECIPIENT = "12025550100", "12025550199"
TEXT = b"Your appointment is tomorrow at 9:30. Reply 1 to confirm it or 2 to change it. Bye"
HELLO = SubmitSm(
    source_ton=1,
    source_npi=1,
    source=SENDER,
    destination_ton=1,
    destination_npi=1,
    destination=RECIPIENT,
    registered_delivery=1,
    short_message=TEXT,
)
WINDOWS = (1, 10, 100)


class Figure(Struct, frozen=True):
    """Submits a second, and the client's processor time for each in microseconds."""

    per_s: float
    cpu_us: float


def our_server(port: int, ready: Event) -> None:
    """Ours, on the second core."""
    _pin(1)
    taken = 0

    def on_submit(_session: ServerSession, _pdu: SubmitSm | DataSm) -> Reply:
        nonlocal taken
        taken += 1
        return Reply(f"{taken:08x}")

    async def run() -> None:
        await serve("127.0.0.1", port, authenticate=known({"bench": "bench"}), on_submit=on_submit)
        ready.set()
        await asyncio.Event().wait()

    uvloop.run(run())


def smpp34_server(port: int, ready: Event) -> None:
    """smpp34's, on the second core."""
    _pin(1)

    async def run() -> None:
        server = smpp34.Server("127.0.0.1", port)
        await server.start()
        ready.set()
        taken = 0
        while True:
            event = await server.next()
            if isinstance(event, smpp34.SubmitSmEvent):
                taken += 1
                event.accept(f"{taken:08x}")

    uvloop.run(run())


async def our_client(port: int, window: int, count: int) -> Figure:
    """Ours: each answer makes room for the next text."""
    bind = Bind(host="127.0.0.1", port=port, system_id="bench", password="bench", terms=Terms(window=window))  # noqa: S106
    session = await connect(bind, lambda _: 0)
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    left = waiting = count

    def pump() -> None:
        nonlocal left
        while left and session.room:
            left -= 1
            session.submit_nowait(HELLO, on_result)

    def on_result(result: Result) -> None:
        nonlocal waiting
        assert result.is_accepted
        waiting -= 1
        pump()
        if not waiting:
            ended.set_result(None)

    meter = Meter()
    pump()
    await ended
    figure = meter.figure(count)
    await session.unbind()
    return figure


async def smpp34_client(port: int, window: int, count: int) -> Figure:
    """smpp34's: as many coroutines as the window allows, for it has no other way in."""
    client = smpp34.Client("127.0.0.1", port, "bench", "bench", bind_type="TRX", window_size=window)
    smsc = await client.connect()
    left = count

    async def submitter() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            answer = await smsc.submit_sm(
                RECIPIENT, TEXT, source_addr=SENDER, source_addr_ton=1, source_addr_npi=1, dest_addr_ton=1,
                dest_addr_npi=1, registered_delivery=1,
            )  # fmt: skip
            assert answer.is_success

    meter = Meter()
    await asyncio.gather(*(submitter() for _ in range(window)))
    figure = meter.figure(count)
    await smsc.unbind()
    await client.stop()
    return figure


async def smpplib_client(port: int, window: int, count: int) -> Figure:
    """smpplib's: it blocks, so the window is kept by hand."""
    client = smpplib.client.Client("127.0.0.1", port, timeout=30, allow_unknown_opt_params=True)
    answered = 0

    def on_sent(pdu: Any) -> None:
        nonlocal answered
        assert not pdu.is_error()
        answered += 1

    client.set_message_sent_handler(on_sent)
    client.connect()
    client.bind_transceiver(system_id="bench", password="bench")  # noqa: S106
    meter = Meter()
    sent = 0
    while answered < count:
        while sent < count and sent - answered < window:
            client.send_message(
                source_addr_ton=1, source_addr_npi=1, source_addr=SENDER, dest_addr_ton=1, dest_addr_npi=1,
                destination_addr=RECIPIENT, short_message=TEXT, registered_delivery=True,
            )  # fmt: skip
            sent += 1
        client.read_once()
    figure = meter.figure(count)
    client.unbind()
    client.disconnect()
    return figure


class Meter:
    """Time and processor time since it was made."""

    def __init__(self) -> None:
        self._at, self._cpu = time.perf_counter(), time.process_time()

    def figure(self, count: int) -> Figure:
        """What `count` submits took."""
        took_s, cpu_s = time.perf_counter() - self._at, time.process_time() - self._cpu
        return Figure(count / took_s, cpu_s / count * 1e6)


LINES = (
    ("ours -> ours", our_client, "ours"),
    ("smpp34 -> ours", smpp34_client, "ours"),
    ("smpplib -> ours", smpplib_client, "ours"),
    ("ours -> smpp34", our_client, "smpp34"),
    ("smpp34 -> smpp34", smpp34_client, "smpp34"),
)


def codec(count: int) -> None:
    """What one text costs on its way to octets and back."""
    for name, pdu in (
        ("submit_sm", HELLO),
        ("submit_sm with a parameter", SubmitSm(source=SENDER, short_message=TEXT, tlvs=(Tlv(0x1400, b"x"),))),
    ):
        frame = encode(pdu, sequence=1)
        ways: tuple[tuple[str, Callable[[], object]], ...] = (
            ("encode", lambda pdu=pdu: encode(pdu, sequence=1)),
            ("decode", lambda frame=frame: decode(frame)),
        )
        for way, work in ways:
            best = min(_took_s(work, count) for _ in range(3))
            print(f"{way} {name}: {best / count * 1e6:.2f} us")


def run(*, short: bool = False) -> None:
    """Print the table: submits a second, in brackets the client's microseconds for each, and the ratio to ours."""
    _pin(0)
    codec(20_000 if short else 100_000)
    ports = {"ours": _free_port(), "smpp34": _free_port()}
    processes = [_started(our_server, ports["ours"]), _started(smpp34_server, ports["smpp34"])]
    scale = 10 if short else 1
    counts = {1: 5_000 // scale, 10: 20_000 // scale, 100: 60_000 // scale}
    print(f"\n{'submit/s (us of CPU)':24}" + "".join(f"{f'window {window}':>24}" for window in WINDOWS))
    ours: dict[int, float] = {}
    try:
        for name, client, server in LINES:
            cells: list[str] = []
            for window in WINDOWS:
                best = max((_measured(client, ports[server], window, counts[window]) for _ in range(2)), key=_per_s)
                ours.setdefault(window, best.per_s)
                cells.append(f"{best.per_s:,.0f} ({best.cpu_us:.0f}) {best.per_s / ours[window]:.2f}")
            print(f"{name:24}" + "".join(f"{cell:>24}" for cell in cells), flush=True)
    finally:
        for process in processes:
            process.terminate()


def _measured(client: Callable[[int, int, int], Any], port: int, window: int, count: int) -> Figure:
    return uvloop.run(client(port, window, count))


def _per_s(figure: Figure) -> float:
    return figure.per_s


def _took_s(work: Callable[[], object], count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        work()
    return time.perf_counter() - began


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _started(server: Callable[[int, Event], None], port: int) -> Any:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=server, args=(port, ready), daemon=True)
    process.start()
    assert ready.wait(20)
    return process


def _pin(core: int) -> None:
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {core})


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="a tenth of the texts")
    run(short=parser.parse_args().short)


if __name__ == "__main__":
    main()
