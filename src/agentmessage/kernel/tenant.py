"""Who is asking: the organization that every statement is scoped to, and the actor that the audit log names."""

from uuid import UUID

from msgspec import Struct


class Tenant(Struct, frozen=True):
    """One organization as one caller acts for it.

    `account` is the carrier account its numbers live on: `live` or `sandbox`, the organization's mode.
    `actor_kind` is `customer` (a key) or `platform` (the operator); `actor_label` is what the audit log prints.
    `key_id` is the API key that asks; None where no key does.
    """

    org_id: UUID
    cell: str
    account: str
    actor_kind: str
    actor_label: str
    request_id: str
    scopes: frozenset[str]
    key_id: UUID | None = None

    @property
    def is_sandbox(self) -> bool:
        """Play money, simulated carrier."""
        return self.account == "sandbox"


def operator(org_id: UUID, cell: str, account: str, *, request_id: str = "") -> Tenant:
    """The platform acting on an organization: the operator's CLI and our own jobs."""
    return Tenant(org_id, cell, account, "platform", "platform", request_id, frozenset())
