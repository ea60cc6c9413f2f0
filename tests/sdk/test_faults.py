"""What the client does when the wire or the platform fails it; the platform is real, the faults are the wire's."""

import json
import operator
import socket
from typing import Any
from uuid import uuid4

import pytest

from agentmessage.sdk import (
    AgentMessageError,
    APIConnectionError,
    APIError,
    APITimeoutError,
    ClientClosedError,
    ConfigurationError,
    InvalidArgumentError,
    InvalidResponseError,
    errors,
)
from tests.make.texts import CONTACT, insert_consent, insert_sender
from tests.sdk.conftest import Clients
from tests.sdk.faults import Canned, Fault, Wire
from tests.sdk.served import Served


@pytest.fixture(scope="module")
def number(platform: Served) -> str:
    """A number that may text CONTACT."""

    async def insert() -> Any:
        db = await platform.cells.cell("cell_00")
        found = await insert_sender(db, platform.account.tenant, "+14155550177")
        await insert_consent(db, platform.account.tenant, found, CONTACT)
        return found.number

    return platform.do(insert())


def refused(status: int, code: str, **headers: str) -> Canned:
    """A refusal as the platform prints it."""
    body = {"success": False, "error": {"code": code, "message": "later", "request_id": "01JTBQH2FZ8K1RXC0WJ4Z9P3VM"}}
    return Canned.answer(status, body=json.dumps(body).encode(), Content_Type="application/json", **headers)


def keys_of(line: Wire) -> list[bytes]:
    """The Idempotency-Key of each request that reached the wire."""
    named = (row.partition(b":") for head in line.heads for row in head.split(b"\r\n"))
    return [value.strip() for name, _, value in named if name.lower() == b"idempotency-key"]


async def test_a_text_is_sent_once_though_the_answer_was_lost_twice(clients: Clients, line: Wire, number: str) -> None:
    """The platform had committed before the connection was cut; the key makes the repetition harmless."""
    both, tag = clients(base_url=line.base_url), uuid4().hex
    line.faults.extend([Fault.CUT_AFTER, Fault.CUT_AFTER])

    sent = await both(both.client.messages.send(from_=number, to=CONTACT, text="Once", tag=tag))
    stored = await both.every((await both(both.client.messages.list(tag=tag))).all())

    assert [message.id for message in stored] == [sent.id]
    assert sent.http.is_replay
    keys = keys_of(line)
    assert len(keys) == 3
    assert len(set(keys)) == 1


async def test_two_texts_alike_are_two_texts(clients: Clients, line: Wire, number: str) -> None:
    both, tag = clients(base_url=line.base_url), uuid4().hex

    for _ in range(2):
        await both(both.client.messages.send(from_=number, to=CONTACT, text="Twice", tag=tag))

    assert len(await both(both.client.messages.list(tag=tag))) == 2


async def test_a_key_of_ones_own_repeats_over_programs(clients: Clients, number: str) -> None:
    first, second, key = clients(), clients(), uuid4().hex

    sent = await first(first.client.messages.send(from_=number, to=CONTACT, text="Hi", idempotency_key=key))
    again = await second(second.client.messages.send(from_=number, to=CONTACT, text="Hi", idempotency_key=key))

    assert (again.id, again.http.is_replay, sent.http.is_replay) == (sent.id, True, False)
    with pytest.raises(errors.IdempotencyKeyReusedError):
        await second(second.client.messages.send(from_=number, to=CONTACT, text="Ho", idempotency_key=key))


@pytest.mark.parametrize(
    "answer",
    [
        refused(429, "RATE_LIMITED", Retry_After="0"),
        refused(503, "UNAVAILABLE", Retry_After="0"),
        Canned.answer(502, body=b"<html>bad gateway</html>"),
        Canned.answer(504),
    ],
    ids=["429", "503", "502", "504"],
)
async def test_what_passes_is_tried_again(clients: Clients, line: Wire, answer: Canned) -> None:
    both = clients(base_url=line.base_url)
    line.faults.extend([answer, answer])

    shown = await both(both.client.organization.get())

    assert shown.http.status == 200
    assert len(line.heads) == 3


