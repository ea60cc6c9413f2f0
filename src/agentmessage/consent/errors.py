"""Every refusal that the room can give, beside NotFound, ValidationFailed and RateLimited."""

from agentmessage.kernel.errors import ApiError


class ContactOptedOut(ApiError):
    """The contact said STOP, or revoked the consent after the time that this evidence claims."""

    code = "CONTACT_OPTED_OUT"
    status = 409
    fix = "After STOP only the contact can opt in again, by texting START to the number. After a revocation over the "
    fix += "API, send evidence that was captured later."
    message = "the contact has opted out"
