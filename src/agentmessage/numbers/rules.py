"""Decisions about numbers; pure."""

from collections.abc import Iterable

from agentmessage.numbers.errors import CampaignNeedsLocalNumber
from agentmessage.numbers.model import NumberType
from agentmessage.sms.numbers import is_toll_free


def require_campaign_fits(numbers: Iterable[tuple[str, str]]) -> None:
    """Refuse to bind a campaign to what takes none; `numbers` have number and type. Raises CampaignNeedsLocalNumber."""
    unfit = [number for number, number_type in numbers if not takes_campaign(number, number_type)]
    if unfit:
        raise CampaignNeedsLocalNumber(unfit)


def takes_campaign(number: str, number_type: str) -> bool:
    """A 10DLC campaign is for ten-digit long codes: never for toll-free numbers and short codes."""
    return number_type == NumberType.LOCAL and not is_toll_free(number)
