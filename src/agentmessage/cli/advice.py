"""What to do about an error, in the words of a terminal: commands in place of the API's operations."""

import re
from collections.abc import Mapping

from agentmessage.sdk.advice import in_client_words

METHOD = re.compile(r"\bclient\.([a-z_]+(?:\.[a-z_]+)+)(?:\(\))?")
COMMANDS: Mapping[str, str] = {
    "billing.create_topup": "wallet topup",
    "billing.list_topup_products": "wallet products",
    "brands.list": "brands list",
    "campaigns.deactivate": "campaigns deactivate",
    "consent.record": "consent record",
    "consent.revoke": "consent revoke",
    "guardrails.bindings.list": "guardrails bindings list",
    "messages.send": "messages send",
    "organization.update": "organization update",
    "webhooks.update": "webhooks update",
}
"""Commands by the method of the client library that they call, as far as advice names it."""


def in_terminal_words(advice: str) -> str:
    """The same advice, with `POST /v1/consent` or its method written as `agentmessage consent record`, in backticks."""
    return METHOD.sub(
        lambda found: f"`agentmessage {COMMANDS[found[1]]}`" if found[1] in COMMANDS else found[0],
        in_client_words(advice),
    )
