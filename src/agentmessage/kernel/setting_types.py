"""Types of settings: what a text from the environment must be, as annotations that `settings` reads."""

import re
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

from agentmessage.kernel.encryption import InvalidEncryptionKey, parse_keys

MAX_INTEGER = 2**31 - 1  # what an integer column holds; as seconds, 68 years
ORIGIN = re.compile(r"https?://[^/?#]+")
STRIPE_KEY = re.compile(r"[sr]k_(live|test)_[A-Za-z0-9_]+")
STRIPE_SECRET = re.compile(r"whsec_[!-~]+")
AREA_CODES = re.compile(r"[2-9][0-9]{2}=[2-9][0-9]{2}(,[2-9][0-9]{2}=[2-9][0-9]{2})*")
STRIPE_PRODUCTS = re.compile(r"[0-9]+=[A-Za-z0-9_]+(,[0-9]+=[A-Za-z0-9_]+)*")
LOG_LEVELS = ("debug", "info", "warning", "error")


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and _has_no_space(text)
    except ValueError:
        return False


def _is_database_url(text: str) -> bool:
    return text.startswith(("postgresql://", "postgres://")) and _has_no_space(text)


def _is_origin(text: str) -> bool:
    return _is_url(text) and ORIGIN.fullmatch(text) is not None


def _are_origins(text: str) -> bool:
    return all(_is_origin(part) for part in text.split(","))


def _is_log_level(text: str) -> bool:
    return text.lower() in LOG_LEVELS


def _has_no_space(text: str) -> bool:
    return text.isprintable() and " " not in text


def _are_encryption_keys(text: str) -> bool:
    try:
        parse_keys(text)
    except InvalidEncryptionKey:
        return False
    return True


def _text(accepts: Callable[[str], object], expected: str) -> Meta:
    """A text that `accepts` holds for; `expected` completes the sentence "must be …"."""
    return Meta(extra={"accepts": accepts, "expected": expected})


def requires(*names: str) -> Meta:
    """A setting that is of no use without others: half of an account's credentials would fail at the first order."""
    return Meta(extra={"requires": names})


SECRET = Meta(extra={"is_secret": True})
Secret = Annotated[str, SECRET]
Url = Annotated[str, _text(_is_url, "an http or https URL")]
DatabaseUrl = Annotated[str, SECRET, _text(_is_database_url, "a URL such as postgresql://user:password@host/name")]
Origin = Annotated[str, _text(_is_origin, "one origin such as https://app.example")]
Origins = Annotated[str, _text(_are_origins, "origins such as https://app.example, separated by commas")]
LogLevel = Annotated[str, _text(_is_log_level, f"one of {', '.join(LOG_LEVELS)}")]
EncryptionKeys = Annotated[
    str, SECRET, _text(_are_encryption_keys, "base64 of 32 bytes, or several such separated by commas")
]
StripeKey = Annotated[
    str, SECRET, _text(STRIPE_KEY.fullmatch, "a secret or restricted key: sk_live_…, sk_test_…, rk_…")
]
StripeSecret = Annotated[str, SECRET, _text(STRIPE_SECRET.fullmatch, "an endpoint's signing secret: whsec_…")]
StripeProducts = Annotated[
    str, _text(STRIPE_PRODUCTS.fullmatch, "amounts in cents and products, as 500=prod_A,2000=prod_B")
]
AreaCodes = Annotated[
    str, _text(AREA_CODES.fullmatch, "area codes and the ones whose area they share, as 436=440,283=513")
]
Port = Annotated[int, Meta(ge=1, le=65_535)]
Seconds = Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
Cents = Annotated[int, Meta(ge=0, le=100_000_000)]
Rate = Annotated[int, Meta(ge=0, le=1_000_000)]
"""0 is no limit of the platform's own."""
