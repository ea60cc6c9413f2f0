"""The control plane of texts: handsets to text from and to look into, the truth about every text, settings."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, TypeVar
from urllib.parse import parse_qsl, unquote

import msgspec
from msgspec import Meta, Struct

from agentmessage.simulator.core.account import Account
from agentmessage.simulator.core.entities import Application
from agentmessage.simulator.core.http_types import Reply, Request, json_reply
from agentmessage.simulator.core.routing import Refused
from agentmessage.simulator.core.shared_state import Realm
from agentmessage.simulator.messaging.carrier import TextDesk
from agentmessage.simulator.messaging.history import show
from agentmessage.simulator.messaging.settings import TextSettings
from agentmessage.sms.numbers import is_e164

NAMES = frozenset({"texts", "handsets", "applications"})

_MOST_SHOWN = 100_000
_HANDSET = re.compile(r"([^/]+)/(send|inbox|script)")
Body = TypeVar("Body")
_Number = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,14}$(?!\n)")]


class Sending(Struct, frozen=True, forbid_unknown_fields=True):
    """What a handset texts, `count` times; `account` is the one that has the number where it is left out."""

    to: _Number
    text: Annotated[str, Meta(max_length=10_000)] = ""
    media: tuple[str, ...] = ()
    account: str = ""
    count: Annotated[int, Meta(ge=1, le=100_000)] = 1


class Script(Struct, frozen=True, forbid_unknown_fields=True):
    """What a handset answers to the texts that come next, one each."""

    replies: list[str]


class ApplicationOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """Where an application's callbacks go."""

    id: Annotated[str, Meta(min_length=1, max_length=100)]
    url: Annotated[str, Meta(pattern=r"^https?://")]
    username: str = ""
    password: str = ""
    account: str = ""


class TextControl:
    """Answers `/_control/texts`, `/_control/handsets/…` and `/_control/applications`."""

    def __init__(self, realm: Realm, desk: TextDesk) -> None:
        self._realm = realm
        self._desk = desk
        self._operations: Mapping[tuple[str, str], Callable[[Request], Reply]] = {
            ("GET", "texts"): self._list,
            ("GET", "texts/settings"): lambda _: json_reply(200, self._desk.settings),
            ("POST", "texts/settings"): self._set,
            ("POST", "texts/drop"): self._cut,
            ("GET", "applications"): self._list_applications,
            ("POST", "applications"): self._keep_application,
        }

    def handle(self, request: Request, at: float) -> Reply:
        """One request; the path begins with one of NAMES."""
        path = request.path.removeprefix("/_control/")
        operation = self._operations.get((request.method, path))
        return self._handset(request, path, at) if operation is None else operation(request)

    # ── texts ───────────────────────────────────────────────────────────────────────────────────────────────

    def _list(self, request: Request) -> Reply:
        """Counts, and texts by the page; `repeated=true` shows only those that came more than once."""
        query = dict(parse_qsl(request.query))
        limit, offset = _whole(query, "limit", 100, most=_MOST_SHOWN), _whole(query, "offset", 0, most=1 << 40)
        book = self._desk.book
        repetitions = book.repetitions()
        words = {name: query.get(name, "").replace(" ", "+") for name in ("account", "sender", "recipient")}
        is_narrowed = query.get("repeated") == "true"
        found = [
            text
            for text in book.texts(**words)
            if not is_narrowed or repetitions[text.sender, text.recipient, text.text] > 1 or text.repeated_parts
        ]
        shown = [
            show(text, times=repetitions[text.sender, text.recipient, text.text])
            for text in found[offset : offset + limit]
        ]
        extra = sum(times - 1 for times in repetitions.values())
        counts = {**book.counts, "repeated": extra, "open": self._desk.open}
        return json_reply(200, {"counts": counts, "total": len(found), "texts": shown})

    def _set(self, request: Request) -> Reply:
        """Change what is given and leave the rest; null takes a limit away."""
        now = msgspec.to_builtins(self._desk.settings)
        given = _decode(request, dict[str, object])
        try:
            self._desk.settings = msgspec.convert({**now, **given}, TextSettings)
        except msgspec.ValidationError as error:
            raise _refused(422, str(error)) from error
        return json_reply(200, self._desk.settings)

    def _cut(self, request: Request) -> Reply:
        del request
        self._desk.is_cut = True
        return json_reply(200, {"cut": True})

    # ── applications ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _accounts(self) -> list[Account]:
        return list(self._realm.accounts.values())

    def _list_applications(self, request: Request) -> Reply:
        del request
        return json_reply(
            200,
            {
                account.id: [{"id": known.id, "url": known.url} for known in account.applications.values()]
                for account in self._accounts
            },
        )

    def _keep_application(self, request: Request) -> Reply:
        order = _decode(request, ApplicationOrder)
        account = self._account(order.account)
        application = Application(order.id, order.url, order.username, order.password)
        account.applications[order.id] = application
        self._realm.touch(account, application)
        return json_reply(200, {"id": order.id, "url": order.url})

    # ── handsets ────────────────────────────────────────────────────────────────────────────────────────────

    def _handset(self, request: Request, path: str, at: float) -> Reply:
        found = _HANDSET.fullmatch(path.removeprefix("handsets/"))
        if found is None:
            raise _refused(404, "no such operation")
        handset = unquote(found[1]).replace(" ", "+")
        if not is_e164(handset):
            raise _refused(422, "a handset is a number like +14155550123")
        match request.method, found[2]:
            case "GET", "inbox":
                return json_reply(200, {"texts": [show(text) for text in self._desk.book.inbox(handset)]})
            case "POST", "send":
                return self._send(request, handset, at)
            case "POST", "script":
                self._desk.script(handset, _decode(request, Script).replies)
                return json_reply(200, {"handset": handset})
            case _:
                raise _refused(405, "no such operation")

    def _send(self, request: Request, handset: str, at: float) -> Reply:
        order = _decode(request, Sending)
        if not order.text and not order.media:
            raise _refused(422, "text or media is required")
        account = self._account(order.account) if order.account else self._owner(order.to)
        ids = [
            part_id
            for _ in range(order.count)
            for part_id in self._desk.say(handset, order.to, order.text, media=order.media, account=account.id, at=at)
        ]
        return json_reply(200, {"ids": ids})

    def _owner(self, number: str) -> Account:
        return next((account for account in self._accounts if number in account.lines), self._accounts[0])

    def _account(self, account_id: str) -> Account:
        if not account_id:
            return self._accounts[0]
        if account_id not in self._realm.accounts:
            raise _refused(404, f"account {account_id} does not exist")
        return self._realm.accounts[account_id]


def _refused(status: int, message: str) -> Refused:
    return Refused(json_reply(status, {"error": {"message": message}}))


def _whole(query: Mapping[str, str], name: str, usual: int, *, most: int) -> int:
    text = query.get(name, "")
    if not text:
        return usual
    if not (text.isascii() and text.isdigit()) or int(text) > most:
        raise _refused(422, f"{name} must be 0..{most}")
    return int(text)


def _decode(request: Request, kind: type[Body]) -> Body:
    try:
        return msgspec.json.decode(request.body or b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise _refused(422, str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _refused(400, "the body must be JSON") from error
