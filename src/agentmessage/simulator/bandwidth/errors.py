"""The carrier's own codes and words for why it would not (docs/carriers/bandwidth.md, sections 2 and 4.4)."""

Refusal = tuple[str, str]
"""A code and a text."""

NOT_OURS: Refusal = ("5076", "Number does not belong to this account.")
NOT_FOR_TOLL_FREE: Refusal = ("5162", "A2P settings are not allowed for toll-free telephone numbers.")
BUSY: Refusal = ("5218", "Telephone number cannot be ordered because it is already processing on another order.")
NOT_FOR_SALE: Refusal = ("5005", "Telephone Number Unavailable")
NOT_PARTIAL: Refusal = ("5005", "Telephone Number Unavailable: the order may not be filled in part.")
KEY_INVALID: Refusal = (
    "5052",
    (
        "Customer order ID is invalid. Only alphanumeric values, dashes and spaces are allowed. "
        "Max length is 40 characters."
    ),
)
REPEATED: Refusal = ("5093", "Order cannot contain duplicate telephone numbers")
A2P_VALUES: Refusal = ("5134", "A2P class and campaign are valid only with the action 'asSpecified'.")
SMS_OFF: Refusal = ("5132", "SMS attribute should be 'ON' for provisioning A2P")
SITE_INVALID: Refusal = ("5016", "The SiteId submitted is invalid.")
SITE_MISSING: Refusal = ("5022", "The SiteId is required.")
NO_CRITERION: Refusal = (
    "4010",
    "One of more required search parameters are null or empty, please refer to the api documentation",
)
UNREADABLE: Refusal = ("5001", "The request body could not be read.")

ALREADY = "SMS is already Enabled or number is in processing."
NOTHING_TO_DELETE = "Telephone number is not assigned to a campaign."


def processing(number: str) -> Refusal:
    """The number's last change has not reached every operator yet; `number` has ten digits."""
    return "5146", f"Nnid change prohibited. Telephone number '{number}' is in PROCESSING"


def format_invalid(number: str) -> Refusal:
    """A number that is none."""
    return "5081", f"Number Format '{number}' is invalid."


def too_many(most: int) -> Refusal:
    """An order with too many members."""
    return "5095", f"The count of telephone numbers in order exceeds the maximum size of {most}"


def key_used(key: str, order_id: str) -> Refusal:
    """A second order under a customer's key."""
    return "5002", f"CustomerOrderId '{key}' is already used by order '{order_id}'"


def campaign_unknown(campaign: str) -> Refusal:
    """Never registered, registered elsewhere, or not imported yet."""
    return "5229", f"Campaign '{campaign}' was not found on this account."


def campaign_pending(campaign: str) -> Refusal:
    """The carrier has not accepted it yet."""
    return "5229", f"Campaign '{campaign}' is pending: it has not been accepted by the DCA."


def campaign_asleep(campaign: str) -> Refusal:
    """Dormant; this very refusal wakes it."""
    return (
        "5229",
        f"Campaign '{campaign}' is dormant: no numbers were assigned for too long. Reactivation has been requested.",
    )


def campaign_suspended(campaign: str) -> Refusal:
    """Comes back."""
    return "5229", f"Campaign '{campaign}' is suspended."


def campaign_expired(campaign: str) -> Refusal:
    """Final."""
    return "5229", f"Campaign '{campaign}' is expired."


def campaign_rejected(campaign: str) -> Refusal:
    """An operator, or the carrier, would not have it."""
    return "5229", f"Campaign '{campaign}' was rejected."


def campaign_full(campaign: str, most: int) -> Refusal:
    """No slot is free."""
    return "5229", f"Campaign '{campaign}' exceeds the limit of {most} telephone numbers."


def on_another_campaign(campaign: str) -> Refusal:
    """It has to be taken off first."""
    return "5229", f"Telephone number is already assigned to campaign '{campaign}'."
