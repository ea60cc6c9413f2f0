"""Refusals of lookups.

ApiError
└── LookupFailed   502
"""

from agentmessage.kernel.errors import ApiError


class LookupFailed(ApiError):
    """The supplier could not be asked; what the lookup cost was given back."""

    code = "LOOKUP_FAILED"
    status = 502
    fix = "Try again in a minute, with a new Idempotency-Key if you used one."
    message = "the lookup supplier could not be asked"