async def test_what_does_not_pass_is_raised_after_the_last_try(clients: Clients, line: Wire) -> None:
    both = clients(base_url=line.base_url, max_retries=1)
    line.faults.extend([refused(503, "UNAVAILABLE", Retry_After="0")] * 2)

    with pytest.raises(errors.UnavailableError) as raised:
        await both(both.client.organization.get())

    assert (raised.value.status, raised.value.retry_after_s, len(line.heads)) == (503, 0, 2)


async def test_a_wait_of_an_hour_is_left_to_the_caller(clients: Clients, line: Wire) -> None:
    both = clients(base_url=line.base_url)
    line.faults.append(refused(429, "RATE_LIMITED", Retry_After="3600"))

    with pytest.raises(errors.RateLimitedError) as raised:
        await both(both.client.organization.get())

    assert (raised.value.retry_after_s, len(line.heads)) == (3600, 1)


async def test_a_refusal_is_not_tried_again(clients: Clients, line: Wire, number: str) -> None:
    both = clients(base_url=line.base_url)

    with pytest.raises(errors.ConsentRequiredError):
        await both(both.client.messages.send(from_=number, to="+14155550199", text="Hello"))

    assert len(line.heads) == 1


async def test_what_may_have_changed_something_is_not_repeated_without_a_key(clients: Clients, line: Wire) -> None:
    both = clients(base_url=line.base_url)
    line.faults.append(Fault.CUT_AFTER)

    with pytest.raises(APIConnectionError) as raised:
        await both(both.client.organization.update(name="Acme & Sons"))

    assert raised.value.may_have_happened
    assert len(line.heads) == 1
    assert (await both(both.client.organization.get())).name == "Acme & Sons"


async def test_what_certainly_did_nothing_is_repeated_without_a_key(clients: Clients, line: Wire) -> None:
    both = clients(base_url=line.base_url)
    line.faults.append(refused(429, "RATE_LIMITED", Retry_After="0"))

    renamed = await both(both.client.organization.update(name="Acme"))

    assert renamed.name == "Acme"


async def test_where_nobody_listens_the_request_certainly_did_not_happen(clients: Clients) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    both = clients(base_url=f"http://127.0.0.1:{port}", max_retries=1)

    with pytest.raises(APIConnectionError) as raised:
        await both(both.client.organization.update(name="Nobody"))

    assert not raised.value.may_have_happened
    assert "2 tries" in str(raised.value)


async def test_a_platform_that_says_nothing_is_not_waited_for_longer_than_asked(clients: Clients) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        both = clients(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_s=0.1, max_retries=0)

        with pytest.raises(APITimeoutError) as raised:
            await both(both.client.organization.get())

    assert raised.value.may_have_happened


async def test_an_answer_of_something_before_the_platform_is_an_error_of_its_status(
    clients: Clients, line: Wire
) -> None:
    both = clients(base_url=line.base_url)
    line.faults.append(Canned.answer(404, body=b"<html>no such host</html>", X_Request_Id="abc"))

    with pytest.raises(APIError) as raised:
        await both(both.client.organization.get())

    assert (raised.value.status, raised.value.code, raised.value.request_id) == (404, "HTTP_404", "abc")


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"success":true,"data":{"id":1}}'])
async def test_a_success_of_another_shape_is_not_taken_for_one(clients: Clients, line: Wire, body: bytes) -> None:
    both = clients(base_url=line.base_url)
    line.faults.append(Canned.answer(200, body=body))

    with pytest.raises(InvalidResponseError, match="does not match the contract"):
        await both(both.client.organization.get())


async def test_the_key_is_not_carried_to_where_a_redirect_points(
    clients: Clients, line: Wire, platform: Served
) -> None:
    both = clients(base_url=line.base_url)
    line.faults.append(Canned.answer(307, Location=f"{platform.base_url}/v1/organization"))

    with pytest.raises(APIError) as raised:
        await both(both.client.organization.get())

    assert raised.value.status == 307


