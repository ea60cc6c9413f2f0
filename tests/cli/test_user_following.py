"""`webhooks listen` and `events tail`: what happens reaches a receiver nearby, signed, and nothing is lost."""

import json
import queue
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO

import pytest
from typing_extensions import override

from agentmessage.sdk import AgentMessage, webhooks
from tests.cli.conftest import Customer
from tests.cli.terminal import Terminal
from tests.sdk.faults import Wire, wire

PATIENCE_S = 30.0
OURS = "+14155550123"

Got = tuple[dict[str, str], bytes]


class Hook:
    """A receiver that keeps what it gets, and answers as it is told to."""

    def __init__(self) -> None:
        self.got: queue.Queue[Got] = queue.Queue()
        self.status = 204
        self.url = ""

    def next(self) -> Got:
        """What came next."""
        return self.got.get(timeout=PATIENCE_S)


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A receiver on this machine."""
    made = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.got.put(({name.lower(): text for name, text in self.headers.items()}, body))
            self.send_response(made.status)
            self.end_headers()

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def api(customer: Customer) -> Iterator[AgentMessage]:
    """The customer's client, to make things happen."""
    with AgentMessage(api_key=customer.account.key, base_url=customer.platform.base_url) as client:
        yield client


@pytest.fixture
def line(customer: Customer) -> Iterator[Wire]:
    """A wire to the platform that can be cut."""
    with wire(customer.platform.base_url) as one:
        yield one


def said(stream: IO[str] | None) -> str:
    """The next line; empty at the end."""
    assert stream is not None
    return stream.readline()


def make_events(api: AgentMessage, count: int) -> None:
    """Have so many things happen: keys are made."""
    for _ in range(count):
        api.api_keys.create(label="made", scopes=["org:read"])


@contextmanager
def listening(terminal: Terminal, hook: Hook, *words: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """`webhooks listen` from the oldest event on, and the secret that it named."""
    with terminal.following("webhooks", "listen", "--forward-to", hook.url, *words) as process:
        told = said(process.stderr)
        assert told.startswith(f"Forwarding to {hook.url}."), told + said(process.stderr)
        yield process, told.rpartition(" ")[2].strip()


def last_event(api: AgentMessage) -> str:
    return list(api.events.list().all())[-1].id


def test_what_happens_is_forwarded_with_signatures_that_verify(
    terminal: Terminal, hook: Hook, api: AgentMessage
) -> None:
    with listening(terminal, hook, "--after", last_event(api)) as (process, secret):
        make_events(api, 1)

        headers, body = hook.next()
        event = webhooks.unwrap(body, headers, secret)
        kept = list(api.events.list().all())[-1]
        assert event == kept
        assert json.loads(body)["data"] == dict(kept.data)
        assert headers["webhook-id"] == event.id
        only_ours = {name: text for name, text in headers.items() if name != "webhook-signature"}
        webhooks.verify(body, only_ours, secret)
        line = said(process.stdout)
        assert "api_key.created" in line
        assert "→ 204 in" in line


def test_only_the_types_asked_for_are_forwarded(
    terminal: Terminal, hook: Hook, api: AgentMessage, customer: Customer
) -> None:
    customer.number(OURS)
    number = next(iter(api.phone_numbers.list().all()))

    with listening(terminal, hook, "--after", last_event(api), "--type", "phone_number.*"):
        make_events(api, 1)
        api.phone_numbers.detach_campaign(number.id)

        assert json.loads(hook.next()[1])["type"] == "phone_number.campaign.detached"


def test_what_the_receiver_refuses_is_shown_and_the_next_goes_on(
    terminal: Terminal, hook: Hook, api: AgentMessage
) -> None:
    hook.status = 500

    with listening(terminal, hook, "--after", last_event(api), "--json") as (process, _):
        make_events(api, 2)

        lines = [json.loads(said(process.stdout)) for _ in range(2)]
        assert [one["status"] for one in lines] == [500, 500]
        assert [one["type"] for one in lines] == ["api_key.created"] * 2


def test_a_receiver_that_is_away_is_shown(terminal: Terminal, api: AgentMessage) -> None:
    away = Hook()
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        away.url = f"http://127.0.0.1:{nobody.getsockname()[1]}/hook"

    with listening(terminal, away, "--after", last_event(api), "--json") as (process, _):
        make_events(api, 1)

        told = json.loads(said(process.stdout))
        assert told["status"] is None
        assert told["error"]


def test_a_broken_connection_loses_and_repeats_nothing(
    terminal: Terminal, hook: Hook, api: AgentMessage, line: Wire
) -> None:
    terminal.environment["AGENTMESSAGE_BASE_URL"] = line.base_url

    with listening(terminal, hook, "--after", last_event(api)):
        make_events(api, 2)
        first = [json.loads(hook.next()[1])["id"] for _ in range(2)]
        line.cut()
        make_events(api, 3)
        after = [json.loads(hook.next()[1])["id"] for _ in range(3)]

    kept = [event.id for event in api.events.list(type="api_key.created").all()]
    assert kept[-5:] == first + after


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--forward-to", "localhost"), "is not a URL such as"),
        (
            ("--forward-to", "http://127.0.0.1:9/hook", "--secret", "?"),
            "The webhook secret is neither base64 nor hexadecimal",
        ),
        (("--forward-to", "http://127.0.0.1:9/hook", "--secret", "whsec_"), "The webhook secret is empty"),
    ],
)
def test_what_cannot_be_listened_with_is_misuse(terminal: Terminal, words: tuple[str, ...], told: str) -> None:
    ended = terminal("webhooks", "listen", *words)

    assert ended.status == 2
    assert told in ended.err


def test_a_key_that_may_not_follow_is_status_4(terminal: Terminal) -> None:
    terminal.environment["AGENTMESSAGE_API_KEY"] = "am_live_nobodyknowsthiskey"

    assert terminal("events", "tail").status == 4
    assert terminal("webhooks", "listen", "--forward-to", "http://127.0.0.1:9/").status == 4


def test_tail_begins_where_it_is_told_to_and_follows(terminal: Terminal, api: AgentMessage) -> None:
    last = last_event(api)
    make_events(api, 1)

    with terminal.following("events", "tail", "--after", last, "--type", "api_key.created", "--json") as process:
        before = json.loads(said(process.stdout))
        make_events(api, 1)
        after = json.loads(said(process.stdout))

        kept = [event.id for event in api.events.list(type="api_key.created").all()]
        assert [before["id"], after["id"]] == kept[-2:]


def test_ctrl_c_ends_listening_with_the_place_to_go_on_from(terminal: Terminal, hook: Hook, api: AgentMessage) -> None:
    with listening(terminal, hook, "--after", last_event(api)) as (process, _):
        make_events(api, 1)
        event_id = hook.next()[0]["webhook-id"]
        said(process.stdout)
        process.send_signal(signal.SIGINT)

        assert process.wait(PATIENCE_S) == 130
        assert f"--after {event_id}" in said(process.stderr)


def test_ctrl_c_ends_it_without_a_trace(terminal: Terminal, api: AgentMessage) -> None:
    last = last_event(api)
    make_events(api, 1)

    with terminal.following("events", "tail", "--after", last) as process:
        line = said(process.stdout)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert process.wait(PATIENCE_S) == 130
        assert "Traceback" not in process.stderr.read()
    assert "api_key.created" in line
