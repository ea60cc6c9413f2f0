"""Refusals of media."""

from agentmessage.kernel.errors import ApiError


class MmsDisabled(ApiError):
    """This installation takes no media."""

    code = "MMS_DISABLED"
    status = 503
    fix = "Send the text without media, or ask the operator to switch MMS on."
    message = "MMS is disabled"


class MediaQuotaExceeded(ApiError):
    """The organization keeps as many files, or as many bytes of them, as it may; `details` says both limits."""

    code = "MEDIA_QUOTA_EXCEEDED"
    status = 422
    fix = "Wait until older files are past mms_retention_days, lower it, or ask the operator for more room."
    message = "the organization has no room for another file"
