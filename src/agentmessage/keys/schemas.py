"""A key on the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from agentmessage.keys.model import ApiKey
from agentmessage.web.scopes import CUSTOMER_SCOPES
from agentmessage.web.types import STORABLE, CursorText, Request, Resource, error_text

Label = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        pattern=STORABLE,
        description="What the key is for; shown in the audit log.",
        examples=["production worker"],
        extra=error_text("must be 1..100 characters"),
    ),
]


class ApiKeyCreate(Request, frozen=True):
    """A key to make. Its scopes must be among those of the calling key.

    Errors: 400 INVALID_INPUT for unknown, empty or duplicate scopes, 403 FORBIDDEN for scopes beyond one's own.
    """

    label: Label
    scopes: Annotated[
        list[Annotated[str, Meta(extra_json_schema={"enum": [*CUSTOMER_SCOPES]})]],
        Meta(
            description="One or more different scopes.",
            examples=[["numbers:read", "numbers:write"]],
            extra_json_schema={"minItems": 1, "uniqueItems": True},
            extra=error_text("must be a list of scopes"),
        ),
    ]


class ApiKeyResource(Resource, frozen=True):
    """A key without its secret. `last_used_at` is at most a minute behind; `parent_id` is the key that made it."""

    id: UUID
    org_id: UUID
    label: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    parent_id: UUID | None

    @classmethod
    def of(cls, key: ApiKey) -> "ApiKeyResource":
        """A stored key as its organization sees it."""
        return cls(
            key.id,
            key.org_id,
            key.label,
            key.prefix,
            key.scopes,
            key.created_at,
            key.last_used_at,
            key.revoked_at,
            key.parent_id,
        )


class ApiKeyWithPlaintext(Resource, frozen=True):
    """A key that was made just now. `plaintext` is what to send as the bearer; it is shown this once."""

    id: UUID
    org_id: UUID
    label: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    parent_id: UUID | None
    plaintext: str

    @classmethod
    def of(cls, key: ApiKey, plaintext: str) -> "ApiKeyWithPlaintext":
        """A key together with its secret."""
        return cls(
            key.id,
            key.org_id,
            key.label,
            key.prefix,
            key.scopes,
            key.created_at,
            key.last_used_at,
            key.revoked_at,
            key.parent_id,
            plaintext,
        )


class ApiKeyQuery(Request, frozen=True):
    """Which keys to list; revoked ones are listed unless `include_revoked=false`."""

    cursor: CursorText | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=100, extra=error_text("must be an integer, 1..100"))] = 50
    include_revoked: Annotated[bool, Meta(extra=error_text("must be true or false"))] = True
    parent_id: UUID | UnsetType = UNSET


class ApiKeyRevoke(Request, frozen=True):
    """What becomes of the keys that the revoked one made."""

    keep_children: Annotated[
        bool, Meta(description="Let the keys that it made live on.", extra=error_text("must be true or false"))
    ] = False
