"""Jasmin from PyPI, with Debian's RabbitMQ and Redis, bound to the simulated carrier.

    python -m bench.peers.jasmin --venv DIRECTORY [--texts 5000]

DIRECTORY is a virtual environment with `pip install jasmin` (0.11.1 or newer); it is made where there is none. Texts
are counted where they reach the carrier: the released version tells no receipts of single texts
(its issues 729 and 1281).
"""

import argparse
import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import uvloop

from bench.load import free_ports, in_turn, measure, send_all, wait_until_listening
from bench.simulated import Simulator
from bench.text_fixture import TEXT, people

RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
REDIS = shutil.which("redis-server")
ABSENT = "Jasmin cannot be had (Debian: apt-get install rabbitmq-server redis-server; PyPI: jasmin): skipped."
BROKER_START_S = 90.0
PATIENCE_S = 600.0


def install(venv: Path) -> bool:
    """Make the virtual environment with Jasmin in it, unless it is there; answers whether it can be used."""
    daemon = venv / "bin" / "jasmind.py"
    if not daemon.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([str(venv / "bin" / "pip"), "install", "--quiet", "jasmin"], check=False)
    return daemon.exists()


def can_run(venv: Path) -> bool:
    """Whether everything that it consists of is here."""
    return REDIS is not None and RABBITMQ.exists() and install(venv)


class Jasmin:
    """A running Jasmin with one connector to the carrier and one user; its broker and its Redis stop with it."""

    def __init__(self, venv: Path, directory: Path, smpp_port: int) -> None:
        self._venv = venv
        self._directory = directory
        self._smpp_port = smpp_port
        self._stack = ExitStack()
        self.port, self._redis, self._amqp, self._dist, self._epmd, self._jcli = free_ports(6)

    def __enter__(self) -> Self:
        try:
            self._start_all()
        except BaseException:
            self._stack.close()
            raise
        return self

    def _start_all(self) -> None:
        assert REDIS is not None
        self._start([REDIS, "--port", str(self._redis), "--save", "", "--dir", str(self._directory)], {})
        wait_until_listening(self._redis)
        self._stack.callback(subprocess.run, ["epmd", "-port", str(self._epmd), "-kill"], capture_output=True)
        self._start([str(RABBITMQ)], self._broker())
        wait_until_listening(self._amqp, within_s=BROKER_START_S)
        self._start([str(self._venv / "bin" / "python"), str(self._venv / "bin" / "jasmind.py")], self._daemon())
        wait_until_listening(self._jcli)
        wait_until_listening(self.port)
        self._configure()

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _start(self, command: Sequence[str], environment: dict[str, str]) -> None:
        log = self._stack.enter_context((self._directory / f"{Path(command[-1]).name}.log").open("wb"))
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=log, stderr=log, cwd=self._directory, process_group=0
        )
        self._stack.callback(_stop, process)

    def _broker(self) -> dict[str, str]:
        folder = self._directory / "rabbitmq"
        folder.mkdir()
        return {
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"bench{self._amqp}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._amqp),
            "RABBITMQ_DIST_PORT": str(self._dist),
            "ERL_EPMD_PORT": str(self._epmd),
            "RABBITMQ_MNESIA_BASE": str(folder),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none.conf"),
            "RABBITMQ_CONFIG_FILE": str(folder / "none"),
        }

    def _daemon(self) -> dict[str, str]:
        root = self._directory / "jasmin"
        for part in ("etc/jasmin/store", "etc/jasmin/resource", "var/log/jasmin"):
            (root / part).mkdir(parents=True)
        (spec,) = self._venv.glob("lib/python3*/site-packages/txamqp/specs/standard/amqp0-9-1.stripped.xml")
        router, clients, smpp, pb = (str(port) for port in free_ports(4))
        Path("/tmp/jasmind.lock").unlink(missing_ok=True)  # noqa: S108 - its own; a killed one leaves it behind
        return {
            "ROOT_PATH": str(root),
            "AMQP_BROKER_SPEC": str(spec),
            "AMQP_BROKER_PORT": str(self._amqp),
            "REDIS_CLIENT_PORT": str(self._redis),
            "HTTP_API_PORT": str(self.port),
            "HTTP_API_LOG_LEVEL": "ERROR",
            "JCLI_PORT": str(self._jcli),
            "JCLI_AUTHENTICATION": "no",
            "ROUTER_PORT": router,
            "CLIENT_MANAGEMENT_PORT": clients,
            "SMPP_SERVER_PORT": smpp,
            "SMPP_SERVER_PB_PORT": pb,
        }

    def _configure(self) -> None:
        with socket.create_connection(("127.0.0.1", self._jcli), timeout=10) as jcli:
            _say(jcli, ["group -a", "gid bench", "ok"])
            _say(jcli, ["user -a", "username bench", "password bench", "gid bench", "uid bench", "ok"])
            carrier = ["host 127.0.0.1", f"port {self._smpp_port}", "username live", "password simulate"]
            _say(jcli, ["smppccm -a", "cid carrier", *carrier, "submit_throughput 100000", "ok"])
            _say(jcli, ["mtrouter -a", "type DefaultRoute", "connector smppc(carrier)", "rate 0", "ok"])
            _say(jcli, ["smppccm -1 carrier"])
        time.sleep(2)  # it does not tell when the connector is bound


