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
    help="A phone line that every agent can trust, on your own machine.",
)


class ProfileName(StrEnum):
    """How long things take in the simulator."""

    INSTANT = "instant"
    DEMO = "demo"
    WORLD = "world"


Profile = Annotated[ProfileName, typer.Option(help="Delays: none, one to three seconds a step, or the real ones.")]
TimeScale = Annotated[float, typer.Option(min=0.001, help="Divide the simulator's delays by this.")]
Seed = Annotated[int | None, typer.Option(help="Makes the simulator's chances repeatable.")]
Host = Annotated[
    str | None, typer.Option(help="Address to listen on; 127.0.0.1 unless AGENTMESSAGE_HOST says otherwise.")
]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 8080 unless AGENTMESSAGE_PORT says otherwise.")]


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
        bool, typer.Option("--version", help="Show the version and end.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """A phone line that every agent can trust, on your own machine."""


def run() -> None:
    """Run the command line; known failures become one sentence."""
    speak_utf8()
    with in_one_sentence():
        app(prog_name="agentmessage")


@app.command()
def up(  # noqa: PLR0917 - typer makes one option of each
    data_dir: Annotated[Path, typer.Option(help="Where everything is kept.")] = Path("var"),
    host: Host = None,
    port: Port = None,
    ready_file: Annotated[Path | None, typer.Option(help="Written when everything answers: JSON, with keys.")] = None,
    profile: Profile = ProfileName.DEMO,
    time_scale: TimeScale = 1.0,
    simulator: Annotated[bool, typer.Option(help="Start the simulated carrier.")] = True,  # noqa: FBT002 - a flag
    api_workers: Annotated[int, typer.Option(min=1, max=64, help="API processes on the one port.")] = 1,
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
    ready_file: Annotated[Path | None, typer.Option(help="Tell it on the running platform that wrote this.")] = None,
    base_url: Annotated[str | None, typer.Option(help="Tell it on the platform that answers here.")] = None,
    api_key: Annotated[str | None, typer.Option(help="With --base-url: the key to use.")] = None,
    simulator_url: Annotated[str | None, typer.Option(help="With --base-url: that platform's simulator.")] = None,
    sandbox: Annotated[bool, typer.Option(help="Use the sandbox key of the ready file.")] = False,  # noqa: FBT002 - a flag
    profile: Profile = ProfileName.DEMO,
    patience: Annotated[float, typer.Option(min=1, help="Seconds that any one state may take to come.")] = 60.0,
) -> None:
    """Tell the story of a number, a campaign and a carrier, step by step, on a platform of its own or a running one."""
    from rich.console import Console  # noqa: PLC0415

    from agentmessage.demo.run import DemoOptions  # noqa: PLC0415
    from agentmessage.demo.run import demo as run_demo  # noqa: PLC0415
    from agentmessage.demo.target import Place  # noqa: PLC0415

    place: Place | None = None
    if base_url is not None or api_key is not None or simulator_url is not None:
        if base_url is None or api_key is None or simulator_url is None or ready_file is not None:
            raise Failure("--base-url, --api-key and --simulator-url belong together, and not with --ready-file")
        place = Place(base_url=base_url, api_key=api_key, simulator_url=simulator_url)
    options = DemoOptions(
        place=place, ready_file=ready_file, is_sandbox=sandbox, profile=profile.value, patience_s=patience
    )
    raise typer.Exit(asyncio.run(run_demo(options, Console(highlight=False))))


@app.command()
def serve(
    host: Host = None,
    port: Port = None,
    fd: Annotated[int | None, typer.Option(help="Accept from this inherited listening socket instead.")] = None,
) -> None:
    """Run one API process against DATABASE_URL; any number may run side by side."""
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
    """Run one worker against DATABASE_URL; any number may run side by side."""
    from agentmessage.app.worker import work as run_worker  # noqa: PLC0415
    from agentmessage.settings import read_settings  # noqa: PLC0415

    settings = read_settings()
    _require_complete(settings)
    _run_fast(run_worker(settings))


@app.command()
def simulate(  # noqa: PLR0917 - typer makes one option of each
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8090,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    smpp_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of its SMSC; 0 is any free one.")] = 2775,
    data_dir: Annotated[Path, typer.Option(help="Where it remembers its world.")] = Path("var/simulator"),
    profile: Profile = ProfileName.DEMO,
    time_scale: TimeScale = 1.0,
    seed: Annotated[int, typer.Option(help="Makes its chances repeatable.")] = 1,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A name with a dot that it is reached under; repeatable.")
    ] = None,
    fd: Annotated[int | None, typer.Option(hidden=True)] = None,
    smpp_fd: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the simulated carrier and registry, useful also without the rest."""
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
    cell: Annotated[list[str] | None, typer.Option(help="Also add this cell, such as cell_01; repeatable.")] = None,
) -> None:
    """Bring the database at DATABASE_URL to what this release needs; running it twice does no harm."""
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
            "AGENTMESSAGE_ENCRYPTION_KEY is not set; make one with `openssl rand -base64 32` and keep it safe"
        )


def _require_database(url: str) -> None:
    if not url:
        raise Failure("DATABASE_URL is not set; it names the Postgres to use, as postgresql://user:password@host/name")


def _run_fast(work: Coroutine[Any, Any, object]) -> None:
    """Run to the end on the faster event loop."""
    import uvloop  # noqa: PLC0415

    uvloop.run(work)


add_user_commands(app)
app.add_typer(admin, name="admin")


if __name__ == "__main__":
    give_up("Run it as `agentmessage` or `python -m agentmessage`.")
