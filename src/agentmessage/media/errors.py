"""Refusals of media."""

from agentmessage.kernel.errors import ApiError


class MmsDisabled(ApiError):
    """This installation takes no media."""

    code = "MMS_DISABLED"
    status = 503
    fix = "Send the text without media, or ask the operator to switch MMS on."
    message = "MMS is disabled"
