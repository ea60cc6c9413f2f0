"""The settings of a process, read once from the environment into a frozen object.

The type of a setting states what it accepts. `read_settings` names every unusable setting in one error.
"""

import os
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from agentmessage.kernel.setting_types import (
    MAX_INTEGER,
    AreaCodes,
    Cents,
    DatabaseUrl,
    EncryptionKeys,
    LogLevel,
    Origin,
    Origins,
    Port,
    Rate,
    Seconds,
    Secret,
    StripeKey,
    StripeProducts,
    StripeSecret,
    Url,
    requires,
)

PREFIX = "AGENTMESSAGE_"
MessageCarrier = Literal["", "smpp", "bandwidth"]


class BadSetting(Exception):
    """Settings that cannot be used: names, values (never of a secret) and what they must be."""


class Settings(Struct, frozen=True, kw_only=True):
    """Every setting. Its environment name is `AGENTMESSAGE_<NAME>`, but `DATABASE_URL` has no prefix.

    Without carrier credentials every organization's carrier is the simulator.
    """

    database_url: DatabaseUrl = ""
    """The Postgres database to use; `agentmessage up` brings its own."""
    host: str = "127.0.0.1"
    """Address that the API listens on."""
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8080
    """Port that the API listens on; 0 is any free one."""
    public_url: Url = ""
    """Address at which carriers and the registry reach callbacks, and contacts the consent form.

    Empty: `http://HOST:PORT`. It must be exactly the address that they call: the registry's signature covers it.
    """
    api_pool_size: Annotated[int, Meta(ge=1, le=1_000)] = 16
    """Database connections of one API process, for each cell."""
    worker_pool_size: Annotated[int, Meta(ge=2, le=1_000)] = 12
    """Database connections of one worker, for each cell."""
    statement_timeout_seconds: Annotated[int, Meta(ge=1, le=300)] = 5
    """Time limit of an API statement, and of its wait for a connection; then 503. Workers have 60 seconds."""
    log_level: LogLevel = "info"
    """Lowest level of the log lines that are written."""
    log_format: Literal["auto", "json", "text"] = "auto"
    """`json` writes one object a line, `text` lines for people; `auto` is `text` at a terminal, else `json`."""
    access_log: bool = False
    """Log one line for each request: method, path without query, status, time, client, request id."""
    cors_origin: Origin = ""
    """One origin whose pages may call the API from a browser; empty: none."""
    encryption_key: EncryptionKeys = ""
    """Encrypts tax ids and stored secrets; newest key first."""
    simulator_url: Url = "http://127.0.0.1:8090"
    """Address of the simulator."""
    simulator_smpp_port: Port = 2775
    """Port of the simulator's SMSC, on the host of `AGENTMESSAGE_SIMULATOR_URL`."""
    bandwidth_url: Url = "https://dashboard.bandwidth.com"
    """Bandwidth's XML API."""
    bandwidth_messaging_url: Url = "https://messaging.bandwidth.com"
    """Bandwidth's messaging API."""
    bandwidth_application_id: str = ""
    """Messaging application that messages are sent under.

    Its callbacks go to `PUBLIC_URL/callbacks/messages/live` with the callback credentials.
    """
    bandwidth_platform_url: Url = "https://api.bandwidth.com"
    """Bandwidth's JSON API."""
    bandwidth_account_id: str = ""
    """Your account at Bandwidth."""
    bandwidth_username: Annotated[
        str, requires("bandwidth_password", "bandwidth_account_id", "bandwidth_site_id", "tcr_api_key")
    ] = ""
    """An API user at Bandwidth. **If it is set, live keys buy real numbers.**"""
    bandwidth_password: Secret = ""
    """Password of the API user."""
    bandwidth_site_id: str = ""
    """Sub-account that numbers are ordered into."""
    bandwidth_peer_id: str = ""
    """Location within the sub-account."""
    tcr_url: Url = "https://csp-api.campaignregistry.com"
    """API of The Campaign Registry."""
    tcr_api_key: Annotated[str, requires("tcr_api_secret", "bandwidth_username")] = ""
    """Your CSP key at the registry."""
    tcr_api_secret: Secret = ""
    """Secret of the CSP key; it also verifies the registry's callbacks."""
    tcr_upstream_cnp_id: str = "BANDW"
    """Partner that campaigns are shared with, by the registry's name."""
    live_message_carrier: MessageCarrier = ""
    """Carrier of live messages; empty: `smpp` if `AGENTMESSAGE_SMPP_HOST` is set, else the carrier of the numbers."""
    sandbox_message_carrier: MessageCarrier = ""
    """Protocol between the platform and the simulator; empty: `smpp`."""
    smpp_host: str = ""
    """Host of a carrier's SMSC. **If it is set, live messages go to real phones.**"""
    smpp_port: Port = 2775
    """Port of the SMSC."""
    smpp_system_id: str = ""
    """User name at the SMSC."""
    smpp_password: Secret = ""
    """Password at the SMSC; SMPP allows at most 8 characters."""
    smpp_system_type: str = ""
    """System type, as the carrier requires it."""
    smpp_tls: bool = False
    """Connect to the SMSC over TLS."""
    smpp_binds: Annotated[int, Meta(ge=1, le=64)] = 1
    """Connections of each worker."""
    smpp_window: Annotated[int, Meta(ge=1, le=1_000)] = 100
    """Unanswered submissions of each connection: the most that a crash leaves unknown."""
    smpp_gsm_packing: Literal["unpacked", "packed"] = "unpacked"
    """Whether septets of the GSM alphabet are packed into octets."""
    smpp_default_alphabet: Literal["gsm", "latin1", "ascii"] = "gsm"
    """Alphabet of data_coding 0 at the carrier, in both directions: `gsm`, `latin1` (ISO 8859-1), `ascii`.

    API and worker need the same value, because it decides segments and prices of live messages. With a wrong value
    `@` arrives as another character; octets that are no septets become `�` and count as unparsed responses.
    """
    smpp_concatenation: Literal["udh8", "udh16", "payload"] = "udh8"
    """How long messages are split: `udh8`, `udh16` (its header takes one octet more), `payload` (the carrier splits).

    API and worker need the same value, because it decides segments and prices of live messages.
    """
    smpp_message_id_format: Literal["auto", "as_is", "hex_answers", "hex_receipts"] = "auto"
    """How message ids in responses and receipts compare: `as_is`, `hex_answers` (decimal in receipts), `hex_receipts`.

    `auto` learns it from the receipts that match a message.
    """
    max_segments_per_second: Rate = 0
    """Rate limit of the live carrier account, all workers together; 0: what the carrier accepts."""
    max_segments_per_number_per_minute: Rate = 0
    """Rate limit of each number; 0: what the campaign's class allows."""
    tmobile_daily_cap_mode: Literal["lookup", "all", "off"] = "lookup"
    """Recipients that T-Mobile's daily cap of a brand counts: `lookup` counts numbers that a lookup says are theirs."""
    receipt_timeout_hours: Annotated[int, Meta(ge=1, le=720)] = 72
    """A sent message without a receipt becomes `undelivered` (`receipt_timeout`); a later receipt still counts."""
    resend_unknown_outcomes: bool = False
    """Send a message again if its outcome is unknown: duplicates are then possible instead of losses."""
    callback_username: str = "agentmessage"
    """User name that carriers send with callbacks."""
    callback_password: Secret = ""
    """Password that carriers send with callbacks; empty: derived from the newest encryption key."""
    max_carrier_writes_per_minute: Rate = 0
    """Calls of one carrier account, all workers together; 0: 30 at Bandwidth, no limit at the simulator."""
    reconcile_batch_size: Annotated[int, Meta(ge=1, le=1_000)] = 500
    """Most numbers of one order at the carrier."""
    reconcile_deadline_seconds: Seconds = 129_600
    """Time that mobile operators have; then the binding is read again, retried once, and `failed`."""
    reconcile_sweep_interval_seconds: Seconds = 900
    """Time between two drift sweeps of a real carrier account."""
    reconcile_max_repair_percent: Annotated[int, Meta(ge=0, le=100)] = 5
    """Share of an account that one sweep may repair; ten numbers are always allowed.

    If more differs, the platform distrusts the carrier's listing and repairs nothing.
    """
    drift_grace_seconds: Annotated[int, Meta(ge=0, le=MAX_INTEGER)] = 900
    """Time that a binding must be missing before the platform believes it."""
    stripe_secret_key: Annotated[StripeKey, requires("stripe_webhook_secret")] = ""
    """Secret or restricted key of your Stripe account; empty: no cards. **A live key takes real money.**"""
    stripe_webhook_secret: Annotated[StripeSecret, requires("stripe_secret_key")] = ""
    """Signing secret of the Stripe endpoint at `PUBLIC_URL/callbacks/stripe`."""
    stripe_url: Url = "https://api.stripe.com"
    """Stripe's API."""
    stripe_products: StripeProducts = ""
    """Stripe products that top-ups are recorded under."""
    stripe_portal_return_origins: Origins = ""
    """Origins that the customer portal may return to; empty: the portal is rejected."""
    min_topup_cents: Cents = 0
    """Balance that a top-up must reach, else 402; 0: no minimum."""
    order_wait_seconds: Annotated[int, Meta(ge=0, le=300)] = 20
    """Time that a number order waits for the carrier within the request."""
    quarantine_days: Annotated[int, Meta(ge=0, le=3_650)] = 30
    """Time that a released number rests before it can be sold again."""
    signup_credit_cents: Cents = 500
    """Credit of a new organization."""
    idempotency_hours: Annotated[int, Meta(ge=1, le=8_760)] = 24
    """Time that the response of an `Idempotency-Key` is stored."""
    max_consent_captures_per_minute: Annotated[int, Meta(ge=1, le=1_000_000)] = 6_000
    """Consents that one organization may record; a bulk request counts each record."""
    double_opt_in_hours: Annotated[int, Meta(ge=1, le=720)] = 24
    """Time that a double opt-in waits for YES."""
    consent_form_link_seconds: Annotated[int, Meta(ge=60, le=2_592_000)] = 3_600
    """Validity of a link to the hosted consent form."""
    area_codes: AreaCodes = ""
    """US area codes newer than the table `sms/area_codes.toml`, each with the code whose area it shares.

    They get the hours of its state and its time zones. A number without a state counts as anywhere from Eastern to
    Pacific.
    """
    trusted_proxy_count: Annotated[int, Meta(ge=0, le=16)] = 0
    """Proxies of yours in front of the API.

    The client's address is then taken from `X-Forwarded-For`, counted from the right; 0 uses the connection's own.
    """
    require_propagation: bool = True
    """A number sends only after its carrier has confirmed the campaign; `false` risks rejection by the operators."""
    mms_enabled: bool = True
    """Accept and send media."""
    media_dir: str = "var/media"
    """Directory of uploaded files, unless `AGENTMESSAGE_MEDIA_S3_URL` is set; `up` uses its data directory.

    API and worker processes of several machines need one shared directory, or a bucket.
    """
    wallet_floor_cents: int = -1000
    """Inbound messages that would take a wallet below this are stored, published and applied, and free."""
    media_max_files: int = 10_000
    """Files of one organization; beyond that an upload is rejected with 422 `MEDIA_QUOTA_EXCEEDED`."""
    media_max_bytes: int = 1_073_741_824
    """Bytes of all files of one organization."""
    media_s3_url: Annotated[Url, requires("media_s3_bucket", "media_s3_access_key", "media_s3_secret_key")] = ""
    """An S3-compatible service for uploaded files, in place of the directory."""
    media_s3_bucket: str = ""
    """Bucket, which must exist; it need not be public."""
    media_s3_region: str = "us-east-1"
    """Region, which is part of the signature."""
    media_s3_access_key: str = ""
    """Access key of the service."""
    media_s3_secret_key: Secret = ""
    """Secret key of the service."""
    webhook_allow_private: bool = False
    """Webhooks may go to private addresses and over plain `http`: development only."""
    page_check_allow_private: bool = False
    """Campaign review may request pages on private addresses: development only."""

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
