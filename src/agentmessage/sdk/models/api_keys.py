"""Values of `api_keys`. Generated from the contract by `tools/make_sdk.py`."""

from datetime import datetime

from agentmessage.sdk._response import Model


class ApiKey(Model, frozen=True, kw_only=True):
    """A key without its secret. `last_used_at` is at most a minute behind; `parent_id` is the key that made it."""

    id: str
    org_id: str
    label: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    parent_id: str | None = None


class ApiKeyWithPlaintext(Model, frozen=True, kw_only=True):
    """A key that was made just now. `plaintext` is what to send as the bearer; it is shown this once."""

    id: str
    org_id: str
    label: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    parent_id: str | None = None
    plaintext: str
