"""The settings of a process, read once from the environment into a frozen object.

The type of a setting states what it accepts. `read_settings` names every unusable setting in one error.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from agentmessage.kernel.encryption import BadSealKey, parse_keys

PREFIX = "AGENTMESSAGE_"
MAX_INTEGER = 2**31 - 1  # what an integer column holds; as seconds, 68 years

ORIGIN = re.compile(r"https?://[^/?#]+")
STRIPE_KEY = re.compile(r"[sr]k_(live|test)_[A-Za-z0-9_]+")
STRIPE_SECRET = re.compile(r"whsec_[!-~]+")
AREA_CODES = re.compile(r"[2-9][0-9]{2}=[2-9][0-9]{2}(,[2-9][0-9]{2}=[2-9][0-9]{2})*")
STRIPE_PRODUCTS = re.compile(r"[0-9]+=[A-Za-z0-9_]+(,[0-9]+=[A-Za-z0-9_]+)*")
LOG_LEVELS = ("debug", "info", "warning", "error")


class BadSetting(Exception):
    """Settings that cannot be used: names, values (never of a secret) and what they must be."""


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
    except BadSealKey:
        return False
    return True


def _text(accepts: Callable[[str], object], expected: str) -> Meta:
    """A text that `accepts` holds for; `expected` completes the sentence "must be …"."""
    return Meta(extra={"accepts": accepts, "expected": expected})


def _requires(*names: str) -> Meta:
    """A setting that is of no use without others: half of an account's credentials would fail at the first order."""
    return Meta(extra={"requires": names})


SECRET = Meta(extra={"is_secret": True})
Secret = Annotated[str, SECRET]
Url = Annotated[str, _text(_is_url, "an http or https URL")]
Port = Annotated[int, Meta(ge=1, le=65_535)]
Seconds = Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
Cents = Annotated[int, Meta(ge=0, le=100_000_000)]
Rate = Annotated[int, Meta(ge=0, le=1_000_000)]  # 0: no limit of our own
MessageCarrier = Literal["", "smpp", "bandwidth"]


