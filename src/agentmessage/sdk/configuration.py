"""Where the platform is and who asks: from arguments, else from the environment."""

import os
import platform
import sys
from urllib.parse import urlsplit

from msgspec import Struct

from agentmessage import __version__
from agentmessage.sdk._retries import DEFAULT_RETRIES
from agentmessage.sdk.exceptions import ConfigurationError

KEY_VARIABLE = "AGENTMESSAGE_API_KEY"
URL_VARIABLE = "AGENTMESSAGE_BASE_URL"
DEFAULT_BASE_URL = "http://127.0.0.1:8080"
"""Where `agentmessage up` listens."""

DEFAULT_TIMEOUT_S = 60.0
CONNECT_TIMEOUT_S = 10.0


class Configuration(Struct, frozen=True, kw_only=True):
    """What every request of a client needs."""

    base_url: str
    api_key: str
    timeout_s: float = DEFAULT_TIMEOUT_S
    max_retries: int = DEFAULT_RETRIES

    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"Authorization": f"Bearer {self.api_key}", "User-Agent": user_agent()}


def configure(*, base_url: str | None, api_key: str | None, timeout_s: float, max_retries: int) -> Configuration:
    """The configuration of a client. Raises ConfigurationError."""
    key = api_key if api_key is not None else os.environ.get(KEY_VARIABLE, "")
    if not key:
        raise ConfigurationError("There is no API key.", f"Give api_key=…, or set {KEY_VARIABLE}.")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError(
            "The API key holds characters that no key has.", "Copy it again, without spaces around it."
        )
    url = (base_url or os.environ.get(URL_VARIABLE) or DEFAULT_BASE_URL).rstrip("/")
    if not _is_address(url):
        raise ConfigurationError(
            f"{url!r} is not the address of a platform.", "Give one such as https://sms.example.com."
        )
    return Configuration(base_url=url, api_key=key, timeout_s=timeout_s, max_retries=max_retries)


def _is_address(url: str) -> bool:
    """`urlsplit` drops line breaks and tabs, and keeps spaces: they are looked for before it reads the rest."""
    if not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is none
        return False


def user_agent() -> str:
    """The library with its version, and what it runs on."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"agentmessage-python/{__version__} ({python}; {sys.platform})"
