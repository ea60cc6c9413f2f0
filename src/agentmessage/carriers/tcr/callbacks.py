"""The registry's events: signed, flat, and no more than hints (docs/carriers/tcr.md, section 4)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import cast

from agentmessage.carriers.port import BrandHint, Callback, CampaignHint, ForgedCallback, Hint, UnreadableCallback
from agentmessage.carriers.tcr.account import TcrAccount
from agentmessage.carriers.tcr.canonical import Json, canonical

MAX_ID = 32
"""Longest registry id that we would look up."""


class TcrCallbacks:
    """CallbackReader of one account."""

    def __init__(self, account: TcrAccount) -> None:
        self._secret = account.secret.encode()
        self._url = account.callback_url

    def read(self, callback: Callback) -> Sequence[Hint]:
        """What moved. An event about neither a brand nor a campaign says nothing to us.

        A body that is no JSON cannot carry a signature, so it is forged rather than unreadable.
        """
        event = _event(callback.body)
        shown = callback.headers.get("x-registry-signature", "").encode("utf-8", "replace")
        if not hmac.compare_digest(shown, sign(self._secret, self._url or callback.url, event)):
            raise ForgedCallback("wrong or missing X-Registry-Signature")
        if not isinstance(event, dict) or not isinstance(event.get("eventType"), str):
            raise UnreadableCallback("no event type")
        campaign_id, brand_id = _id(event, "campaignId"), _id(event, "brandId")
        if campaign_id:
            return (CampaignHint(tcr_campaign_id=campaign_id),)
        return (BrandHint(tcr_brand_id=brand_id),) if brand_id else ()


def sign(secret: bytes, url: str, event: Json) -> bytes:
    """The signature of an event to one address: HMAC-SHA1 over address and canonical body, in base64."""
    try:
        signed = (url + canonical(event)).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError) as error:
        raise ForgedCallback("a body that has no canonical form") from error
    return base64.b64encode(hmac.new(secret, signed, hashlib.sha1).digest())


def _event(body: bytes) -> Json:
    try:
        return cast("Json", json.loads(body))  # not msgspec: a name told twice must give its last value, like elsewhere
    except (ValueError, RecursionError) as error:
        raise ForgedCallback("not JSON") from error


def _id(event: dict[str, Json], name: str) -> str:
    value = event.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MAX_ID or not value.isalnum():
        raise UnreadableCallback(f"{name} is no id")
    return value
