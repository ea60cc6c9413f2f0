"""XML out and in: small documents, no namespaces, no document type, no entities."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml.ElementTree import fromstring

from agentmessage.carriers.http_request import Misunderstood

HEADER = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def parse(body: bytes) -> Element:
    """The root of a document. Raises Misunderstood on anything else, entity tricks included.

    An empty body is an empty element: several routes answer 201 or 204 without one.
    """
    if not body.strip():
        return Element("Empty")
    try:
        return fromstring(body, forbid_dtd=True)
    except (ParseError, ValueError, LookupError) as error:
        raise Misunderstood(f"not XML: {type(error).__name__}") from error


def render(root: Element) -> bytes:
    """The document as it goes out, with its declaration."""
    return HEADER + tostring(root, encoding="utf-8", xml_declaration=False)


def add(parent: Element, tag: str, text: str | None = None) -> Element:
    """Append a child; returns it, so that more can go inside."""
    child = SubElement(parent, tag)
    child.text = text
    return child


def text_at(parent: Element, path: str) -> str:
    """The text at a path below `parent`, without surrounding space; empty when absent."""
    return (parent.findtext(path) or "").strip()


def require_text(parent: Element, path: str) -> str:
    """The text at a path. Raises Misunderstood when it is absent or empty."""
    if text := text_at(parent, path):
        return text
    raise Misunderstood(f"{path} is missing in {parent.tag[:60]}")


def first(root: Element, tag: str) -> Element | None:
    """The root itself, or the first descendant with this tag."""
    return next(iter(root.iter(tag)), None)


def texts(parent: Element, tag: str) -> Iterator[str]:
    """The text of every descendant with this tag that holds text."""
    for element in parent.iter(tag):
        if text := (element.text or "").strip():
            yield text
