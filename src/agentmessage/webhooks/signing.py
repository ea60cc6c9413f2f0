"""Secrets, and the signatures made with them that a receiver can check, in two schemes at once.

`X-AmCore-Signature: t=<unix>,v1=<hex>` is an HMAC-SHA256 over timestamp, newline and raw body; `webhook-id`,
`webhook-timestamp` and `webhook-signature: v1,<base64>` are those of Standard Webhooks, over id, timestamp and raw body
with dots between. With several secrets, newest first, only `webhook-signature` carries a
signature for each: receivers read `X-AmCore-Signature` into a map, where a second `v1` would replace the first.
"""

import base64
import hmac
import secrets
from collections.abc import Sequence

from agentmessage.webhooks.model import SECRET_BYTES


def signature_headers(secrets: Sequence[bytes], *, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that sign a body. `secrets` are raw bytes, at least one, newest first; `timestamp` is in seconds."""
    moment = str(timestamp)
    own = b"%b\n%b" % (moment.encode(), body)
    standard = b"%b.%b.%b" % (message_id.encode(), moment.encode(), body)
    newest = hmac.digest(secrets[0], own, "sha256").hex()
    signatures = " ".join(
        "v1," + base64.b64encode(hmac.digest(secret, standard, "sha256")).decode() for secret in secrets
    )
    return {
        "X-AmCore-Signature": f"t={moment},v1={newest}",
        "webhook-id": message_id,
        "webhook-timestamp": moment,
        "webhook-signature": signatures,
    }


def new_secret() -> bytes:
    """A new secret: raw bytes, from which receivers' keys are made as they are."""
    return secrets.token_bytes(SECRET_BYTES)


def encode_secret(secret: bytes) -> str:
    """A secret as its owner sees it: base64, which Standard Webhooks' libraries take as it is."""
    return base64.b64encode(secret).decode()
