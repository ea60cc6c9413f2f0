"""One account's line to Bandwidth: credentials, addresses, and refusals sorted into the four answers."""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote, urlencode
from xml.etree.ElementTree import Element

from msgspec import Struct

from agentmessage.carriers.bandwidth import xml
from agentmessage.carriers.bandwidth.account import BandwidthAccount
from agentmessage.carriers.bandwidth.codes import Operation, refusal, says_same_key
from agentmessage.carriers.http import HttpAnswer, HttpTransport
from agentmessage.carriers.http_request import Misunderstood, Request, ask, basic, decode_json, is_yes, shown
from agentmessage.carriers.protocols import Accepted, Answer, Refused, Unknown

T = TypeVar("T")


class _JsonError(Struct):
    type: str = ""
    description: str = ""


class _JsonErrors(Struct):
    errors: list[_JsonError] = []


class BandwidthClient:
    """Reads and writes the routes below one account.

    `understand` turns a body into our words; what it raises as Misunderstood becomes an Unknown with the raw body.
    """

    def __init__(self, account: BandwidthAccount, transport: HttpTransport) -> None:
        self.account = account
        self._transport = transport
        root = quote(account.account_id, safe="")
        self._xml_root = f"{account.base_url.rstrip('/')}/api/accounts/{root}"
        self._json_root = f"{(account.platform_url or account.base_url).rstrip('/')}/api/v2/accounts/{root}"
        self._lookup_root = f"{(account.platform_url or account.base_url).rstrip('/')}/v2/accounts/{root}"
        self._credentials = basic(account.username, account.password)

    async def get_xml(
        self, path: str, understand: Callable[[Element], T], *, operation: Operation, **query: str
    ) -> Answer[T]:
        """Read an XML route; `query` parameters are encoded."""
        request = Request(
            method="GET",
            url=_address(self._xml_root, path, query),
            headers={"authorization": self._credentials, "accept": "application/xml"},
            timeout_s=self.account.timeout_s,
        )
        return await self._ask(request, lambda body: understand(xml.parse(body)), operation)

    async def post_xml(
        self, path: str, document: Element, understand: Callable[[Element], T], *, operation: Operation
    ) -> Answer[T]:
        """Write to an XML route."""
        request = Request(
            method="POST",
            url=self._xml_root + path,
            headers={
                "authorization": self._credentials,
                "accept": "application/xml",
                "content-type": "application/xml; charset=utf-8",
            },
            body=xml.render(document),
            is_write=True,
            timeout_s=self.account.timeout_s,
        )
        return await self._ask(request, lambda body: understand(xml.parse(body)), operation)

    async def get_json(
        self, path: str, understand: Callable[[bytes], T], *, operation: Operation, **query: str
    ) -> Answer[T]:
        """Read a JSON route."""
        request = Request(
            method="GET",
            url=_address(self._json_root, path, query),
            headers={"authorization": self._credentials, "accept": "application/json"},
            timeout_s=self.account.timeout_s,
        )
        return await self._ask(request, understand, operation)

    async def ask_json(
        self, path: str, question: bytes, understand: Callable[[bytes], T], *, operation: Operation
    ) -> Answer[T]:
        """Ask a lookup route, whose questions are bodies: a read all the same, which may be made again."""
        request = Request(
            method="POST",
            url=self._lookup_root + path,
            headers={
                "authorization": self._credentials,
                "accept": "application/json",
                "content-type": "application/json",
            },
            body=question,
            timeout_s=self.account.timeout_s,
        )
        return await self._ask(request, understand, operation)

    async def _ask(self, request: Request, understand: Callable[[bytes], T], operation: Operation) -> Answer[T]:
        answer = await ask(self._transport, request)
        if not isinstance(answer, HttpAnswer):
            return answer
        try:
            if is_yes(answer):
                return Accepted(understand(answer.body))
            return _no(answer, operation, is_write=request.is_write)
        except Misunderstood as error:
            return Unknown(reason=f"status {answer.status} not understood: {error}", raw=shown(answer.body))


def _address(root: str, path: str, query: dict[str, str]) -> str:
    return f"{root}{path}?{urlencode(query)}" if query else root + path


def _no(answer: HttpAnswer, operation: Operation, *, is_write: bool) -> Refused | Unknown:
    """A 4xx: the first error that the body tells, or the status itself. Raises Misunderstood on an unreadable body."""
    code, text = _first_error(answer.body)
    if is_write and says_same_key(text):
        return Unknown(reason="the carrier has an order under this key", raw=shown(answer.body))
    return refusal(code or str(answer.status), text, operation)


def _first_error(body: bytes) -> tuple[str, str]:
    if body.lstrip().startswith(b"{"):
        return _first_json_error(body)
    root = xml.parse(body)
    for holder in (*root.iter("ResponseStatus"), *root.iter("Error")):
        code = xml.text_at(holder, "ErrorCode") or xml.text_at(holder, "Code")
        if text := xml.text_at(holder, "Description"):
            return code, text
        if code:
            return code, ""
    if root.tag == "Empty":
        return "", ""
    raise Misunderstood("a refusal without an error")


def _first_json_error(body: bytes) -> tuple[str, str]:
    errors = decode_json(body, _JsonErrors).errors
    if not errors:
        raise Misunderstood("a refusal without an error")
    return "", f"{errors[0].type}: {errors[0].description}".strip(": ")
