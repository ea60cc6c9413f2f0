"""Every refusal that the room can give, beside NotFound and ValidationFailed.

ApiError
├── SlugTaken                   409
├── ProfileInUse                409
└── LooseningNeedsAttestation   422
"""

from collections.abc import Sequence

from agentmessage.guardrails.model import ScopeKind, Tool
from agentmessage.kernel.errors import ApiError


class SlugTaken(ApiError):
    """Another pool of the organization has this slug."""

    code = "CONFLICT"
    status = 409
    fix = "Choose another slug; slugs are unique in an organization."
    message = "another pool has this slug"

    def __init__(self) -> None:
        super().__init__(details={"slug": "is taken"})


class ProfileInUse(ApiError):
    """The profile is bound, so that deleting it would change what holds for texts unseen."""

    code = "CONFLICT"
    status = 409
    fix = "Delete or replace the profile's bindings first; GET /v1/guardrails/bindings lists them."
    message = "profile is bound"


class LooseningNeedsAttestation(ApiError):
    """Without the binding less would hold than with it; whoever wants that says so in writing."""

    code = "ATTESTATION_REQUIRED"
    status = 422
    fix = "Send attestation: a sentence saying why texts may go out without the guardrails that details.tool names."
    message = "removing this binding loosens a guardrail and needs an attestation"

    def __init__(self, tools: Sequence[Tool] = (), scope_kind: ScopeKind | None = None) -> None:
        details = {"attestation": "is required to loosen a guardrail", "tool": ",".join(tools)}
        super().__init__(details=details | ({"scope_kind": scope_kind.value} if scope_kind else {}))
