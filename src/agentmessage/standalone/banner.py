"""What `agentmessage up` says when everything answers."""

import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from agentmessage.settings import Settings
from agentmessage.standalone.processes import Place

HANDSET = "+13235550141"
"""One of the simulator's, the one that quickstart and demo text to."""


class ReadyNote(msgspec.Struct, frozen=True, kw_only=True):
    """The content of the ready file: where everything is and the keys to use it."""

    base_url: str
    org_id: str
    api_key: str
    platform_api_key: str
    sandbox_api_key: str
    sandbox_number: str = ""
    second_org_id: str
    second_org_api_key: str
    simulator_url: str
    simulator_smpp_port: int
    database_url: str
    pid: int


def greeting(note: ReadyNote, settings: Settings, place: Place, *, has_simulator: bool) -> str:
    """Base URL, two keys, who the carrier is, lines to try, and the way to the first text."""
    login = f"agentmessage login --base-url {note.base_url}"
    header = f'-H "Authorization: Bearer {note.api_key}"'
    as_json = '-H "Content-Type: application/json"'
    return "\n".join(
        [
            "",
            f"  AgentMessage answers at   {note.base_url}   (reference: {note.base_url}/docs)",
            f"  live key                  {note.api_key}",
            f"  sandbox key               {note.sandbox_api_key}",
            *(f"  {line}" for line in carrier_lines(settings, place, has_simulator=has_simulator)),
            "",
            *first_message(note),
            "  Try:",
            f"    curl {note.base_url}/v1/organization {header}",
            f"    curl {note.base_url}/v1/phone-numbers/search {header} {as_json} \\",
            """      -d '{"area_code": "415", "quantity": 3}'""",
            f"    curl {note.base_url}/v1/phone-numbers {header}",
            *([f"    curl {note.simulator_url}/_control/handsets/{HANDSET}/inbox"] if has_simulator else []),
            "",
            f"  In another terminal{command_setup()}:",
            f"    {login}    asks for a key; then every command works",
            f"    {'agentmessage demo':<{len(login)}}    shows a message on its way, step by step",
            "",
            "  The first message in two minutes: docs/quickstart.md",
            "  Ctrl-C stops everything; the data stays.",
            "",
        ]
    )


def first_message(note: ReadyNote) -> Iterator[str]:
    """The one call that sends: from the sandbox's number to the handset that has agreed."""
    if note.sandbox_number:
        body = f'{{"from": "{note.sandbox_number}", "to": "{HANDSET}", "text": "Hello"}}'
        yield f"  A first message, from the sandbox's number {note.sandbox_number} (no real phone is reached):"
        yield f'    curl {note.base_url}/v1/messages -H "Authorization: Bearer {note.sandbox_api_key}" \\'
        yield f"""      -H "Content-Type: application/json" -d '{body}'"""
        yield ""


def command_setup() -> str:
    """How a new terminal gets the command `agentmessage`; empty when it has it already."""
    ours = Path(sys.executable).with_name("agentmessage")
    found = shutil.which("agentmessage")
    if found is not None and Path(found).resolve() == ours.resolve():
        return ""
    activate = ours.with_name("activate")
    if activate.is_relative_to(Path.cwd()):
        activate = activate.relative_to(Path.cwd())
    return f", after `source {shlex.quote(str(activate))}`" if activate.exists() else f" ({shlex.quote(str(ours))})"


def carrier_lines(settings: Settings, place: Place, *, has_simulator: bool) -> Sequence[str]:
    """Who the carriers are: what is real comes first, since it costs money and reaches people."""
    real = [*_real_carriers(settings)]
    simulator = place.simulator_url
    if real:
        rest = "Sandbox keys use" if settings.has_carrier_credentials else "Numbers, campaigns and sandbox keys use"
        return [*real, f"{rest} the simulator at {simulator}."] if has_simulator else real
    if not has_simulator:
        return [f"No carrier credentials are set and no simulator was started: one is expected at {simulator}."]
    return [f"No carrier credentials are set: every carrier is the simulator at {simulator}."]


def _real_carriers(settings: Settings) -> Iterator[str]:
    if settings.has_carrier_credentials:
        yield "Live keys use your Bandwidth account: numbers are real and cost money."
    protocol = settings.live_message_carrier or ("smpp" if settings.smpp_host else "bandwidth")
    if protocol == "smpp" and settings.smpp_host:
        yield f"Live messages go to the SMSC at {settings.smpp_host}:{settings.smpp_port}: real people get them."
    elif protocol == "bandwidth" and settings.has_carrier_credentials:
        yield "Live messages go through your Bandwidth account: real people get them."
    if settings.stripe_secret_key.startswith(("sk_live_", "rk_live_")):
        yield "Top-ups are paid through your Stripe account, with real money."
