"""A setting that cannot be used ends the process before it starts anything, in one sentence that names it."""

import base64
import re
import subprocess
import sys
from pathlib import Path

import pytest

import agentmessage
from agentmessage.settings import CLIENT_VARIABLES, PREFIX, RETIRED, BadSetting, Settings, read_settings

SOURCE = Path(agentmessage.__file__).parent
DOCS = Path(__file__).parents[2] / "docs"
CLIENT_GUIDES = [DOCS / "guides" / "cli.md", DOCS / "guides" / "sdk.md"]
VARIABLE = re.compile(r"\bAGENTMESSAGE_[A-Z]\w*")
KEY = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("AGENTMESSAGE_PORT", "http", "a whole number"),
        ("AGENTMESSAGE_PORT", "70000", "0..65535"),
        ("AGENTMESSAGE_API_POOL_SIZE", "0", "1..1000"),
        ("AGENTMESSAGE_WORKER_POOL_SIZE", "-1", "2..1000"),
        ("AGENTMESSAGE_LOG_LEVEL", "loud", "one of debug, info, warning, error"),
        ("AGENTMESSAGE_PUBLIC_URL", "sms.example.com", "an http or https URL"),
        ("AGENTMESSAGE_SIMULATOR_URL", "ftp://127.0.0.1", "an http or https URL"),
        ("AGENTMESSAGE_BANDWIDTH_URL", "https://", "an http or https URL"),
        ("AGENTMESSAGE_TCR_URL", "https://tcr.example:port", "an http or https URL"),
        ("AGENTMESSAGE_LOG_FORMAT", "xml", "one of auto, json, text"),
        ("AGENTMESSAGE_LIVE_MESSAGE_CARRIER", "pigeon", "one of smpp, bandwidth"),
        ("AGENTMESSAGE_WALLET_FLOOR_CENTS", "low", "a whole number"),
        ("AGENTMESSAGE_AREA_CODES", "436=44", "area codes and the ones whose area they share, as 436=440,283=513"),
        ("AGENTMESSAGE_CORS_ORIGIN", "https://app.example/", "one origin such as https://app.example"),
        ("AGENTMESSAGE_RECONCILE_BATCH_SIZE", "1001", "1..1000"),
        ("AGENTMESSAGE_RECONCILE_MAX_REPAIR_PERCENT", "101", "0..100"),
        ("AGENTMESSAGE_QUARANTINE_DAYS", "-1", "0..3650"),
        ("AGENTMESSAGE_PAGE_CHECK_ALLOW_PRIVATE", "maybe", "true or false"),
    ],
)
def test_a_bad_value_is_shown_with_what_it_must_be(name: str, value: str, wanted: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name} is '.*', but must be ") as caught:
        read_settings({name: value})

    assert str(caught.value) == f"{name} is {value!r}, but must be {wanted}."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://user:secret@host/name"),
        ("AGENTMESSAGE_ENCRYPTION_KEY", "c2VjcmV0"),
        ("AGENTMESSAGE_ENCRYPTION_KEY", f"{KEY},secret"),
    ],
)
def test_a_bad_secret_is_named_and_not_shown(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name} is \\(hidden\\), but must be ") as caught:
        read_settings({name: value})

    assert "ecret" not in str(caught.value)
    assert "c2VjcmV0" not in str(caught.value)


def test_half_of_the_credentials_of_a_carrier_are_refused() -> None:
    with pytest.raises(BadSetting, match="AGENTMESSAGE_BANDWIDTH_USERNAME is set, but AGENTMESSAGE_BANDWIDTH_PASSWORD"):
        read_settings({"AGENTMESSAGE_BANDWIDTH_USERNAME": "someone"})
    with pytest.raises(BadSetting, match="AGENTMESSAGE_TCR_API_KEY is set, but AGENTMESSAGE_TCR_API_SECRET"):
        read_settings({"AGENTMESSAGE_TCR_API_KEY": "something"})


