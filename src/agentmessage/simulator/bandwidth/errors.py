"""The carrier's own error codes and descriptions (docs/carriers/bandwidth.md, sections 2 and 4.4)."""

OrderError = tuple[str, str]
"""A code and a text."""

NOT_OURS: OrderError = ("5076", "Number does not belong to this account.")
NOT_FOR_TOLL_FREE: OrderError = ("5162", "A2P settings are not allowed for toll-free telephone numbers.")
BUSY: OrderError = ("5218", "Telephone number cannot be ordered because it is already processing on another order.")
NOT_FOR_SALE: OrderError = ("5005", "Telephone Number Unavailable")
NOT_PARTIAL: OrderError = ("5005", "Telephone Number Unavailable: the order may not be filled in part.")
KEY_INVALID: OrderError = (
    "5052",
    (
        "Customer order ID is invalid. Only alphanumeric values, dashes and spaces are allowed. "
        "Max length is 40 characters."
    ),
)
REPEATED: OrderError = ("5093", "Order cannot contain duplicate telephone numbers")
A2P_INVALID: OrderError = ("5134", "A2P class and campaign are valid only with the action 'asSpecified'.")
SMS_OFF: OrderError = ("5132", "SMS attribute should be 'ON' for provisioning A2P")
SITE_INVALID: OrderError = ("5016", "The SiteId submitted is invalid.")
SITE_MISSING: OrderError = ("5022", "The SiteId is required.")
NO_CRITERION: OrderError = (
    "4010",
    "One of more required search parameters are null or empty, please refer to the api documentation",
)
UNREADABLE: OrderError = ("5001", "The request body could not be read.")

ALREADY = "SMS is already Enabled or number is in processing."
NOTHING_TO_DELETE = "Telephone number is not assigned to a campaign."


def processing(number: str) -> OrderError:
    """The last change of the number has not reached every operator; `number` has ten digits."""
    return "5146", f"Nnid change prohibited. Telephone number '{number}' is in PROCESSING"


def format_invalid(number: str) -> OrderError:
    """Not a telephone number."""
    return "5081", f"Number Format '{number}' is invalid."


def too_many(max_members: int) -> OrderError:
    """An order with too many members."""
    return "5095", f"The count of telephone numbers in order exceeds the maximum size of {max_members}"


def key_used(key: str, order_id: str) -> OrderError:
    """A second order under a customer's key."""
    return "5002", f"CustomerOrderId '{key}' is already used by order '{order_id}'"


def campaign_unknown(campaign: str) -> OrderError:
    """Never registered, registered elsewhere, or not imported yet."""
    return "5229", f"Campaign '{campaign}' was not found on this account."


def campaign_pending(campaign: str) -> OrderError:
    """The carrier has not accepted it yet."""
    return "5229", f"Campaign '{campaign}' is pending: it has not been accepted by the DCA."


def campaign_dormant(campaign: str) -> OrderError:
    """Dormant; this attempt reactivates it."""
    return (
        "5229",
        f"Campaign '{campaign}' is dormant: no numbers were assigned for too long. Reactivation has been requested.",
    )


def campaign_suspended(campaign: str) -> OrderError:
    """Suspended for now."""
    return "5229", f"Campaign '{campaign}' is suspended."


def campaign_expired(campaign: str) -> OrderError:
    """Expired for good."""
    return "5229", f"Campaign '{campaign}' is expired."


def campaign_rejected(campaign: str) -> OrderError:
    """An operator or the carrier rejected it."""
    return "5229", f"Campaign '{campaign}' was rejected."


def campaign_full(campaign: str, cap: int) -> OrderError:
    """The campaign has all the numbers that it may have."""
    return "5229", f"Campaign '{campaign}' exceeds the limit of {cap} telephone numbers."


def on_another_campaign(campaign: str) -> OrderError:
    """The number must be taken off that campaign first."""
    return "5229", f"Telephone number is already assigned to campaign '{campaign}'."
