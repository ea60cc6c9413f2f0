"""Secrets that sign: made here, shown once, kept sealed."""

import base64
import secrets

from agentmessage.webhooks.model import SECRET_BYTES


def fresh() -> bytes:
    """A new secret: raw bytes, from which receivers' keys are made as they are."""
    return secrets.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """A secret as its owner sees it: base64, which Standard Webhooks' libraries take as it is."""
    return base64.b64encode(secret).decode()
