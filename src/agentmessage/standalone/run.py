"""`agentmessage up`: everything in one supervised process tree, until somebody says stop."""

import asyncio
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

import msgspec
import structlog

from agentmessage.app.logging import configure_log
from agentmessage.settings import Settings
from agentmessage.standalone.banner import greeting
from agentmessage.standalone.data_dir import DataDir, pretty_json, write_private
from agentmessage.standalone.platform import Platform, Steps
from agentmessage.standalone.processes import UpOptions

log = structlog.get_logger("agentmessage")

STOPPED = 0
FORCED = 130
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def up(options: UpOptions, settings: Settings, steps: Steps) -> int:
    """Run until a signal; answers the exit status: 0 after a clean stop, 130 after a forced one.

    The first signal stops everything in order, at whatever point the start has come to; the second kills. Raises
    CannotStart and EmbeddedPostgresError when it does not come up, with nothing left running.
    """
    if settings.log_format == "json":
        configure_log(settings.log_level, process="up", form="json")
    platform = Platform(options, settings, steps, announce)
    ready_files = [DataDir(options.data_dir).ready, *([options.ready_file] if options.ready_file else [])]
    stop, force = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            continue  # nohup asked to live on
        loop.add_signal_handler(number, lambda: force.set() if stop.is_set() else stop.set())
    try:
        platform.reserve()
    except BaseException:
        await platform.stop()
        raise
    _remove(ready_files)
    run = asyncio.create_task(_run(platform, options, settings, ready_files))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((run, stopping), return_when=asyncio.FIRST_COMPLETED)
        if run.done():
            await run
    finally:
        stop.set()
        _remove(ready_files)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        is_forced = await _stop(platform, force)
    return FORCED if is_forced else STOPPED


def announce(sentence: str) -> None:
    """Say it loudly: on standard error, with our name, at once; in the log where that was asked for."""
    if structlog.is_configured():
        log.warning(sentence)
        return
    sys.stderr.write(f"agentmessage: {sentence}\n")
    sys.stderr.flush()


async def _run(platform: Platform, options: UpOptions, settings: Settings, ready_files: Sequence[Path]) -> None:
    note, place = await platform.start()
    for path in ready_files:
        write_private(path.absolute(), pretty_json(msgspec.to_builtins(note)))
    if structlog.is_configured():
        log.info("platform ready", base_url=note.base_url, simulator_url=note.simulator_url, pid=note.pid)
    else:
        sys.stdout.write(greeting(note, settings, place, has_simulator=options.has_simulator))
        sys.stdout.flush()
    await asyncio.Event().wait()


async def _stop(platform: Platform, force: asyncio.Event) -> bool:
    """Stop in order; answers whether it had to be forced."""
    ending = asyncio.create_task(platform.stop())
    forcing = asyncio.create_task(force.wait())
    await asyncio.wait((ending, forcing), return_when=asyncio.FIRST_COMPLETED)
    is_forced = not ending.done()
    if is_forced:
        announce("Stopping at once.")
        platform.kill()
    forcing.cancel()
    await ending
    return is_forced


def _remove(ready_files: Sequence[Path]) -> None:
    """A ready file describes a platform that answers now; an old one would lie."""
    for path in ready_files:
        path.unlink(missing_ok=True)


def usual_steps() -> Steps:
    """What this release does to a database: its migrations, then the first organizations and keys."""
    from agentmessage.app.sandbox import first_number  # noqa: PLC0415
    from agentmessage.migrations.notice import restored_notice  # noqa: PLC0415
    from agentmessage.migrations.runner import migrate_and_hold  # noqa: PLC0415
    from agentmessage.standalone.first_start import bootstrap  # noqa: PLC0415 - it knows every room; only the start needs it

    async def migrate(dsn: str) -> None:
        done = await migrate_and_hold(dsn)
        if done.is_restored:
            announce(restored_notice(done.held))

    async def first_keys(dsn: str, settings: Settings, known: Mapping[str, str] | None) -> dict[str, str]:
        return msgspec.to_builtins(await bootstrap(dsn, settings, known))

    async def sandbox_number(dsn: str, org_id: str, *, patience_s: float) -> str:
        return await first_number(dsn, UUID(org_id), patience_s=patience_s)

    return Steps(migrate=migrate, bootstrap=first_keys, sandbox_number=sandbox_number)
