"""What `agentmessage up` starts: the command line and the environment of every process."""

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from agentmessage.settings import Settings
from agentmessage.standalone.child import ChildPlan
from agentmessage.standalone.data_dir import DataDir

API_GRACE_S = 10.0
WORKER_GRACE_S = 10.0
SIMULATOR_GRACE_S = 5.0


class UpOptions(Struct, frozen=True, kw_only=True):
    """What the person at the terminal asked for. `port` 0 is any free one; a `seed` makes the simulator repeatable."""

    data_dir: Path
    host: str
    port: int
    ready_file: Path | None = None
    profile: str = "demo"
    time_scale: float = 1.0
    has_simulator: bool = True
    api_workers: int = 1
    seed: int | None = None


class Place(Struct, frozen=True, kw_only=True):
    """Where everything of one run is."""

    base_url: str
    simulator_url: str
    simulator_smpp_port: int
    database_url: str


def environment_of(place: Place, settings: Settings, data: DataDir, *, host: str, port: int) -> dict[str, str]:
    """The supervisor's own environment, and over it what it decided."""
    decided = {
        "DATABASE_URL": place.database_url,
        "AGENTMESSAGE_HOST": host,
        "AGENTMESSAGE_PORT": str(port),
        "AGENTMESSAGE_PUBLIC_URL": settings.public_url or place.base_url,
        "AGENTMESSAGE_SIMULATOR_URL": place.simulator_url,
        "AGENTMESSAGE_SIMULATOR_SMPP_PORT": str(place.simulator_smpp_port),
        "AGENTMESSAGE_ENCRYPTION_KEY": settings.encryption_key or data.encryption_key(),
        "AGENTMESSAGE_MEDIA_DIR": os.environ.get("AGENTMESSAGE_MEDIA_DIR") or str(data.media),
        "PYTHONUNBUFFERED": "1",
    }
    return {**os.environ, **decided}


def api_plans(count: int, listener: socket.socket, environment: Mapping[str, str], data: DataDir) -> list[ChildPlan]:
    """The API processes, all accepting from one socket."""
    descriptor = listener.fileno()
    return [
        ChildPlan(
            name=f"api-{number}",
            command=[*_ourselves(), "serve", "--fd", str(descriptor)],
            environment=environment,
            log=data.log(f"api-{number}"),
            descriptors=(descriptor,),
            grace_s=API_GRACE_S,
        )
        for number in range(1, count + 1)
    ]


def worker_plan(environment: Mapping[str, str], data: DataDir) -> ChildPlan:
    """The worker."""
    return ChildPlan(
        name="worker",
        command=[*_ourselves(), "work"],
        environment=environment,
        log=data.log("worker"),
        grace_s=WORKER_GRACE_S,
    )


def simulator_plan(
    options: UpOptions, listener: socket.socket, smsc_listener: socket.socket, data: DataDir
) -> ChildPlan:
    """The simulated carrier and registry, on sockets that stay while it is restarted."""
    descriptor, smsc = listener.fileno(), smsc_listener.fileno()
    command = [*_ourselves(), "simulate", "--fd", str(descriptor), "--smpp-fd", str(smsc)]
    command += ["--data-dir", str(data.simulator)]
    command += ["--profile", options.profile, "--time-scale", str(options.time_scale)]
    if options.seed is not None:
        command += ["--seed", str(options.seed)]
    return ChildPlan(
        name="simulator",
        command=command,
        environment={**os.environ, "PYTHONUNBUFFERED": "1"},
        log=data.log("simulator"),
        descriptors=(descriptor, smsc),
        grace_s=SIMULATOR_GRACE_S,
    )


def _ourselves() -> list[str]:
    return [sys.executable, "-m", "agentmessage"]
