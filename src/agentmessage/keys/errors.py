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
        super().__init__(f"api key: {words}", details={"scopes": words})


class ScopesExceeded(Forbidden):
    """The key would carry a scope that its maker lacks."""

    fix = "Ask only for scopes that your own key carries; the operator gives platform scopes."
    message = "scopes exceed those of the calling key"