class Settings(Struct, frozen=True, kw_only=True):
    """Every setting. Its environment name is `AGENTMESSAGE_<NAME>`, but `DATABASE_URL` has no prefix.

    Without carrier credentials every organization's carrier is the simulator.
    """

    database_url: Annotated[
        str, SECRET, _text(_is_database_url, "a URL such as postgresql://user:password@host/name")
    ] = ""
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8080
    public_url: Url = ""  # for callbacks from carriers; empty: http://host:port
    api_pool_size: Annotated[int, Meta(ge=1, le=1_000)] = 16
    worker_pool_size: Annotated[int, Meta(ge=2, le=1_000)] = 12
    statement_timeout_seconds: Annotated[int, Meta(ge=1, le=300)] = 5  # also of the wait for a connection; then 503
    log_level: Annotated[str, _text(_is_log_level, f"one of {', '.join(LOG_LEVELS)}")] = "info"
    log_format: Literal["auto", "json", "text"] = "auto"  # auto: text at a terminal, else json
    access_log: bool = False  # one log line for each request
    cors_origin: Annotated[str, _text(_is_origin, "one origin such as https://app.example")] = ""
    encryption_key: Annotated[
        str, SECRET, _text(_are_encryption_keys, "base64 of 32 bytes, or several such separated by commas")
    ] = ""  # encrypts tax ids and stored credentials; newest first
    simulator_url: Url = "http://127.0.0.1:8090"
    simulator_smpp_port: Port = 2775  # on the host of simulator_url
    bandwidth_url: Url = "https://dashboard.bandwidth.com"
    bandwidth_messaging_url: Url = "https://messaging.bandwidth.com"
    bandwidth_application_id: str = ""  # of the messaging application; its callbacks go to /callbacks/messages/live
    bandwidth_platform_url: Url = "https://api.bandwidth.com"  # the host of Bandwidth's JSON routes
    bandwidth_account_id: str = ""
    bandwidth_username: Annotated[
        str, _requires("bandwidth_password", "bandwidth_account_id", "bandwidth_site_id", "tcr_api_key")
    ] = ""
    bandwidth_password: Secret = ""
    bandwidth_site_id: str = ""
    bandwidth_peer_id: str = ""
    tcr_url: Url = "https://csp-api.campaignregistry.com"
    tcr_api_key: Annotated[str, _requires("tcr_api_secret", "bandwidth_username")] = ""
    tcr_api_secret: Secret = ""
    tcr_upstream_cnp_id: str = "BANDW"  # the registry's name of the partner that campaigns are shared with
    live_message_carrier: MessageCarrier = ""  # empty: smpp if smpp_host is set, else the carrier of the numbers
    sandbox_message_carrier: MessageCarrier = ""  # the protocol between us and the simulator; empty: smpp
    smpp_host: str = ""
    smpp_port: Port = 2775
    smpp_system_id: str = ""
    smpp_password: Secret = ""
    smpp_system_type: str = ""
    smpp_tls: bool = False
    smpp_binds: Annotated[int, Meta(ge=1, le=64)] = 1  # connections of one worker
    smpp_window: Annotated[int, Meta(ge=1, le=1_000)] = 100  # unanswered submissions of one connection
    smpp_gsm_packing: Literal["unpacked", "packed"] = "unpacked"
    smpp_default_alphabet: Literal["gsm", "latin1", "ascii"] = "gsm"  # of data_coding 0, in both directions
    smpp_concatenation: Literal["udh8", "udh16", "payload"] = "udh8"
    smpp_message_id_format: Literal["auto", "as_is", "hex_answers", "hex_receipts"] = "auto"
    max_segments_per_second: Rate = 0  # of the live carrier account; 0: what the carrier accepts
    max_segments_per_number_per_minute: Rate = 0  # 0: what the campaign's class allows
    tmobile_daily_cap_mode: Literal["lookup", "all", "off"] = "lookup"  # recipients that the daily cap counts
    receipt_timeout_hours: Annotated[int, Meta(ge=1, le=720)] = 72
    resend_unknown_outcomes: bool = False  # true: duplicates are possible instead of losses
    callback_username: str = "agentmessage"
    callback_password: Secret = ""  # Basic credentials of carriers' callbacks; empty: derived from encryption_key
    max_carrier_writes_per_minute: Rate = 0  # 0: the adapter's own limit (30 at Bandwidth, none at the simulator)
    reconcile_batch_size: Annotated[int, Meta(ge=1, le=1_000)] = 500  # numbers of one order at the carrier
    reconcile_deadline_seconds: Seconds = 129_600  # 36 hours
    reconcile_sweep_interval_seconds: Seconds = 900
    reconcile_max_repair_percent: Annotated[int, Meta(ge=0, le=100)] = 5
    drift_grace_seconds: Annotated[int, Meta(ge=0, le=MAX_INTEGER)] = 900
    stripe_secret_key: Annotated[
        str,
        SECRET,
        _text(STRIPE_KEY.fullmatch, "a secret or restricted key: sk_live_…, sk_test_…, rk_…"),
        _requires("stripe_webhook_secret"),
    ] = ""  # empty: no cards are accepted, the operator credits wallets
    stripe_webhook_secret: Annotated[
        str,
        SECRET,
        _text(STRIPE_SECRET.fullmatch, "an endpoint's signing secret: whsec_…"),
        _requires("stripe_secret_key"),
    ] = ""  # of the Stripe endpoint that calls /callbacks/stripe
    stripe_url: Url = "https://api.stripe.com"
    stripe_products: Annotated[
        str, _text(STRIPE_PRODUCTS.fullmatch, "amounts in cents and products, as 500=prod_A,2000=prod_B")
    ] = ""  # the Stripe product of each top-up amount
    stripe_portal_return_origins: Annotated[
        str, _text(_are_origins, "origins such as https://app.example, separated by commas")
    ] = ""  # the portal may send customers back to these
    min_topup_cents: Cents = 0  # the balance that a top-up must reach; 0: no minimum
    order_wait_seconds: Annotated[int, Meta(ge=0, le=300)] = 20
    quarantine_days: Annotated[int, Meta(ge=0, le=3_650)] = 30
    signup_credit_cents: Cents = 500
    idempotency_hours: Annotated[int, Meta(ge=1, le=8_760)] = 24
    max_consent_captures_per_minute: Annotated[int, Meta(ge=1, le=1_000_000)] = 6_000  # records of one organization
    double_opt_in_hours: Annotated[int, Meta(ge=1, le=720)] = 24  # until a confirmation request expires
    consent_form_link_seconds: Annotated[int, Meta(ge=60, le=2_592_000)] = 3_600
    area_codes: Annotated[
        str, _text(AREA_CODES.fullmatch, "area codes and the ones whose area they share, as 436=440,283=513")
    ] = ""  # area codes that our table does not have yet
    trusted_proxy_count: Annotated[int, Meta(ge=0, le=16)] = 0  # proxies of ours before the API
    require_propagation: bool = True  # a number sends only after its carrier has confirmed the campaign
    mms_enabled: bool = True
    media_dir: str = "var/media"  # of uploaded files, unless media_s3_url is set
    wallet_floor_cents: int = -1000  # inbound messages that would take a wallet below it are not charged
    media_max_files: int = 10_000  # of one organization
    media_max_bytes: int = 1_073_741_824  # of all files of one organization
    media_s3_url: Annotated[Url, _requires("media_s3_bucket", "media_s3_access_key", "media_s3_secret_key")] = ""
    media_s3_bucket: str = ""
    media_s3_region: str = "us-east-1"
    media_s3_access_key: str = ""
    media_s3_secret_key: Secret = ""
    webhook_allow_private: bool = False  # webhooks to private addresses and over plain http: development only
    page_check_allow_private: bool = False  # campaign review may request pages on private addresses: development only

    @property
    def has_carrier_credentials(self) -> bool:
        """A real carrier is configured for live organizations."""
        return bool(self.bandwidth_username)

    @property
    def is_live_smpp(self) -> bool:
        """Live messages go to a carrier over SMPP."""
        return bool(self.smpp_host) and self.live_message_carrier != "bandwidth"


