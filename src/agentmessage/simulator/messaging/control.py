"""The control plane of messaging: handsets to send from and to read, every message, settings."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated
from urllib.parse import parse_qsl, unquote

import msgspec
from msgspec import Meta, Struct

from agentmessage.simulator.core.account import SimulatedAccount
from agentmessage.simulator.core.entities import MessagingApplication
from agentmessage.simulator.core.http_types import HttpRequest, HttpResponse, json_response
from agentmessage.simulator.core.routing import decode_body, rejected
from agentmessage.simulator.core.shared_state import SharedState
from agentmessage.simulator.messaging.carrier import MessagingCarrier
from agentmessage.simulator.messaging.history import view_of
from agentmessage.simulator.messaging.settings import MessagingSettings
from agentmessage.sms.numbers import is_e164

NAMES = frozenset({"messages", "handsets", "applications"})

_MAX_SHOWN = 100_000
_HANDSET = re.compile(r"([^/]+)/(send|inbox|script)")
_Number = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,14}$(?!\n)")]


class HandsetMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """A message that a handset sends `count` times; `account` defaults to the account that has the number."""

    to: _Number
    text: Annotated[str, Meta(max_length=10_000)] = ""
    media: tuple[str, ...] = ()
    account: str = ""
    count: Annotated[int, Meta(ge=1, le=100_000)] = 1


class HandsetScript(Struct, frozen=True, forbid_unknown_fields=True):
    """The replies of a handset to its next messages, one each."""

    replies: list[str]


class ApplicationRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the callbacks of an application go."""

    id: Annotated[str, Meta(min_length=1, max_length=100)]
    url: Annotated[str, Meta(pattern=r"^https?://")]
    username: str = ""
    password: str = ""
    account: str = ""


class MessagingControl:
    """HTTP for `/_control/messages`, `/_control/handsets/…` and `/_control/applications`."""

    def __init__(self, shared: SharedState, carrier: MessagingCarrier) -> None:
        self._shared = shared
        self._carrier = carrier
        self._operations: Mapping[tuple[str, str], Callable[[HttpRequest], HttpResponse]] = {
            ("GET", "messages"): self._list,
            ("GET", "messages/settings"): lambda _: json_response(200, self._carrier.settings),
            ("POST", "messages/settings"): self._change_settings,
            ("POST", "messages/drop"): self._drop_connections,
            ("GET", "applications"): self._list_applications,
            ("POST", "applications"): self._add_application,
        }

    def handle(self, request: HttpRequest, at: float) -> HttpResponse:
        """One request; the path begins with one of NAMES."""
        path = request.path.removeprefix("/_control/")
        operation = self._operations.get((request.method, path))
        return self._handset(request, path, at) if operation is None else operation(request)

    # ── messages ────────────────────────────────────────────────────────────────────────────────────────────

    def _list(self, request: HttpRequest) -> HttpResponse:
        """Counts, and messages by the page; `repeated=true` selects those that arrived more than once."""
        query = dict(parse_qsl(request.query))
        limit, offset = (
            _whole_number(query, "limit", 100, max_value=_MAX_SHOWN),
            _whole_number(query, "offset", 0, max_value=1 << 40),
        )
        history = self._carrier.history
        repetitions = history.repetitions()
        filters = {name: query.get(name, "").replace(" ", "+") for name in ("account", "sender", "recipient")}
        only_repeated = query.get("repeated") == "true"
        messages = [
            (message, times)
            for message in history.messages(**filters)
            if (times := repetitions[message.sender, message.recipient, message.text]) > 1
            or message.repeated_parts
            or not only_repeated
        ]
        shown = [view_of(message, times=times) for message, times in messages[offset : offset + limit]]
        extra = sum(times - 1 for times in repetitions.values())
        counts = {**history.counts, "repeated": extra, "open": self._carrier.open}
        return json_response(200, {"counts": counts, "total": len(messages), "messages": shown})

    def _change_settings(self, request: HttpRequest) -> HttpResponse:
        """Change what is given and keep the rest; null removes a limit."""
        current = msgspec.to_builtins(self._carrier.settings)
        given = decode_body(request, dict[str, object])
        try:
            self._carrier.settings = msgspec.convert({**current, **given}, MessagingSettings)
        except msgspec.ValidationError as error:
            raise rejected(422, str(error)) from error
        return json_response(200, self._carrier.settings)

    def _drop_connections(self, request: HttpRequest) -> HttpResponse:
        del request
        self._carrier.is_disconnect_requested = True
        return json_response(200, {"dropped": True})

    # ── applications ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _accounts(self) -> list[SimulatedAccount]:
        return list(self._shared.accounts.values())

    def _list_applications(self, request: HttpRequest) -> HttpResponse:
        del request
        return json_response(
            200,
            {
                account.id: [
                    {"id": application.id, "url": application.url} for application in account.applications.values()
                ]
                for account in self._accounts
            },
        )

    def _add_application(self, request: HttpRequest) -> HttpResponse:
        body = decode_body(request, ApplicationRequest)
        account = self._account(body.account)
        application = MessagingApplication(body.id, body.url, body.username, body.password)
        account.applications[body.id] = application
        self._shared.mark_changed(account, application)
        return json_response(200, {"id": body.id, "url": body.url})

    # ── handsets ────────────────────────────────────────────────────────────────────────────────────────────

    def _handset(self, request: HttpRequest, path: str, at: float) -> HttpResponse:
        path_match = _HANDSET.fullmatch(path.removeprefix("handsets/"))
        if path_match is None:
            raise rejected(404, "no such operation")
        handset = unquote(path_match[1]).replace(" ", "+")
        if not is_e164(handset):
            raise rejected(422, "a handset is a number like +14155550123")
        match request.method, path_match[2]:
            case "GET", "inbox":
                return json_response(
                    200, {"messages": [view_of(message) for message in self._carrier.history.inbox(handset)]}
                )
            case "POST", "send":
                return self._send(request, handset, at)
            case "POST", "script":
                self._carrier.script(handset, decode_body(request, HandsetScript).replies)
                return json_response(200, {"handset": handset})
            case _:
                raise rejected(405, "no such operation")

    def _send(self, request: HttpRequest, handset: str, at: float) -> HttpResponse:
        body = decode_body(request, HandsetMessage)
        if not body.text and not body.media:
            raise rejected(422, "text or media is required")
        account = self._account(body.account) if body.account else self._owner(body.to)
        ids = [
            part_id
            for _ in range(body.count)
            for part_id in self._carrier.send_from_handset(
                handset, body.to, body.text, media=body.media, account=account.id, at=at
            )
        ]
        return json_response(200, {"ids": ids})

    def _owner(self, number: str) -> SimulatedAccount:
        return next((account for account in self._accounts if number in account.lines), self._accounts[0])

    def _account(self, account_id: str) -> SimulatedAccount:
        if not account_id:
            return self._accounts[0]
        if account_id not in self._shared.accounts:
            raise rejected(404, f"account {account_id} does not exist")
        return self._shared.accounts[account_id]


def _whole_number(query: Mapping[str, str], name: str, default: int, *, max_value: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or int(text) > max_value:
        raise rejected(422, f"{name} must be 0..{max_value}")
    return int(text)
