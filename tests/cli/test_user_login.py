"""`agentmessage login`, `logout`, `whoami`: a key is kept for its owner alone, and what the environment says wins."""

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import Customer
from tests.cli.terminal import Terminal
from tests.sdk.served import Served


def log_in(terminal: Terminal, customer: Customer, *words: str) -> Any:
    return terminal("login", "--base-url", customer.platform.base_url, *words, stdin=f"{customer.account.key}\n")


def test_a_key_is_checked_and_kept_for_its_owner_alone(bare: Terminal, customer: Customer) -> None:
    ended = log_in(bare, customer, "--json")

    file = bare.home / "agentmessage" / "credentials.json"
    assert ended.json["organization"] == "Acme"
    assert ended.json["key_prefix"] == customer.account.key[:12]
    assert customer.account.key not in ended.out + ended.err
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert json.loads(file.read_bytes())["profiles"]["default"]["api_key"] == customer.account.key
    assert bare("numbers", "list", "--json").json == []


def test_a_wrong_key_is_not_kept(bare: Terminal, platform: Served) -> None:
    ended = bare("login", "--base-url", platform.base_url, stdin="am_live_nobodyknowsthiskey\n")

    assert ended.status == 4
    assert ended.err.startswith("agentmessage: UNAUTHORIZED (401): authentication failed.")
    assert not (bare.home / "agentmessage" / "credentials.json").exists()


def test_without_a_key_on_standard_input_nothing_is_asked(bare: Terminal) -> None:
    ended = bare("login", stdin="")

    assert (ended.status, ended.err) == (4, "agentmessage: No API key on standard input\n")


def test_a_key_that_may_not_read_its_organization_is_a_key(
    bare: Terminal, open_customer: Callable[..., Customer]
) -> None:
    ended = log_in(bare, open_customer(scopes=["messages:send"]), "--json")

    assert ended.json["organization"] is None


def test_a_file_that_others_can_read_is_refused(bare: Terminal, customer: Customer) -> None:
    log_in(bare, customer)
    file = bare.home / "agentmessage" / "credentials.json"
    file.chmod(0o640)

    ended = bare("whoami")

    assert (ended.status, ended.out) == (2, "")
    assert ended.err == f"agentmessage: {file} holds keys and others can read it; run `chmod 600 {file}`\n"


def test_a_file_that_is_broken_is_said_to_be(bare: Terminal, customer: Customer) -> None:
    log_in(bare, customer)
    (bare.home / "agentmessage" / "credentials.json").write_text("{")

    ended = bare("whoami")

    assert ended.status == 1
    assert "remove it and run `agentmessage login`" in ended.err


def test_profiles_are_kept_apart(bare: Terminal, open_customer: Callable[..., Customer]) -> None:
    log_in(bare, open_customer(name="First"))
    log_in(bare, open_customer(name="Second"), "--profile", "second")

    assert bare("whoami", "--json").json["organization"] == "First"
    assert bare("whoami", "--profile", "second", "--json").json["organization"] == "Second"
    bare.environment["AGENTMESSAGE_PROFILE"] = "second"
    assert bare("whoami", "--json").json["key_from"] == "profile second"


def test_what_the_environment_says_wins(bare: Terminal, open_customer: Callable[..., Customer]) -> None:
    stored, named = open_customer(name="Stored"), open_customer(name="Named")
    log_in(bare, stored)

    bare.environment["AGENTMESSAGE_API_KEY"] = named.account.key
    bare.environment["AGENTMESSAGE_BASE_URL"] = named.platform.base_url

    shown = bare("whoami", "--json").json
    assert (shown["organization"], shown["key_from"]) == ("Named", "AGENTMESSAGE_API_KEY")


def test_after_logout_the_key_is_gone(bare: Terminal, customer: Customer) -> None:
    log_in(bare, customer)

    assert bare("logout", "--json").json == {"forgotten": "default"}

    assert customer.account.key not in (bare.home / "agentmessage" / "credentials.json").read_text()
    ended = bare("whoami")
    assert ended.status == 4
    assert ended.err == "agentmessage: There is no API key; run `agentmessage login`, or set AGENTMESSAGE_API_KEY\n"
    assert bare("logout").status == 1


def test_a_profile_that_is_not_there_says_how_to_make_it(bare: Terminal) -> None:
    ended = bare("numbers", "list", "--profile", "work")

    assert ended.status == 4
    assert "run `agentmessage login --profile work`" in ended.err


def test_a_platform_that_is_away_is_status_3(bare: Terminal) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"

        ended = bare("login", "--base-url", url, stdin="am_live_anything\n")

    assert ended.status == 3
    assert ended.err.startswith("agentmessage: No response after 4 tries")
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize("url", ["nonsense", "ftp://sms.example.com"])
def test_an_address_that_cannot_be_one_is_misuse(bare: Terminal, url: str) -> None:
    ended = bare("login", "--base-url", url, stdin="am_live_anything\n")

    assert ended.status == 2
    assert "is not the address of a platform" in ended.err


def test_a_key_that_would_go_unencrypted_is_pointed_out(bare: Terminal) -> None:
    bare.environment["no_proxy"] = "*"

    ended = bare("login", "--base-url", "http://sms.invalid:9", stdin="am_live_anything\n")

    assert "is not encrypted" in ended.err
    assert ended.status == 3
