"""Every refusal that the numbers room can give."""

from collections.abc import Sequence

from agentmessage.kernel.errors import ApiError, Forbidden


class NumberNotAssigned(ApiError):
    """The organization is the last owner, but the number is being ordered or has been released."""

    code = "NUMBER_NOT_ASSIGNED"
    status = 409
    fix = "List the organization's numbers: a released number cannot be changed; order it, or another one, first."
    message = "phone number is not assigned"


class InsufficientInventory(ApiError):
    """Not every number asked for can be had; nothing was assigned."""

    code = "INSUFFICIENT_INVENTORY"
    status = 409
    fix = "Search again and order numbers that are available now; details names the ones that are not."
    message = "insufficient inventory"

    def __init__(self, *, available_count: int, unavailable: Sequence[str]) -> None:
        super().__init__(
            details={"available_count": str(available_count), "unavailable_numbers": ",".join(unavailable)}
        )


class CampaignNeedsLocalNumber(ApiError):
    """A 10DLC campaign cannot be attached to a toll-free number or a short code; nothing was changed."""

    code = "CAMPAIGN_NEEDS_LOCAL_NUMBER"
    status = 422
    fix = "Attach the campaign to a local number and send from that; toll-free numbers receive without a campaign."
    message = "a 10DLC campaign can be attached to local numbers only"

    def __init__(self, numbers: Sequence[str]) -> None:
        super().__init__(details={"campaign_id": f"cannot be attached to {', '.join(numbers)}"})


class ReturnIsForOperators(Forbidden):
    """Only the operator may give a number back to the carrier."""

    fix = "Release the number without return_to_carrier; it is recycled after its quarantine."
    message = "return_to_carrier is admin-only: forbidden"
