"""Refusals of billing.

ApiError
└── InsufficientCredit   402
"""

from agentmessage.kernel.errors import ApiError


class InsufficientCredit(ApiError):
    """The wallet cannot cover it; nothing was charged and nothing was done."""

    code = "INSUFFICIENT_CREDIT"
    status = 402
    fix = "Top up the wallet (the operator does so with 'agentmessage admin wallet credit'), then send it again."
    message = "insufficient credit"


class UnknownPrice(Exception):
    """The catalogue has no price for this at that time: a fault of the catalogue, not of the caller."""