CLIENT_VARIABLES = frozenset(
    {
        "AGENTMESSAGE_API_KEY",
        "AGENTMESSAGE_BASE_URL",
        "AGENTMESSAGE_PROFILE",
        "AGENTMESSAGE_DEBUG",
        "AGENTMESSAGE_LISTEN_SECRET",
    }
)
"""Variables of the client library and the command line. The platform ignores them, so that one shell can hold both."""

RETIRED = {
    "CARRIER_WRITES_PER_MIN": "MAX_CARRIER_WRITES_PER_MINUTE",
    "CONSENT_CAPTURES_PER_MIN": "MAX_CONSENT_CAPTURES_PER_MINUTE",
    "CONSENT_FORM_S": "CONSENT_FORM_LINK_SECONDS",
    "DRIFT_GRACE_S": "DRIFT_GRACE_SECONDS",
    "LIVE_TEXT_CARRIER": "LIVE_MESSAGE_CARRIER",
    "MEDIA_MAX_MIB": "MEDIA_MAX_BYTES",
    "NUMBER_TEXTS_PER_MIN": "MAX_SEGMENTS_PER_NUMBER_PER_MINUTE",
    "ORDER_WAIT_S": "ORDER_WAIT_SECONDS",
    "PROXIES_IN_FRONT": "TRUSTED_PROXY_COUNT",
    "RECEIPT_PATIENCE_H": "RECEIPT_TIMEOUT_HOURS",
    "RECONCILE_BATCH": "RECONCILE_BATCH_SIZE",
    "RECONCILE_DEADLINE_S": "RECONCILE_DEADLINE_SECONDS",
    "RECONCILE_HEAL_PERCENT": "RECONCILE_MAX_REPAIR_PERCENT",
    "RECONCILE_SWEEP_S": "RECONCILE_SWEEP_INTERVAL_SECONDS",
    "RETRY_UNKNOWN": "RESEND_UNKNOWN_OUTCOMES",
    "SANDBOX_TEXT_CARRIER": "SANDBOX_MESSAGE_CARRIER",
    "SEAL_KEY": "ENCRYPTION_KEY",
    "SMPP_GSM": "SMPP_GSM_PACKING",
    "SMPP_LONG_TEXTS": "SMPP_CONCATENATION",
    "SMPP_MESSAGE_IDS": "SMPP_MESSAGE_ID_FORMAT",
    "STATEMENT_TIMEOUT_S": "STATEMENT_TIMEOUT_SECONDS",
    "STRIPE_PORTAL_RETURN_HOSTS": "STRIPE_PORTAL_RETURN_ORIGINS",
    "TEXTS_PER_SEC": "MAX_SEGMENTS_PER_SECOND",
    "T_MOBILE_CAP": "TMOBILE_DAILY_CAP_MODE",
}
"""Former names of settings, without the prefix, and their names today. A process does not start with a former one."""


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment; an empty value counts as absent. Raises BadSetting, naming every bad one."""
    environment = os.environ if environment is None else environment
    types = {field.name: field.type for field in msgspec.structs.fields(Settings)}
    given = {name: text for name in types if (text := environment.get(_key(name), ""))}
    values: dict[str, object] = {}
    faults = [*_wrong_names(environment, types), *_missing_companions(given, types)]
    for name, text in given.items():
        try:
            values[name] = _parse(text, types[name])
        except msgspec.ValidationError:
            shown = "(hidden)" if "is_secret" in _extra(types[name]) else repr(text)
            faults.append(f"{_key(name)} is {shown}, but must be {_expected(text, types[name])}")
    if faults:
        raise BadSetting("; ".join(sorted(faults)) + ".")
    return msgspec.convert(values, Settings)


def _key(name: str) -> str:
    return "DATABASE_URL" if name == "database_url" else PREFIX + name.upper()


def _wrong_names(environment: Iterable[str], settings: Iterable[str]) -> Iterable[str]:
    """Variables with our prefix that are no setting."""
    known = {_key(name) for name in settings} | CLIENT_VARIABLES
    for key in environment:
        if key.startswith(PREFIX) and key not in known:
            new = RETIRED.get(key.removeprefix(PREFIX))
            yield f"{key} is not a setting" if new is None else f"{key} is now called {PREFIX}{new}"


def _missing_companions(given: Mapping[str, str], types: Mapping[str, Any]) -> Iterable[str]:
    """Settings that are given without the ones they require."""
    for name in given:
        absent = [_key(required) for required in _extra(types[name]).get("requires", ()) if required not in given]
        if absent:
            yield f"{_key(name)} is set, but {' and '.join(absent)} not"


def _parse(text: str, kind: Any) -> object:
    """The value of a setting of this type. Raises ValidationError."""
    value: object = msgspec.convert(text, kind, strict=False)
    accepts = _extra(kind).get("accepts", bool)
    if not accepts(text):
        raise msgspec.ValidationError
    return value


def _expected(text: str, kind: Any) -> str:
    """What a text that `_parse` rejects must be instead."""
    match msgspec.inspect.type_info(kind):
        case msgspec.inspect.BoolType():
            return "true or false"
        case msgspec.inspect.IntType(ge=lowest, le=highest):
            return f"{lowest}..{highest}" if _is_integer(text) else "a whole number"
        case msgspec.inspect.LiteralType():
            return f"one of {', '.join(filter(None, get_args(kind)))}"
        case _:
            return str(_extra(kind)["expected"])


def _is_integer(text: str) -> bool:
    try:
        msgspec.convert(text, int, strict=False)
    except msgspec.ValidationError:
        return False
    return True


def _extra(kind: Any) -> Mapping[str, Any]:
    extra: Mapping[str, Any] | None = getattr(msgspec.inspect.type_info(kind), "extra", None)
    return extra or {}
