"""What a customer may give us to call: one form that every parser reads alike, and nothing that is plainly private."""

import pytest

from agentmessage.web.webhook_urls import MUST, MUST_BE_PUBLIC, url_error

PRIVATE = [
    "localhost", "LOCALHOST", "localhost.", "app.localhost", "printer.local", "db.internal",
    "metadata.google.internal", "nas.home.arpa", "intranet", "postgres", "127.0.0.1", "127.1", "0", "2130706433",
    "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "127.0.0.1.", "10.0.0.1", "10.1", "172.16.0.1",
    "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104 - no address to listen at
    "255.255.255.255", "224.0.0.1", "198.18.0.1",
    "192.0.2.1", "1.2.3", "08.8.8.8", "256.1.1.1", "customer.example.7", "customer.0x", "[::1]", "[::]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]", "[2002:a9fe:a9fe::]", "[ff02::1]", "[2001:db8::1]", "[1::2::3]",
]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_a_private_host_is_refused_in_every_notation(host: str) -> None:
    assert url_error(f"https://{host}/in", allow_private=False) == MUST_BE_PUBLIC
    assert url_error(f"https://{host}:8443?x", allow_private=False) == MUST_BE_PUBLIC


@pytest.mark.parametrize(
    "url",
    [
        "https://customer.example",
        "HTTPS://CUSTOMER.example/",
        "https://customer.example/",
        "https://customer.example./in",
        "https://Customer.Example:8443/in?token=a%20b&c=~",
        "https://hooks_1.customer.example/%7Euser/[x]",
        "https://xn--bcher-kva.example/in",
        "https://8.8.8.8/in",
        "https://[2606:4700:4700::1111]:443/in",
        "https://notlocalhost.example/in",
        "https://localhost.customer.example/in",
        "https://customer.example?x",
        "https://customer.example/a@b:c",
        "https://customer.example/" + "x" * 2023,
    ],
)
def test_a_public_https_url_is_taken(url: str) -> None:
    assert len(url) <= 2048
    assert url_error(url, allow_private=False) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "customer.example",
        "//customer.example/",
        "ftp://customer.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https:/customer.example/",
        "https:customer.example/",
        "https:///in",
        "https://?x",
        "https://:443/",
        "https://user@customer.example/",
        "https://user:pass@customer.example/",
        "https://@customer.example/",
        "https://customer.example\\@10.0.0.1/",
        "https://customer.example%2f@10.0.0.1/",
        "https://customer%2eexample/",
        "https://customer.example/#part",
        "https://customer.example#@10.0.0.1/",
        "https://customer.example:0/",
        "https://customer.example:65536/",
        "https://customer.example:99999/",
        "https://customer.example:https/",
        "https://customer.example:/",
        "https://customer..example/",
        "https://.customer.example/",
        "https://" + "x" * 64 + ".example/",
        "https://" + "x." * 126 + "example/",
        "https://customer.example/ in",
        " https://customer.example/",
        "https://customer.example/\n",
        "https://customer.example/\r\nx-injected: 1",
        "https://cust\tomer.example/",
        "https://customer.example/\x00",
        "https://customer.example/é",
        "https://bücher.example/",
        "https://\uff11\uff12\uff17.0.0.1/",
        "https://127\u30020\u30020\u30021/",
        "https://[::1/",
        "https://::1/",
        "https://[fe80::1%25eth0]/",
        "https://customer.example/" + "x" * 2024,
    ],
)
@pytest.mark.parametrize("allow_private", [True, False])
def test_what_is_not_exactly_a_url_is_refused(url: str, *, allow_private: bool) -> None:
    assert url_error(url, allow_private=allow_private) == MUST


@pytest.mark.parametrize(
    "url", ["http://localhost:3000/hook", "https://localhost/in", "http://127.0.0.1/", "https://10.0.0.1"]
)
def test_a_private_address_is_refused_with_the_setting_that_allows_it(url: str) -> None:
    assert "AGENTMESSAGE_WEBHOOK_ALLOW_PRIVATE=1" in (url_error(url, allow_private=False) or "")


def test_plain_http_and_private_hosts_are_for_development_only() -> None:
    assert url_error("http://customer.example/", allow_private=False) == MUST
    assert url_error("HTTP://customer.example/", allow_private=False) == MUST
    assert url_error("http://127.0.0.1:9000/in", allow_private=True) is None
    assert url_error("https://localhost/in", allow_private=True) is None
