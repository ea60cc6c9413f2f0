"""The commands that run the platform or one part of it."""

import asyncio
from collections.abc import Coroutine
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentmessage.cli.admin import admin
from agentmessage.cli.customer_commands import add_user_commands
from agentmessage.cli.errors import Failure, give_up, in_one_sentence, is_json_asked
from agentmessage.cli.tables import say, speak_utf8

if TYPE_CHECKING:
    from agentmessage.settings import Settings

app = typer.Typer(
    name="agentmessage",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Self-hosted SMS and MMS for AI agents.",
)


class ProfileName(StrEnum):
    """Delay profiles of the simulator."""

    INSTANT = "instant"
    DEMO = "demo"
    WORLD = "world"


Profile = Annotated[
    ProfileName,
    typer.Option(
        help="Delays of the simulator: instant (none), demo (1 to 3 seconds per step), world (production-like)."
    ),
]
TimeScale = Annotated[float, typer.Option(min=0.001, help="Factor by which the simulator's delays are divided.")]
Seed = Annotated[int | None, typer.Option(help="Random seed of the simulator.")]
Host = Annotated[str | None, typer.Option(help="Listen address; default: AGENTMESSAGE_HOST, else 127.0.0.1.")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Listen port; default: AGENTMESSAGE_PORT, else 8080.")]


def _show_version(is_asked: bool) -> None:  # noqa: FBT001 - typer calls it so
    if is_asked:
        from agentmessage.kernel.release import VERSION, commit  # noqa: PLC0415 - see the room's front page

        built_from = commit()
        typer.echo(f"agentmessage {VERSION}" + (f" ({built_from[:12]})" if built_from else ""))
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Self-hosted SMS and MMS for AI agents."""


def run() -> None:
    """Run the command line. Expected errors are printed as one sentence."""
    speak_utf8()
    with in_one_sentence():
        app(prog_name="agentmessage")


@app.command()
def up(  # noqa: PLR0917 - typer makes one option of each
    data_dir: Annotated[Path, typer.Option(help="Data directory.")] = Path("var"),
    host: Host = None,
    port: Port = None,
    ready_file: Annotated[
        Path | None, typer.Option(help="JSON file with URLs and keys, written when the platform is ready.")
    ] = None,
    profile: Profile = ProfileName.DEMO,
    time_scale: TimeScale = 1.0,
    simulator: Annotated[bool, typer.Option(help="Start the carrier simulator.")] = True,  # noqa: FBT002 - a flag
    api_workers: Annotated[int, typer.Option(min=1, max=64, help="Number of API processes on the port.")] = 1,
    seed: Seed = None,
) -> None:
    """Run everything: Postgres, migrations, API, worker and simulator, until Ctrl-C."""
    from agentmessage.settings import read_settings  # noqa: PLC0415
    from agentmessage.standalone.processes import UpOptions  # noqa: PLC0415
    from agentmessage.standalone.run import up as run_all  # noqa: PLC0415
    from agentmessage.standalone.run import usual_steps  # noqa: PLC0415

    settings = read_settings()
    options = UpOptions(
        data_dir=data_dir,
        host=host or settings.host,
        port=settings.port if port is None else port,
        ready_file=ready_file,
        profile=profile.value,
        time_scale=time_scale,
        has_simulator=simulator,
        api_workers=api_workers,
        seed=seed,
    )
    raise typer.Exit(asyncio.run(run_all(options, settings, usual_steps())))


@app.command()
def demo(  # noqa: PLR0917 - typer makes one option of each
    ready_file: Annotated[Path | None, typer.Option(help="Ready file of a running platform.")] = None,
    base_url: Annotated[str | None, typer.Option(help="Base URL of a running platform.")] = None,
    api_key: Annotated[str | None, typer.Option(help="API key; required with --base-url.")] = None,
    simulator_url: Annotated[
        str | None, typer.Option(help="URL of the platform's simulator; required with --base-url.")
    ] = None,
    sandbox: Annotated[bool, typer.Option(help="Use the sandbox key of the ready file.")] = False,  # noqa: FBT002 - a flag
    profile: Profile = ProfileName.DEMO,
    timeout_s: Annotated[float, typer.Option("--timeout", min=1, help="Timeout of one step, seconds.")] = 60.0,
) -> None:
    """Run the demo of a number, a campaign and a carrier, on a temporary platform or a running one."""
    from rich.console import Console  # noqa: PLC0415

    from agentmessage.demo.run import DemoOptions  # noqa: PLC0415
    from agentmessage.demo.run import demo as run_demo  # noqa: PLC0415
    from agentmessage.demo.target import Place  # noqa: PLC0415

    place: Place | None = None
    if base_url is not None or api_key is not None or simulator_url is not None:
        if base_url is None or api_key is None or simulator_url is None or ready_file is not None:
            raise Failure("Give --base-url, --api-key and --simulator-url together, without --ready-file")
        place = Place(base_url=base_url, api_key=api_key, simulator_url=simulator_url)
    options = DemoOptions(
        place=place, ready_file=ready_file, is_sandbox=sandbox, profile=profile.value, timeout_s=timeout_s
    )
    raise typer.Exit(asyncio.run(run_demo(options, Console(highlight=False))))


@app.command()
def serve(
    host: Host = None,
    port: Port = None,
    fd: Annotated[
        int | None, typer.Option(help="File descriptor of an inherited listening socket; replaces --host and --port.")
    ] = None,
) -> None:
    """Run one API process on DATABASE_URL. Any number can run in parallel."""
    import msgspec  # noqa: PLC0415

    from agentmessage.app.server import serve as serve_api  # noqa: PLC0415
    from agentmessage.settings import read_settings  # noqa: PLC0415

    settings = read_settings()
    changes: dict[str, object] = {"host": host, "port": port}
    settings = msgspec.structs.replace(
        settings, **{name: value for name, value in changes.items() if value is not None}
    )
    _require_complete(settings)
    _run_fast(serve_api(settings, descriptor=fd))


@app.command()
def work() -> None:
    """Run one worker on DATABASE_URL. Any number can run in parallel."""
    from agentmessage.app.worker import work as run_worker  # noqa: PLC0415
    from agentmessage.settings import read_settings  # noqa: PLC0415

    settings = read_settings()
    _require_complete(settings)
    _run_fast(run_worker(settings))


@app.command()
def simulate(  # noqa: PLR0917 - typer makes one option of each
    port: Annotated[int, typer.Option(min=0, max=65535, help="Listen port.")] = 8090,
    host: Annotated[str, typer.Option(help="Listen address.")] = "127.0.0.1",
    smpp_port: Annotated[int, typer.Option(min=0, max=65535, help="SMPP port; 0: any free port.")] = 2775,
    data_dir: Annotated[Path, typer.Option(help="Data directory.")] = Path("var/simulator"),
    profile: Profile = ProfileName.DEMO,
    time_scale: TimeScale = 1.0,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 1,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="Accepted Host header name with a dot; repeatable.")
    ] = None,
    fd: Annotated[int | None, typer.Option(hidden=True)] = None,
    smpp_fd: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the simulated carrier and registry. They also work without the platform."""
    from agentmessage.app.logging import configure_log  # noqa: PLC0415
    from agentmessage.simulator.server import SimulatorConfig  # noqa: PLC0415
    from agentmessage.simulator.server import serve as serve_simulator  # noqa: PLC0415

    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = SimulatorConfig(
        host=host,
        port=port,
        descriptor=fd,
        smpp_port=smpp_port,
        smpp_descriptor=smpp_fd,
        data_dir=data_dir,
        profile=profile.value,
        time_scale=time_scale,
        seed=seed,
        hosts=frozenset(name.lower() for name in allow_host or ()),
        logs_ready_line=is_json_asked(),
    )
    configure_log("info", process="simulator", form="json" if is_json_asked() else "auto")
    _run_fast(serve_simulator(config))


@app.command()
def migrate(
    cell: Annotated[list[str] | None, typer.Option(help="Add this cell, such as cell_01; repeatable.")] = None,
) -> None:
    """Migrate the database at DATABASE_URL to this release. Idempotent."""
    from agentmessage.migrations.notice import restored_notice  # noqa: PLC0415
    from agentmessage.migrations.runner import migrate_and_hold  # noqa: PLC0415
    from agentmessage.settings import read_settings  # noqa: PLC0415

    settings = read_settings()
    _require_database(settings.database_url)
    done = asyncio.run(migrate_and_hold(settings.database_url, new_cells=cell or ()))
    typer.echo("\n".join(f"applied {name}" for name in done.applied) or "The database is current.")
    if done.is_restored:
        say(restored_notice(done.held), is_harm=True)


def _require_complete(settings: "Settings") -> None:
    _require_database(settings.database_url)
    if not settings.encryption_key:
        raise Failure(
            "AGENTMESSAGE_ENCRYPTION_KEY is not set; make one with `openssl rand -base64 32` and store it safely"
        )


def _require_database(url: str) -> None:
    if not url:
        raise Failure("DATABASE_URL is not set; give a Postgres URL: postgresql://user:password@host/name")


def _run_fast(work: Coroutine[Any, Any, object]) -> None:
    """Run a coroutine on uvloop."""
    import uvloop  # noqa: PLC0415

    uvloop.run(work)


add_user_commands(app)
app.add_typer(admin, name="admin")


if __name__ == "__main__":
    give_up("Run it as `agentmessage` or `python -m agentmessage`.")
