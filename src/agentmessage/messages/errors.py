"""Errors of messages. Those of compliance checks are in its own room."""

from agentmessage.kernel.errors import ApiError


class MessageNotCancelable(ApiError):
    """The message is being sent, was sent, or has ended."""

    code = "MESSAGE_NOT_CANCELABLE"
    status = 409
    fix = "Only queued messages can be canceled; schedule a message to leave yourself time."
    message = "message is no longer queued"
