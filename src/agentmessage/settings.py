"""The environment, read once into a frozen object; a bad value is one clear sentence at start."""

import os
from collections.abc import Mapping

import msgspec
from msgspec import Struct


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
    log_level: str = "info"
    cors_origin: str = ""  # one origin whose pages may call the API, as https://app.example; empty: none
    seal_key: str = ""  # base64 of 32 bytes: seals tax ids and stored credentials
    simulator_url: str = "http://127.0.0.1:8090"
    bandwidth_url: str = "https://dashboard.bandwidth.com"
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
    callback_username: str = "agentmessage"
    callback_password: str = ""  # Basic credentials that carriers must show; empty: derived from seal_key
    carrier_writes_per_min: int = 0  # 0: the adapter's own budget (30 a minute at Bandwidth, none at the simulator)
    reconcile_batch: int = 500
    reconcile_deadline_s: int = 129_600  # 36 h
    reconcile_sweep_s: int = 900
    reconcile_heal_percent: int = 5
    drift_grace_s: int = 900
    order_wait_s: int = 20
    quarantine_days: int = 30
    signup_credit_cents: int = 500
    idempotency_hours: int = 24
    page_check_allow_private: bool = False  # campaign review may ask web pages on private addresses: development only

    @property
    def has_carrier_credentials(self) -> bool:
        """A real carrier is configured for live organizations."""
        return bool(self.bandwidth_username)


PREFIX = "AGENTMESSAGE_"
WORDS = {int: "a whole number", bool: "true or false", str: "text"}
SECRETS = frozenset({"database_url", "seal_key", "bandwidth_password", "tcr_api_secret", "callback_password"})


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment. Raises BadSetting, naming every bad one."""
    environment = os.environ if environment is None else environment
    values: dict[str, object] = {}
    faults: list[str] = []
    types = {f.name: f.type for f in msgspec.structs.fields(Settings)}
    for name, kind in types.items():
        key = "DATABASE_URL" if name == "database_url" else PREFIX + name.upper()
        text = environment.get(key, "")
        if not text:
            continue
        try:
            values[name] = msgspec.convert(text, kind, strict=False)
        except msgspec.ValidationError:
            shown = "(hidden)" if name in SECRETS else repr(text)
            faults.append(f"{key} is {shown}, but must be {WORDS[kind]}")
    known = {PREFIX + name.upper() for name in types}
    faults += [f"{key} is not a setting" for key in environment if key.startswith(PREFIX) and key not in known]
    if faults:
        raise BadSetting("; ".join(sorted(faults)) + ".")
    return msgspec.convert(values, Settings)
