"""What to do about an error, in the words of this library: its methods in place of the API's operations."""

import re
from collections.abc import Mapping

from agentmessage.sdk.operations import METHODS

OPERATION = re.compile(r"\b(?:GET|POST|PUT|PATCH|DELETE) /v1/[\w/{}-]*[\w}]")


def in_client_words(advice: str, methods: Mapping[str, str] = METHODS) -> str:
    """The same advice, with `POST /v1/consent` written as `client.consent.record`. An unknown operation stays."""
    return OPERATION.sub(lambda found: f"client.{methods[found[0]]}" if found[0] in methods else found[0], advice)