def _say(jcli: socket.socket, lines: Iterable[str]) -> None:
    """Type lines at its console, each after the prompt."""
    for line in ("", *lines):
        jcli.sendall(line.encode() + b"\r\n")
        _until_prompt(jcli)


def _until_prompt(jcli: socket.socket) -> None:
    heard = b""
    while not heard.rstrip().endswith((b"jcli :", b">")):
        try:
            chunk = jcli.recv(65_536)
        except TimeoutError:
            raise SystemExit(f"Jasmin's console is stuck: {heard!r}") from None
        if not chunk:
            raise SystemExit(f"Jasmin's console hung up: {heard.decode(errors='replace')}")
        heard += chunk


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End what was started here, and what it has started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                continue


def sending(pairs: Sequence[tuple[str, str]]) -> list[bytes]:
    """One request to send for each pair of sender and recipient."""
    common = urllib.parse.urlencode({"username": "bench", "password": "bench", "content": TEXT})
    return [
        f"GET /send?from={sender[1:]}&to={to[1:]}&{common} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        for sender, to in pairs
    ]


def reached(simulator: Simulator) -> int:
    """Texts that the carrier has taken."""
    counts: dict[str, int] = simulator.control("messages?limit=1")["counts"]
    return counts.get("messages", 0)


def carried(jasmin: Jasmin, simulator: Simulator, *, texts: int) -> float:
    """Texts per second from the first request to the carrier's taking the last."""
    before = reached(simulator)

    async def send() -> None:
        figures = await send_all(jasmin.port, sending(people(texts)), connections=64)
        assert set(figures.statuses) == {200}, figures.statuses
        await asyncio.sleep(0)

    began = time.monotonic()
    uvloop.run(send())
    while (arrived := reached(simulator) - before) < texts:
        if time.monotonic() - began > PATIENCE_S:
            raise SystemExit(f"only {arrived} of {texts} have reached the carrier")
        time.sleep(0.1)
    return texts / (time.monotonic() - began)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venv", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    if not can_run(options.venv):
        raise SystemExit(ABSENT)
    with (
        tempfile.TemporaryDirectory() as directory,
        Simulator(Path(directory)) as simulator,
        Jasmin(options.venv, Path(directory), simulator.smpp_port) as jasmin,
    ):
        per_s = carried(jasmin, simulator, texts=options.texts)
        print(f"Jasmin {options.texts:,} texts to the carrier {per_s:7,.0f}/s", flush=True)
        figures = measure(jasmin.port, in_turn(sending(people())), connections=64, seconds=options.seconds)
        print(
            f"Jasmin c=64 accepted {figures.per_s:7,.0f}/s   p50 {figures.p50_ms:6.2f}   p99 {figures.p99_ms:6.1f} ms"
        )


if __name__ == "__main__":
    main()
