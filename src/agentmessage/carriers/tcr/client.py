"""One account's line to the registry: credentials, addresses, and refusals sorted into the four answers."""

from typing import TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from agentmessage.carriers.http import HttpAnswer, HttpTransport
from agentmessage.carriers.http_request import Misunderstood, Request, ask, basic, decode_json, is_yes, shown
from agentmessage.carriers.protocols import Accepted, Answer, Refused, Unknown
from agentmessage.carriers.tcr.account import TcrAccount
from agentmessage.carriers.tcr.codes import refusal, says_same_reference

T = TypeVar("T")


class _Error(Struct):
    code: int | str = ""
    field: str | None = None
    description: str | None = None


class Nothing(Struct, frozen=True):
    """An answer in which nothing matters but that it was a yes."""


class TcrClient:
    """Reads and writes the routes of one account; bodies are typed by `kind`."""

    def __init__(self, account: TcrAccount, transport: HttpTransport) -> None:
        self._transport = transport
        self._timeout_s = account.timeout_s
        self._root = f"{account.base_url.rstrip('/')}/v2"
        self._headers = {"authorization": basic(account.api_key, account.secret), "accept": "application/json"}

    async def read(self, path: str, kind: type[T], **query: str) -> Answer[T]:
        """GET; `query` parameters are encoded."""
        url = f"{self._root}{path}?{urlencode(query)}" if query else self._root + path
        return await self._ask(Request(method="GET", url=url, headers=self._headers, timeout_s=self._timeout_s), kind)

    async def write(self, method: str, path: str, kind: type[T], body: object | None = None) -> Answer[T]:
        """POST, PUT or DELETE. With `Nothing` as its kind the body of the answer is not looked at."""
        request = Request(
            method=method,
            url=self._root + path,
            headers={**self._headers, "content-type": "application/json"},
            body=b"" if body is None else msgspec.json.encode(body),
            is_write=True,
            timeout_s=self._timeout_s,
        )
        return await self._ask(request, kind)

    async def _ask(self, request: Request, kind: type[T]) -> Answer[T]:
        answer = await ask(self._transport, request)
        if not isinstance(answer, HttpAnswer):
            return answer
        try:
            if is_yes(answer):
                return Accepted(kind() if kind is Nothing else decode_json(answer.body, kind))
            return _no(answer, is_write=request.is_write)
        except Misunderstood as error:
            return Unknown(reason=f"status {answer.status} not understood: {error}", raw=shown(answer.body))


def _no(answer: HttpAnswer, *, is_write: bool) -> Refused | Unknown:
    """A 4xx: every error that the body tells, or the status itself. Raises Misunderstood on an unreadable body."""
    errors = _errors(answer.body)
    text = "; ".join(f"{error.field or ''} {error.description or ''}".strip() for error in errors)
    if is_write and says_same_reference(text):
        return Unknown(reason="the registry has something under this reference", raw=shown(answer.body))
    code = str(errors[0].code) if errors else ""
    return refusal(code or str(answer.status), text)


def _errors(body: bytes) -> list[_Error]:
    """One error or several, or none when there is no body."""
    if not body.strip():
        return []
    is_list = body.lstrip().startswith(b"[")
    errors = decode_json(body, list[_Error]) if is_list else [decode_json(body, _Error)]
    if not any(error.code or error.description for error in errors):
        raise Misunderstood("a refusal without an error")
    return errors
