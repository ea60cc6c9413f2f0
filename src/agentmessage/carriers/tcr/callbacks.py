"""The registry's events: signed, flat, and no more than hints (docs/carriers/tcr.md, section 4)."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

from agentmessage.carriers.protocols import BrandHint, Callback, CampaignHint, ForgedCallback, Hint, UnreadableCallback
from agentmessage.carriers.tcr.account import TcrAccount
from agentmessage.carriers.tcr.canonical import Json, canonical

MAX_ID = 32
"""Longest registry id that we would look up."""

MAX_BODY_BYTES = 32 * 1024
MAX_MEMBERS = 64
"""Of an event, which is one flat object: three times what is documented."""

SIGNATURE_FORM = re.compile(r"[A-Za-z0-9+/]{27}=")
"""20 bytes in base64."""

Flat = dict[str, str | int | float | bool | None]


class TcrCallbacks:
    """CallbackReader of one account."""

    def __init__(self, account: TcrAccount) -> None:
        self._secret = account.secret.encode()
        self._url = account.callback_url
        self.max_body_bytes = MAX_BODY_BYTES
        self.is_proven_by_headers = False

    def admit(self, headers: Mapping[str, str]) -> None:
        """See CallbackReader: a signature of the right form."""
        if not SIGNATURE_FORM.fullmatch(headers.get("x-registry-signature", "")):
            raise ForgedCallback("missing X-Registry-Signature")

    def read(self, callback: Callback) -> Sequence[Hint]:
        """What moved. An event about neither a brand nor a campaign says nothing to us."""
        self.admit(callback.headers)
        self._require_signed(callback)
        event = _event(callback.body)
        if not isinstance(event, dict) or not isinstance(event.get("eventType"), str):
            raise UnreadableCallback("no event type")
        campaign_id, brand_id = _id(event, "campaignId"), _id(event, "brandId")
        if campaign_id:
            return (CampaignHint(tcr_campaign_id=campaign_id),)
        return (BrandHint(tcr_brand_id=brand_id),) if brand_id else ()

    def _require_signed(self, callback: Callback) -> None:
        """The body as it came, or else its canonical form, carries the signature. Raises ForgedCallback.

        The form is made of a small flat object only: what a stranger sends costs little more than its hash.
        """
        shown = callback.headers["x-registry-signature"].encode()
        address = (self._url or callback.url).encode()
        if hmac.compare_digest(shown, sign(self._secret, address + callback.body)):
            return
        if len(callback.body) > MAX_BODY_BYTES or not hmac.compare_digest(
            shown, sign(self._secret, address + _canonical(callback.body))
        ):
            raise ForgedCallback("wrong X-Registry-Signature")


def sign(secret: bytes, signed: bytes) -> bytes:
    """HMAC-SHA1 in base64: the registry's signature of address and canonical body."""
    return base64.b64encode(hmac.new(secret, signed, hashlib.sha1).digest())


def _canonical(body: bytes) -> bytes:
    """The canonical form of an event. Raises ForgedCallback for what is no event."""
    try:
        event = msgspec.json.decode(body, type=Flat)
        if len(event) > MAX_MEMBERS:
            raise ForgedCallback("more members than an event has")
        return canonical(cast("Json", event)).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError) as error:  # msgspec's are ValueErrors
        raise ForgedCallback("not an event") from error


def _event(body: bytes) -> Json:
    """An event that is authentic. Raises UnreadableCallback."""
    try:
        return cast("Json", msgspec.json.decode(body))
    except (ValueError, RecursionError) as error:
        raise UnreadableCallback("not JSON") from error


def _id(event: dict[str, Json], name: str) -> str:
    value = event.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MAX_ID or not value.isalnum():
        raise UnreadableCallback(f"{name} is no id")
    return value
