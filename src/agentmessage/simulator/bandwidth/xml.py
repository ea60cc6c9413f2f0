"""Reading and writing the carrier's XML."""

import re
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from agentmessage.simulator.bandwidth import errors as bandwidth_errors
from agentmessage.simulator.bandwidth.errors import OrderError
from agentmessage.simulator.core.http_types import HttpResponse, xml_response
from agentmessage.simulator.core.routing import RequestRejected

_DIGITS = re.compile(r"\+?1?([2-9]\d{9})")
_KEY = re.compile(r"[A-Za-z0-9 -]{1,40}")


def status_response(status: int, root: str, error: OrderError) -> HttpResponse:
    """An error as `ResponseStatus`."""
    code, text = error
    return xml_response(
        status,
        f"<{root}><ResponseStatus><ErrorCode>{code}</ErrorCode>"
        f"<Description>{escape(text)}</Description></ResponseStatus></{root}>",
    )


def error_list_response(status: int, root: str, error: OrderError) -> HttpResponse:
    """An error as `ErrorList`."""
    code, text = error
    return xml_response(
        status,
        f"<{root}><ErrorList><Error><Code>{code}</Code>"
        f"<Description>{escape(text)}</Description></Error></ErrorList></{root}>",
    )


def read(body: bytes, root: str, response_root: str) -> Element:
    """The document element. Raises RequestRejected (400) if it is not well-formed, not `root`, or has a DTD."""
    try:
        element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise RequestRejected(status_response(400, response_root, bandwidth_errors.UNREADABLE)) from error
    if element.tag != root:
        raise RequestRejected(status_response(400, response_root, bandwidth_errors.UNREADABLE))
    return element


def text_of(element: Element, path: str) -> str:
    """The trimmed text of a descendant, empty when absent."""
    return (element.findtext(path) or "").strip()


def key_of(element: Element, response_root: str) -> str:
    """The customer's order key, empty when absent. Raises RequestRejected with 400 and code 5052."""
    key = text_of(element, "CustomerOrderId")
    if key and not _KEY.fullmatch(key):
        raise RequestRejected(status_response(400, response_root, bandwidth_errors.KEY_INVALID))
    return key


def numbers_of(element: Element, path: str, response_root: str) -> list[str]:
    """The telephone numbers below a path, as E.164. Raises RequestRejected with 400 and code 5081."""
    numbers: list[str] = []
    for child in element.iterfind(f"{path}/TelephoneNumber"):
        given = (child.text or "").strip()
        match = _DIGITS.fullmatch(given)
        if match is None:
            raise RequestRejected(status_response(400, response_root, bandwidth_errors.format_invalid(given)))
        numbers.append(f"+1{match[1]}")
    return numbers


def require_members(numbers: list[str], max_members: int, response_root: str) -> None:
    """Raises RequestRejected with 400 when there is no number, one twice, or more than `max_members`."""
    if not numbers:
        raise RequestRejected(status_response(400, response_root, bandwidth_errors.format_invalid("")))
    if len(numbers) > max_members:
        raise RequestRejected(status_response(400, response_root, bandwidth_errors.too_many(max_members)))
    if len(set(numbers)) != len(numbers):
        raise RequestRejected(status_response(400, response_root, bandwidth_errors.REPEATED))


def number_list(tag: str, numbers: list[str]) -> str:
    """Telephone numbers as ten digits below a tag."""
    return f"<{tag}>{''.join(f'<TelephoneNumber>{n[2:]}</TelephoneNumber>' for n in numbers)}</{tag}>"


def error_list(errors: dict[str, OrderError]) -> str:
    """Errors by number."""
    if not errors:
        return "<ErrorList/>"
    rows = "".join(
        f"<Error><Code>{code}</Code><Description>{escape(text)}</Description>"
        f"<TelephoneNumber>{number[2:]}</TelephoneNumber></Error>"
        for number, (code, text) in errors.items()
    )
    return f"<ErrorList>{rows}</ErrorList>"


def optional(tag: str, value: str | None) -> str:
    """An element, or nothing when there is no value."""
    return f"<{tag}>{escape(value)}</{tag}>" if value else ""