async def test_a_closed_client_says_so(clients: Clients) -> None:
    both = clients()
    await both.close()

    with pytest.raises(ClientClosedError, match="The client is closed"):
        await both(both.client.organization.get())
    with pytest.raises(ClientClosedError):
        await both.next(both.client.events.stream())


async def test_other_options_go_over_the_same_connections(clients: Clients, line: Wire) -> None:
    both = clients(base_url=line.base_url)
    hasty = both.client.with_options(max_retries=0)
    line.faults.append(refused(503, "UNAVAILABLE"))

    with pytest.raises(errors.UnavailableError):
        await both(hasty.organization.get())
    await both.close()

    with pytest.raises(ClientClosedError):
        await both(hasty.organization.get())


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"api_key": ""}, "There is no API key"),
        ({"api_key": "am_live_x\nHost: y"}, "characters that no key has"),
        ({"base_url": "sms.example.com"}, "is not the address of a platform"),
        ({"base_url": "ftp://sms.example.com"}, "is not the address of a platform"),
        ({"base_url": "https://sms.example.com\n"}, "is not the address of a platform"),
        ({"base_url": "https://sms.\texample.com"}, "is not the address of a platform"),
        ({"base_url": "https://sms.example.com /v1"}, "is not the address of a platform"),
        ({"base_url": "https://[sms.example.com"}, "is not the address of a platform"),
        ({"base_url": "https://sms.example.com:port"}, "is not the address of a platform"),
    ],
)
async def test_a_client_that_cannot_work_is_not_made(clients: Clients, given: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        clients(**given)


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "socks4://127.0.0.1:1080", "http://[::1"])
async def test_a_proxy_setting_that_cannot_be_used_is_a_sentence(
    clients: Clients, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)

    with pytest.raises(ConfigurationError, match="proxy that the environment names"):
        clients()


async def test_key_and_address_come_from_the_environment(
    clients: Clients, platform: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTMESSAGE_API_KEY", platform.account.key)
    monkeypatch.setenv("AGENTMESSAGE_BASE_URL", platform.base_url + "/")

    both = clients(api_key=None, base_url=None)

    assert both.client.base_url == platform.base_url
    assert (await both(both.client.organization.get())).id == str(platform.account.org_id)


async def test_requests_say_what_sends_them(clients: Clients, line: Wire) -> None:
    both = clients(base_url=line.base_url)

    await both(both.client.organization.get())

    assert b"agentmessage-python/0." in line.heads[0]


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("messages.send", {"from_": "+14155550177", "to": CONTACT, "text": "a\ud800b"}),
        ("messages.send", {"from_": "+14155550177", "to": CONTACT, "text": 1j}),
        ("messages.send", {"from_": "+14155550177", "to": CONTACT, "text": "a", "idempotency_key": "é"}),
        ("messages.list", {"tag": "a\ud800b"}),
        ("webhooks.get", {"webhook_id": ""}),
        ("webhooks.get", {"webhook_id": "\udcff"}),
    ],
    ids=ascii,
)
async def test_what_no_request_can_carry_is_told_and_not_sent(
    clients: Clients, line: Wire, path: str, arguments: dict[str, Any]
) -> None:
    both = clients(base_url=line.base_url)
    operation = operator.attrgetter(path)(both.client)

    with pytest.raises(InvalidArgumentError) as caught:
        await both(operation(**arguments))

    assert isinstance(caught.value, AgentMessageError)
    assert caught.value.fix
    assert line.heads == []


@pytest.mark.parametrize("kind", ["GET", "POST"])
async def test_only_a_post_is_to_be_repeated_with_its_key(clients: Clients, kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    both = clients(base_url=f"http://127.0.0.1:{port}", max_retries=0)

    call = both.client.webhooks.list if kind == "GET" else both.client.webhooks.rotate_organization_secret

    with pytest.raises(APIConnectionError) as caught:
        await both(call())

    assert ("idempotency_key" in caught.value.fix, caught.value.fix in str(caught.value)) == (kind == "POST", True)
