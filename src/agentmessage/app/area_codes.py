"""Area codes that the operator has added to the table."""

from agentmessage.settings import BadSetting, Settings
from agentmessage.sms import numbers


def use_area_codes(settings: Settings) -> None:
    """Know the overlays that the settings name. Raises BadSetting where one shares the area of an unknown code."""
    overlays = dict(pair.split("=") for pair in settings.area_codes.split(",") if pair)
    try:
        numbers.use_overlays(overlays)
    except ValueError as error:
        raise BadSetting(f"AGENTMESSAGE_AREA_CODES is {settings.area_codes!r}: {error}.") from None
