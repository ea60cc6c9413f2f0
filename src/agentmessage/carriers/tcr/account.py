"""What one needs to know to speak for one service provider's account at the registry."""

from msgspec import Struct


class TcrAccount(Struct, frozen=True, kw_only=True):
    """Credentials of one account; the secret signs the registry's callbacks too.

    `base_url` is the host without `/v2`. `upstream_cnp_id` is the registry's name of the partner that campaigns are
    shared with. `callback_url` is the address as subscribed, which the signature covers: given, it wins over the
    address on which a callback arrived (which a proxy may have changed). `timeout_s` bounds one request.
    """

    api_key: str
    secret: str
    base_url: str
    upstream_cnp_id: str = "BANDW"
    callback_url: str = ""
    timeout_s: float = 30.0
