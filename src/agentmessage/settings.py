"""The environment, read once into a frozen object; a bad value is one clear sentence at start."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from agentmessage.kernel.encryption import BadSealKey, parse_keys


class BadSetting(Exception):
    """A setting that cannot be used, with its name, its value (never a secret's) and what it should be."""


class Settings(Struct, frozen=True, kw_only=True):
    """Every setting, by its environment name `AGENTMESSAGE_<NAME IN CAPITALS>` (but `DATABASE_URL` as it is).

    Empty carrier credentials mean that every organization's carrier is the simulator.
    """

    database_url: str = ""
    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = ""  # how carriers reach us for callbacks; empty: http://host:port
    api_pool_size: int = 16
    worker_pool_size: int = 12
    statement_timeout_s: int = 5  # that a statement of the API, or its wait for a connection, may take: then 503
    log_level: str = "info"
    log_format: str = "auto"  # json, text, or auto: text at a terminal, json everywhere else
    access_log: bool = False  # one line for each request
    cors_origin: str = ""  # one origin whose pages may call the API, as https://app.example; empty: none
    seal_key: str = ""  # base64 of 32 bytes: seals tax ids and stored credentials
    simulator_url: str = "http://127.0.0.1:8090"
    simulator_smpp_port: int = 2775  # of its SMSC, on the same host
    bandwidth_url: str = "https://dashboard.bandwidth.com"
    bandwidth_messaging_url: str = "https://messaging.bandwidth.com"
    bandwidth_application_id: str = ""  # the messaging application; its callbacks go to /callbacks/messages/live
    bandwidth_platform_url: str = "https://api.bandwidth.com"  # the JSON routes live on another host
    bandwidth_account_id: str = ""
    bandwidth_username: str = ""
    bandwidth_password: str = ""
    bandwidth_site_id: str = ""
    bandwidth_peer_id: str = ""
    tcr_url: str = "https://csp-api.campaignregistry.com"
    tcr_api_key: str = ""
    tcr_api_secret: str = ""
    tcr_upstream_cnp_id: str = "BANDW"  # the partner that campaigns are shared with, by the registry's name
    live_text_carrier: str = ""  # smpp or bandwidth; empty: smpp once smpp_host is set, else as numbers are had
    sandbox_text_carrier: str = ""  # the protocol that the simulator is spoken to in: smpp, or bandwidth
    smpp_host: str = ""
    smpp_port: int = 2775
    smpp_system_id: str = ""
    smpp_password: str = ""
    smpp_system_type: str = ""
    smpp_tls: bool = False
    smpp_binds: int = 1  # connections of one worker
    smpp_window: int = 100  # texts without an answer, of each connection
    smpp_gsm: str = "unpacked"
    smpp_default_alphabet: str = "gsm"  # what data_coding 0 means to the carrier, both ways
    smpp_long_texts: str = "udh8"
    smpp_message_ids: str = "auto"
    texts_per_sec: int = 0  # of the whole live carrier account; 0: as the carrier takes them
    number_texts_per_min: int = 0  # of each number; 0: only what its campaign's class says
    t_mobile_cap: str = "lookup"  # whom the daily cap counts: numbers that a lookup says are theirs, all, off
    receipt_patience_h: int = 72
    retry_unknown: bool = False  # send again what may have been sent: twice at worst instead of never
    callback_username: str = "agentmessage"
    callback_password: str = ""  # Basic credentials that carriers must show; empty: derived from seal_key
    carrier_writes_per_min: int = 0  # 0: the adapter's own budget (30 a minute at Bandwidth, none at the simulator)
    reconcile_batch: int = 500
    reconcile_deadline_s: int = 129_600  # 36 h
    reconcile_sweep_s: int = 900
    reconcile_heal_percent: int = 5
    drift_grace_s: int = 900
    stripe_secret_key: str = ""  # empty: no cards are taken, the operator credits wallets
    stripe_webhook_secret: str = ""  # of the endpoint that calls /callbacks/stripe
    stripe_url: str = "https://api.stripe.com"
    stripe_products: str = ""  # what top-ups are booked under, as 500=prod_A,2000=prod_B
    stripe_portal_return_hosts: str = ""  # where the portal may send customers back to, as https://app.example
    min_topup_cents: int = 0  # what a balance must reach with a top-up; 0: whatever is bought
    order_wait_s: int = 20
    quarantine_days: int = 30
    signup_credit_cents: int = 500
    idempotency_hours: int = 24
    consent_captures_per_min: int = 6_000  # records that one organization may bring in, by whatever operation
    double_opt_in_hours: int = 24  # how long a question waits for YES
    consent_form_s: int = 3_600  # how long a link to the hosted form is good
    area_codes: str = ""  # newer than our table: new code = code whose area it shares, as 436=440,283=513
    proxies_in_front: int = 0  # whose X-Forwarded-For is believed where an address is evidence; 0: nobody's
    require_propagation: bool = True  # a sender may text only once its carrier has confirmed the campaign
    mms_enabled: bool = True
    media_dir: str = "var/media"  # where uploaded files lie, unless there is a bucket
    wallet_floor_cents: int = -1000  # inbound messages that would take a wallet below it are not charged
    media_max_files: int = 10_000  # kept for one organization
    media_max_mib: int = 1024  # of them together
    media_s3_url: str = ""  # a service that speaks S3, as https://s3.us-east-1.amazonaws.com; empty: media_dir
    media_s3_bucket: str = ""
    media_s3_region: str = "us-east-1"
    media_s3_access_key: str = ""
    media_s3_secret_key: str = ""
    webhook_allow_private: bool = False  # webhooks to private addresses and over plain http: development only
    page_check_allow_private: bool = False  # campaign review may ask web pages on private addresses: development only

    @property
    def has_carrier_credentials(self) -> bool:
        """A real carrier is configured for live organizations."""
        return bool(self.bandwidth_username)

    @property
    def is_live_smpp(self) -> bool:
        """Live messages go to a carrier over SMPP."""
        return bool(self.smpp_host) and self.live_text_carrier != "bandwidth"


PREFIX = "AGENTMESSAGE_"
WORDS = {int: "a whole number", bool: "true or false", str: "text"}
SECRETS = frozenset(
    {
        "database_url",
        "seal_key",
        "bandwidth_password",
        "smpp_password",
        "tcr_api_secret",
        "callback_password",
        "media_s3_secret_key",
        "stripe_secret_key",
        "stripe_webhook_secret",
    }
)
CLIENT_VARIABLES = frozenset(
    {
        "AGENTMESSAGE_API_KEY",
        "AGENTMESSAGE_BASE_URL",
        "AGENTMESSAGE_PROFILE",
        "AGENTMESSAGE_DEBUG",
        "AGENTMESSAGE_LISTEN_SECRET",
    }
)
"""What the client library and the command line read. One shell may hold these and start the platform, too."""

ORIGIN = re.compile(r"https?://[^/?#]+")
STRIPE_KEY = re.compile(r"[sr]k_(live|test)_[A-Za-z0-9_]+")
STRIPE_SECRET = re.compile(r"whsec_[!-~]+")
AREA_CODES = re.compile(r"[2-9][0-9]{2}=[2-9][0-9]{2}(,[2-9][0-9]{2}=[2-9][0-9]{2})*")
STRIPE_PRODUCTS = re.compile(r"[0-9]+=[A-Za-z0-9_]+(,[0-9]+=[A-Za-z0-9_]+)*")
LEVELS = ("debug", "info", "warning", "error")
MOST = 2**31 - 1  # what an integer column holds; as seconds, 68 years
LIMITS = {
    "port": (0, 65_535),
    "simulator_smpp_port": (1, 65_535),
    "api_pool_size": (1, 1_000),
    "worker_pool_size": (2, 1_000),
    "statement_timeout_s": (1, 300),
    "carrier_writes_per_min": (0, 1_000_000),
    "smpp_port": (1, 65_535),
    "smpp_binds": (1, 64),
    "smpp_window": (1, 1_000),
    "texts_per_sec": (0, 1_000_000),
    "number_texts_per_min": (0, 1_000_000),
    "receipt_patience_h": (1, 720),
    "reconcile_batch": (1, 1_000),  # the members of one order at Bandwidth
    "reconcile_deadline_s": (1, MOST),
    "reconcile_sweep_s": (1, MOST),
    "reconcile_heal_percent": (0, 100),
    "drift_grace_s": (0, MOST),
    "order_wait_s": (0, 300),
    "quarantine_days": (0, 3_650),
    "signup_credit_cents": (0, 100_000_000),
    "min_topup_cents": (0, 100_000_000),
    "idempotency_hours": (1, 8_760),
    "consent_captures_per_min": (1, 1_000_000),
    "double_opt_in_hours": (1, 720),
    "consent_form_s": (60, 2_592_000),
    "proxies_in_front": (0, 16),
}
TOGETHER = {
    "bandwidth_username": ("bandwidth_password", "bandwidth_account_id", "bandwidth_site_id", "tcr_api_key"),
    "tcr_api_key": ("tcr_api_secret", "bandwidth_username"),
    "media_s3_url": ("media_s3_bucket", "media_s3_access_key", "media_s3_secret_key"),
    "stripe_secret_key": ("stripe_webhook_secret",),
    "stripe_webhook_secret": ("stripe_secret_key",),
}
"""What must be there beside a setting: half of an account's credentials would fail only at the first order."""


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment. Raises BadSetting, naming every bad one."""
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    faults: list[str] = []
    types = {f.name: f.type for f in msgspec.structs.fields(Settings)}
    for name, kind in types.items():
        text = environment.get(_key(name), "")
        if not text:
            continue
        try:
            values[name] = msgspec.convert(text, kind, strict=False)
        except msgspec.ValidationError:
            faults.append(_fault(name, text, WORDS[kind]))
            continue
        wanted = _wanted(name, values[name])
        if wanted is not None:
            faults.append(_fault(name, text, wanted))
    known = {_key(name) for name in types} | CLIENT_VARIABLES
    faults += [f"{key} is not a setting" for key in environment if key.startswith(PREFIX) and key not in known]
    faults += _missing(values)
    if faults:
        raise BadSetting("; ".join(sorted(faults)) + ".")
    return msgspec.convert(values, Settings)


def _key(name: str) -> str:
    return "DATABASE_URL" if name == "database_url" else PREFIX + name.upper()


def _fault(name: str, text: str, wanted: str) -> str:
    return f"{_key(name)} is {'(hidden)' if name in SECRETS else repr(text)}, but must be {wanted}"


def _missing(values: Mapping[str, Any]) -> Iterable[str]:
    """Settings without which another one is of no use."""
    for name, companions in TOGETHER.items():
        absent = [_key(companion) for companion in companions if name in values and companion not in values]
        if absent:
            yield f"{_key(name)} is set, but {' and '.join(absent)} not"


def _wanted(name: str, value: Any) -> str | None:
    """What a value of the right type must be besides; None when it is."""
    if name in LIMITS:
        least, most = LIMITS[name]
        return None if least <= value <= most else f"{least}..{most}"
    if name in RULES:
        holds, words = RULES[name]
        return None if holds(value) else words
    return None


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and _is_one_word(text)
    except ValueError:
        return False


def _is_database(text: str) -> bool:
    return text.startswith(("postgresql://", "postgres://")) and _is_one_word(text)


def _is_origin(text: str) -> bool:
    return _is_url(text) and ORIGIN.fullmatch(text) is not None


def _is_list_of_origins(text: str) -> bool:
    return all(_is_origin(part) for part in text.split(","))


def _is_level(text: str) -> bool:
    return text.lower() in LEVELS


def _is_one_word(text: str) -> bool:
    return text.isprintable() and " " not in text


def _seals(text: str) -> bool:
    try:
        parse_keys(text)
    except BadSealKey:
        return False
    return True


def _one_of(*words: str) -> tuple[Callable[[str], bool], str]:
    return frozenset(words).__contains__, f"one of {', '.join(words)}"


URL = (_is_url, "an http or https URL")
RULES: dict[str, tuple[Callable[[str], object], str]] = {
    "database_url": (_is_database, "a URL such as postgresql://user:password@host/name"),
    "log_level": (_is_level, f"one of {', '.join(LEVELS)}"),
    "log_format": _one_of("auto", "json", "text"),
    "cors_origin": (_is_origin, "one origin such as https://app.example"),
    "seal_key": (_seals, "base64 of 32 bytes, or several such separated by commas"),
    "public_url": URL,
    "simulator_url": URL,
    "bandwidth_url": URL,
    "bandwidth_platform_url": URL,
    "bandwidth_messaging_url": URL,
    "tcr_url": URL,
    "live_text_carrier": _one_of("smpp", "bandwidth"),
    "sandbox_text_carrier": _one_of("smpp", "bandwidth"),
    "area_codes": (AREA_CODES.fullmatch, "area codes and the ones whose area they share, as 436=440,283=513"),
    "smpp_gsm": _one_of("unpacked", "packed"),
    "smpp_default_alphabet": _one_of("gsm", "latin1", "ascii"),
    "smpp_long_texts": _one_of("udh8", "udh16", "payload"),
    "smpp_message_ids": _one_of("auto", "as_is", "hex_answers", "hex_receipts"),
    "t_mobile_cap": _one_of("lookup", "all", "off"),
    "media_s3_url": URL,
    "stripe_url": URL,
    "stripe_secret_key": (STRIPE_KEY.fullmatch, "a secret or restricted key: sk_live_…, sk_test_…, rk_…"),
    "stripe_webhook_secret": (STRIPE_SECRET.fullmatch, "an endpoint's signing secret: whsec_…"),
    "stripe_products": (STRIPE_PRODUCTS.fullmatch, "amounts in cents and products, as 500=prod_A,2000=prod_B"),
    "stripe_portal_return_hosts": (_is_list_of_origins, "origins such as https://app.example, separated by commas"),
}
