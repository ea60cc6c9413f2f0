"""What one needs to know to speak for one Bandwidth account."""

from msgspec import Struct


class BandwidthAccount(Struct, frozen=True, kw_only=True):
    """Credentials and places of one account. Two accounts share nothing.

    `base_url` serves the XML routes, `platform_url` the JSON routes; when empty it is the same host (the simulator).
    `site_id` (sub-account) and `peer_id` (location) say where a bought number goes. `message_class` is the class that
    a bind asks for; the vendor's own tool sends M. `search_area_codes` are tried in turn when a customer names none,
    because the vendor refuses a search without a criterion. `messaging_url` serves texts, when empty it is the same
    host; `application_id` is the messaging application that they are sent under, whose callbacks come to us.
    `timeout_s` bounds one request from connect to last byte.
    """

    account_id: str
    username: str
    password: str
    base_url: str
    site_id: str
    peer_id: str = ""
    callback_username: str
    callback_password: str
    platform_url: str = ""
    messaging_url: str = ""
    application_id: str = ""
    message_class: str = "M"
    search_area_codes: tuple[str, ...] = ("415", "212", "312", "206", "512")
    timeout_s: float = 30.0
