"""Refusals of questions about series.

ApiError
├── OtherQuestion            422
├── GranularityNotAvailable  422
└── WindowTooLarge           422
"""

from agentmessage.kernel.errors import ApiError


class OtherQuestion(ApiError):
    """The cursor belongs to another question than the one that it came with."""

    code = "INVALID_INPUT"
    status = 422
    fix = "Send a cursor with the very parameters whose answer it was in, or ask anew without one."
    message = "cursor does not match the query"

    def __init__(self, field: str) -> None:
        super().__init__(details={field: "must be what it was when the cursor was given out"})


class GranularityNotAvailable(ApiError):
    """The organization's plan has no series of so short buckets."""

    code = "GRANULARITY_NOT_AVAILABLE"
    status = 422
    fix = "Ask for details.max_granularity, or have the operator change the plan."
    message = "granularity is not available on this plan"

    def __init__(self, finest: str) -> None:
        super().__init__(details={"max_granularity": finest})


class WindowTooLarge(ApiError):
    """The window holds more buckets than a question may have, over all its pages."""

    code = "WINDOW_TOO_LARGE"
    status = 422
    fix = "Ask for longer buckets, or for at most details.max_buckets of them at a time."
    message = "window holds too many buckets"

    def __init__(self, count: int, most: int) -> None:
        super().__init__(details={"bucket_count": str(count), "max_buckets": str(most)})
