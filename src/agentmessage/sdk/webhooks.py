"""Proof that a webhook comes from the platform, in either of the two schemes that it signs with.

    event = webhooks.unwrap(request.body, request.headers, secret)

`payload` is the raw body, before any parsing. `headers` are those of the request, as text or as bytes: a mapping, or
pairs as ASGI servers give them. `secret` is as the platform showed it, or several while one is rotated.
Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`) is read first, then `X-AmCore-Signature`.
During the grace after a rotation the former is signed with both secrets and the latter with the current one only.
"""

import base64
import hmac
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import msgspec

from agentmessage.sdk.exceptions import InvalidArgumentError, SignatureVerificationError
from agentmessage.sdk.models import Event

TOLERANCE_S = 300.0
PREFIX = "whsec_"
MOMENT = re.compile(r"[0-9]{1,15}")
"""Unix seconds; more digits are no time, and more than a float holds."""

HEX = re.compile(r"[0-9a-fA-F]{64}")
"""Secrets that are shown as 32 bytes in hexadecimal digits; no base64 of 32 bytes looks so."""

Secret = str | bytes
Headers = Mapping[str, str] | Mapping[bytes, bytes] | Iterable[tuple[str | bytes, str | bytes]]


def unwrap(
    payload: bytes | str,
    headers: Headers,
    secret: Secret | Sequence[Secret],
    *,
    tolerance_s: float = TOLERANCE_S,
    now: float | None = None,
) -> Event:
    """The event of a verified webhook. Raises SignatureVerificationError, also for a body that is no event."""
    verify(payload, headers, secret, tolerance_s=tolerance_s, now=now)
    try:
        return msgspec.json.decode(payload, type=Event)
    except msgspec.DecodeError as error:
        raise SignatureVerificationError(f"The signature is right, but the body is no event: {error}.") from error


def verify(
    payload: bytes | str,
    headers: Headers,
    secret: Secret | Sequence[Secret],
    *,
    tolerance_s: float = TOLERANCE_S,
    now: float | None = None,
) -> None:
    """Raises SignatureVerificationError unless one of the signatures is right for one of the secrets, and fresh.

    `now` is the time to hold the signature against, in Unix seconds; left out, it is the present.
    """
    body = _octets(payload) if isinstance(payload, str) else bytes(payload)
    given = _read_headers(headers)
    keys = [key_of(each) for each in ([secret] if isinstance(secret, (str, bytes)) else secret)]
    if "webhook-signature" in given:
        moment, signed, signatures = _standard(given, body)
    elif "x-amcore-signature" in given:
        moment, signed, signatures = _own(given["x-amcore-signature"], body)
    else:
        raise SignatureVerificationError("The request carries no signature.")
    _require_fresh(moment, time.time() if now is None else now, tolerance_s)
    if not _is_signed(keys, signed, signatures):
        raise SignatureVerificationError("No signature of the request is right for the secret.")


def _read_headers(headers: Headers) -> dict[str, str]:
    pairs = cast("Iterable[tuple[object, object]]", headers.items() if isinstance(headers, Mapping) else headers)
    return {_header_text(name).lower(): _header_text(value).strip() for name, value in pairs}


def _header_text(octets: object) -> str:
    """A header's bytes are Latin-1 to every HTTP library. What is neither text nor bytes can be no signature."""
    return octets.decode("latin-1") if isinstance(octets, bytes) else octets if isinstance(octets, str) else ""


def _standard(headers: Mapping[str, str], body: bytes) -> tuple[str, bytes, list[bytes]]:
    """Standard Webhooks: `v1,<base64>`, several with spaces between; over id, timestamp and body with dots."""
    try:
        message_id, moment = headers["webhook-id"], headers["webhook-timestamp"]
    except KeyError as missing:
        raise SignatureVerificationError(f"The header {missing.args[0]} is missing.") from missing
    marked = [signature.partition(",") for signature in headers["webhook-signature"].split()]
    found = [_decoded(text) for version, _, text in marked if version == "v1"]
    return moment, b"%b.%b.%b" % (_octets(message_id), _octets(moment), body), found


def _own(header: str, body: bytes) -> tuple[str, bytes, list[bytes]]:
    """`t=<unix>,v1=<hex>`; over timestamp and body with a line feed between. Older platforms send several `v1`."""
    parts = [part.strip().partition("=") for part in header.split(",")]
    moment = next((value for name, _, value in parts if name == "t"), "")
    found = [bytes.fromhex(value) for name, _, value in parts if name == "v1" and HEX.fullmatch(value)]
    return moment, b"%b\n%b" % (_octets(moment), body), found


def _require_fresh(moment: str, now: float, tolerance_s: float) -> None:
    if not MOMENT.fullmatch(moment):
        raise SignatureVerificationError("The signature's time is not a number of seconds.")
    if abs(now - int(moment)) > tolerance_s:
        raise SignatureVerificationError(f"The signature is more than {tolerance_s:g} seconds away from now.")


def _is_signed(keys: Iterable[bytes], signed: bytes, signatures: Sequence[bytes]) -> bool:
    """Every pair is compared, in constant time, so that timing reveals nothing."""
    right = [hmac.digest(key, signed, "sha256") for key in keys]
    return sum(hmac.compare_digest(mine, theirs) for mine in right for theirs in signatures) > 0


def key_of(secret: Secret) -> bytes:
    """The bytes of a secret: base64, perhaps behind `whsec_`, or 64 hexadecimal digits. Raises InvalidArgumentError."""
    if isinstance(secret, bytes):
        key = secret
    elif HEX.fullmatch(secret):
        key = bytes.fromhex(secret)
    else:
        text = secret.removeprefix(PREFIX)
        try:
            key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except ValueError as error:  # also of characters beyond ASCII
            raise InvalidArgumentError("The webhook secret is neither base64 nor hexadecimal") from error
    if not key:
        raise InvalidArgumentError("The webhook secret is empty")
    return key


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # also of characters beyond ASCII
        return b""


def _octets(text: str) -> bytes:
    """Encode as UTF-8. Lone surrogates, which servers make of broken headers, are kept: no valid signature has them."""
    return text.encode(errors="surrogatepass")
