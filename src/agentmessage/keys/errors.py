"""Refusals of keys.

ApiError
├── InvalidInput
│   └── InvalidScopes    400
└── Forbidden
    └── ScopesExceeded   403
"""

from agentmessage.kernel.errors import Forbidden, InvalidInput


class InvalidScopes(InvalidInput):
    """The list of scopes is empty, names one twice, or names one that does not exist."""

    fix = "Send one or more different scopes from the documented list."

    def __init__(self, words: str) -> None:
        cause = "UNKNOWN_SCOPE: invalid input" if words.startswith("unknown") else "invalid input"
        super().__init__(f"api key: {words}: {cause}", details={"scopes": words})


class ScopesExceeded(Forbidden):
    """The key that is to be made, rotated or revoked carries a scope that the calling key lacks."""

    fix = "Ask with a key that carries every scope of the other one; the operator gives platform scopes."
    message = "scopes exceed those of the calling key"
