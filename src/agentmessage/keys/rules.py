"""Which scopes a key may carry; pure."""

from collections.abc import Sequence

from agentmessage.keys.errors import InvalidScopes, ScopesExceeded
from agentmessage.web.scopes import ALL_SCOPES

SHOWN_CHARS = 64


def require_scopes(scopes: Sequence[str]) -> None:
    """Refuse no scopes, the same twice, and unknown ones. Raises InvalidScopes."""
    if not scopes:
        raise InvalidScopes("must name at least one scope")
    for place, scope in enumerate(scopes):
        if scope not in ALL_SCOPES:
            shown = scope.encode("unicode_escape").decode()[:SHOWN_CHARS]
            raise InvalidScopes(f'unknown scope "{shown}"')
        if scope in scopes[:place]:
            raise InvalidScopes(f'duplicate scope "{scope}"')


def require_subset(scopes: Sequence[str], of: frozenset[str]) -> None:
    """Refuse a key that could do more than whoever makes it. Raises ScopesExceeded."""
    if not of.issuperset(scopes):
        raise ScopesExceeded