def test_every_bad_one_is_named_at_once() -> None:
    with pytest.raises(BadSetting) as caught:
        read_settings({"AGENTMESSAGE_PORT": "x", "AGENTMESSAGE_NOBODY": "1", "AGENTMESSAGE_ORDER_WAIT_SECONDS": "-5"})

    assert [part.split()[0] for part in str(caught.value).split("; ")] == [
        "AGENTMESSAGE_NOBODY",
        "AGENTMESSAGE_ORDER_WAIT_SECONDS",
        "AGENTMESSAGE_PORT",
    ]


@pytest.mark.parametrize("retired", RETIRED)
def test_a_retired_name_is_refused_with_the_one_that_took_its_place(retired: str) -> None:
    """An operator's environment is never ignored without a word."""
    with pytest.raises(BadSetting) as caught:
        read_settings({PREFIX + retired: "1"})

    assert str(caught.value) == f"{PREFIX}{retired} is now called {PREFIX}{RETIRED[retired]}."


def test_a_retired_name_leads_to_a_setting_and_is_none() -> None:
    names = {name.upper() for name in Settings.__struct_fields__}

    assert names >= set(RETIRED.values())
    assert names.isdisjoint(RETIRED)


def test_units_are_spelled_out() -> None:
    """`_SECONDS`, `_HOURS`, `_PER_MINUTE`, `_BYTES`: one style for all."""
    short = {"s", "sec", "secs", "h", "min", "mins", "ms", "kb", "mb", "mib", "gib"}

    assert [name for name in Settings.__struct_fields__ if name.rpartition("_")[2] in short] == []


def test_a_shell_that_is_set_up_for_the_client_can_start_the_platform() -> None:
    """The guides of the client name variables; none of them is a mistake in the platform's environment."""
    named = {name for page in CLIENT_GUIDES for name in VARIABLE.findall(page.read_text())}

    settings = read_settings(dict.fromkeys(named, "value"))

    assert named >= {"AGENTMESSAGE_API_KEY", "AGENTMESSAGE_BASE_URL", "AGENTMESSAGE_PROFILE"}
    assert settings == read_settings({})


def test_the_variables_of_the_client_are_those_that_its_code_reads() -> None:
    read = {
        name
        for room in ("cli", "sdk")
        for file in (SOURCE / room).rglob("*.py")
        for name in re.findall(r'"(AGENTMESSAGE_[A-Z_]+)"', file.read_text())
    }

    assert read == CLIENT_VARIABLES


def test_usual_values_are_taken() -> None:
    settings = read_settings(
        {
            "DATABASE_URL": "postgresql:///agentmessage?host=/run/postgresql",
            "AGENTMESSAGE_PUBLIC_URL": "https://sms.example.com:8443/agentmessage",
            "AGENTMESSAGE_CORS_ORIGIN": "https://app.example:3000",
            "AGENTMESSAGE_LOG_LEVEL": "WARNING",
            "AGENTMESSAGE_ENCRYPTION_KEY": f"{KEY},{KEY}",
            "AGENTMESSAGE_BANDWIDTH_USERNAME": "api",
            "AGENTMESSAGE_BANDWIDTH_PASSWORD": "p",
            "AGENTMESSAGE_BANDWIDTH_ACCOUNT_ID": "1",
            "AGENTMESSAGE_BANDWIDTH_SITE_ID": "2",
            "AGENTMESSAGE_TCR_API_KEY": "k",
            "AGENTMESSAGE_TCR_API_SECRET": "s",
            "HOME": "/root",
        }
    )

    assert settings.has_carrier_credentials
    assert settings.cors_origin == "https://app.example:3000"


def test_a_data_directory_that_cannot_be_one_is_named_in_one_line(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.touch()
    command = [sys.executable, "-m", "agentmessage", "up", "--data-dir", str(taken)]

    ended = subprocess.run(command, env={}, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - ours

    assert ended.returncode == 1
    assert ended.stderr == f"agentmessage: Cannot use {taken}: File exists\n"


def test_a_command_ends_with_one_line_and_status_2() -> None:
    command = [sys.executable, "-m", "agentmessage", "up"]

    ended = subprocess.run(  # noqa: S603 - our own command
        command, env={"AGENTMESSAGE_API_POOL_SIZE": "0"}, capture_output=True, text=True, check=False, timeout=60
    )

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr == "agentmessage: AGENTMESSAGE_API_POOL_SIZE is '0', but must be 1..1000.\n"
