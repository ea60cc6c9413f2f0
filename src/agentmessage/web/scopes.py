"""Every scope a key can carry."""

CUSTOMER_SCOPES = (
    "messages:send",
    "messages:read",
    "messages:erase",
    "conversations:read",
    "consent:read",
    "consent:write",
    "lookups:read",
    "lookups:write",
    "numbers:read",
    "numbers:write",
    "brands:read",
    "brands:write",
    "campaigns:read",
    "campaigns:write",
    "webhooks:read",
    "webhooks:write",
    "apikeys:read",
    "apikeys:write",
    "billing:read",
    "billing:write",
    "org:read",
    "org:admin:write",
    "audit:read",
    "metrics:read",
    "events:read",
)

PLATFORM_SCOPES = ("platform:inventory:write",)
"""Given by the operator only, never by a customer's key."""

ALL_SCOPES = frozenset(CUSTOMER_SCOPES + PLATFORM_SCOPES)
