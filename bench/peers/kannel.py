"""Debian's Kannel: bearerbox and smsbox, bound to the simulated carrier.

    python -m bench.peers.kannel [--texts 20000] [--seconds 4] [--stores spool file none]

The spool store has each text in a file of its own before it is answered for; the file store keeps a log that it writes
once in a while. Neither calls fsync. Without a store all is in memory.
"""

import argparse
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from bench.load import Figures, free_ports, in_turn, measure, wait_until_listening
from bench.peers.receipts import Desk, deliver
from bench.simulated import Simulator
from bench.text_fixture import TEXT, people

BEARERBOX = shutil.which("bearerbox", path="/usr/sbin:/usr/bin:/usr/local/sbin")
SMSBOX = shutil.which("smsbox", path="/usr/sbin:/usr/bin:/usr/local/sbin")
ABSENT = "Kannel is not installed (Debian: apt-get install kannel): skipped."
STORES = ("spool", "file", "none")
FINAL_RECEIPTS = 1 | 2 | 16
"""dlr-mask: delivered, undeliverable, refused by the carrier."""

CONFIGURATION = """\
group = core
admin-port = {admin}
admin-password = bench
smsbox-port = {boxes}
box-allow-ip = 127.0.0.1
dlr-storage = internal
log-level = 4
{store}

group = smsc
smsc = smpp
smsc-id = simulator
host = 127.0.0.1
port = {smpp}
transceiver-mode = true
smsc-username = live
smsc-password = simulate
system-type = VMA
address-range = ""
source-addr-ton = 1
source-addr-npi = 1
dest-addr-ton = 1
dest-addr-npi = 1
max-pending-submits = 100
reconnect-delay = 1
log-level = 4

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {boxes}
sendsms-port = {sendsms}
log-level = 4
max-pending-requests = 10000
http-request-retry = 3

group = sendsms-user
username = bench
password = bench
max-messages = 10
concatenation = true
"""


class Kannel:
    """A running Kannel with one of its stores: none, file or spool. Its processes may use every core."""

    def __init__(self, directory: Path, store: str, smpp_port: int) -> None:
        self._admin, boxes, self.port = free_ports(3)
        folder = directory / f"kannel-{store}"
        (folder / "spool").mkdir(parents=True)
        place = folder / "spool" if store == "spool" else folder / "store"
        lines = "" if store == "none" else f"store-type = {store}\nstore-location = {place}"
        self._boxes = boxes
        self._configuration = folder / "kannel.conf"
        self._configuration.write_text(
            CONFIGURATION.format(admin=self._admin, boxes=boxes, sendsms=self.port, smpp=smpp_port, store=lines)
        )
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        assert BEARERBOX is not None
        assert SMSBOX is not None
        self._start(BEARERBOX, self._boxes)
        self._start(SMSBOX, self.port)
        self.settle()
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._started):
            process.terminate()
            process.wait(30)

    @property
    def pids(self) -> Sequence[int]:
        """The processes: bearerbox, then smsbox."""
        return [process.pid for process in self._started]

    def settle(self) -> None:
        """Wait until it is bound and has handed over everything that it has taken."""
        deadline = time.monotonic() + 120
        while not (self._is_online() and self._stored() == 0):
            if time.monotonic() > deadline:
                raise SystemExit(f"Kannel still has {self._stored()} texts to hand over:\n{self._status()}")
            time.sleep(0.1)

    def _start(self, program: str, port: int) -> None:
        cores = f"0-{(os.cpu_count() or 1) - 1}"
        log = self._configuration.with_suffix(f".{Path(program).name}.log").open("wb")
        with log:
            self._started.append(
                subprocess.Popen(
                    ["taskset", "-c", cores, program, "-v", "4", str(self._configuration)], stdout=log, stderr=log
                )
            )
        wait_until_listening(port)

    def _is_online(self) -> bool:
        return "(online" in self._status()

    def _stored(self) -> int:
        status = self._status()
        queued = re.search(r"sent \d+ \((\d+) queued\), store size (-?\d+)", status)
        if queued is None:
            return -1
        pending = sum(int(count) for count in re.findall(r"queued (\d+) msgs", status))
        return max(int(queued[1]), int(queued[2])) + pending

    def _status(self) -> str:
        url = f"http://127.0.0.1:{self._admin}/status.txt?password=bench"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()


def sending(pairs: Sequence[tuple[str, str]], *, receipts_to: Desk | None = None) -> list[bytes]:
    """One sendsms for each pair of sender and recipient; with a desk the last receipt of each is told there."""
    fields = {"username": "bench", "password": "bench", "text": TEXT}
    if receipts_to is not None:
        fields |= {"dlr-mask": str(FINAL_RECEIPTS), "dlr-url": f"{receipts_to.url}?type=%d"}
    common = urllib.parse.urlencode(fields)
    return [
        f"GET /cgi-bin/sendsms?from={sender[1:]}&to={to[1:]}&{common} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        for sender, to in pairs
    ]


def accepted(kannel: Kannel, *, connections: int, seconds: float) -> Figures:
    """How fast it says that it has accepted texts; afterwards it may hand over what it has."""
    figures = measure(kannel.port, in_turn(sending(people())), connections=connections, seconds=seconds)
    assert set(figures.statuses) == {202}, figures.statuses
    kannel.settle()
    return figures


def end_to_end(kannel: Kannel, *, texts: int, connections: int = 64) -> float:
    """Texts per second from the first request to the receipt of the last, each told by a request to our desk."""
    with Desk() as desk:
        requests = sending(people(texts), receipts_to=desk)
        return deliver(kannel.port, requests, desk, connections=connections)


def main() -> None:
    """Measure every store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--stores", nargs="+", default=STORES)
    options = parser.parse_args()
    if BEARERBOX is None or SMSBOX is None:
        raise SystemExit(ABSENT)
    with tempfile.TemporaryDirectory() as directory, Simulator(Path(directory)) as simulator:
        for store in options.stores:
            with Kannel(Path(directory), store, simulator.smpp_port) as kannel:
                for connections in (1, 64):
                    figures = accepted(kannel, connections=connections, seconds=options.seconds)
                    print(
                        f"Kannel, {store:<6} c={connections:<3} accepted {figures.per_s:7,.0f}/s"
                        f"   p50 {figures.p50_ms:6.2f}   p99 {figures.p99_ms:6.1f} ms",
                        flush=True,
                    )
                per_s = end_to_end(kannel, texts=options.texts)
                print(f"Kannel, {store:<6} {options.texts:,} texts to their receipts {per_s:7,.0f}/s", flush=True)


if __name__ == "__main__":
    main()
