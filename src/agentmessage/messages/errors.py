"""Refusals of messages; those of the rules are in `compliance.errors`."""

from agentmessage.kernel.errors import ApiError


class MessageNotCancelable(ApiError):
    """The carrier is being told, has been told, or it is over."""

    code = "MESSAGE_NOT_CANCELABLE"
    status = 409
    fix = "Only queued messages can be canceled; schedule a message to leave yourself time."
    message = "message is no longer queued"
