"""What to do about refusals whose code has more than one cause. Generated from the contract by `tools/make_sdk.py`."""

from collections.abc import Mapping

OTHER_FIXES: Mapping[tuple[str, int, str], str] = {
    ("ATTESTATION_REQUIRED", 422, "turning auto replies off needs an attestation"): (
        "Send auto_replies.attestation: a sentence saying who answers STOP, HELP and START instead, and how."
    ),
    ("ATTESTATION_REQUIRED", 422, "removing this binding loosens a guardrail and needs an attestation"): (
        "Send attestation: a sentence saying why texts may go out without the guardrails that details.tool names."
    ),
    (
        "CONFLICT",
        409,
        "automatic top-up is already on",
    ): "To change the product, turn automatic top-up off and on again.",
    ("CONFLICT", 409, "profile is bound"): (
        "Delete or replace the profile's bindings first; client.guardrails.bindings.list lists them."
    ),
    ("CONFLICT", 409, "another pool has this slug"): "Choose another slug; slugs are unique in an organization.",
    (
        "FORBIDDEN",
        403,
        "missing required scope",
    ): "Use a key with the scope that the operation documents, or create one.",
    ("FORBIDDEN", 403, "idempotency key was used by another API key"): (
        "Use an Idempotency-Key of your own; an answer is repeated only to the API key that caused it."
    ),
    (
        "FORBIDDEN",
        403,
        "return_to_carrier is admin-only: forbidden",
    ): "Release the number without return_to_carrier; it is recycled after its quarantine.",
    ("FORBIDDEN", 403, "scopes exceed those of the calling key"): (
        "Ask with a key that carries every scope of the other one; the operator gives platform scopes."
    ),
    ("INVALID_INPUT", 400, "invalid input"): (
        "Send well-formed JSON with only the fields that the operation documents. Send one or more "
        "different scopes from the documented list."
    ),
    (
        "INVALID_INPUT",
        400,
        "malformed HTTP request",
    ): "Send the request with one Host, one length and no upgrade, as usual HTTP clients do.",
    (
        "INVALID_INPUT",
        422,
        "cursor does not match the query",
    ): "Send a cursor with the very parameters whose answer it was in, or ask anew without one.",
    (
        "NOT_FOUND",
        404,
        "not found",
    ): "Check the id and that the key belongs to the organization that owns the resource.",
    ("NOT_FOUND", 404, "NO_PLAN"): "Take out a subscription again, or ask the operator to.",
    (
        "VALIDATION_FAILED",
        400,
        "validation failed",
    ): "Use the resource's id (a UUID) as it was returned, not its number or its name.",
    (
        "VALIDATION_FAILED",
        422,
        "validation failed",
    ): "Correct every field named in details, then send the request again.",
}
"""By code, status and message."""
