"""One request to a receiver: signed, bounded in time and size, and never more than one word about our own network."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from standardwebhooks import Webhook

from agentmessage.kernel.ids import new_id
from agentmessage.webhooks.http_sender import Sender
from agentmessage.webhooks.model import EXCERPT_CHARS, MAX_ANSWER_BYTES, OutgoingRequest
from tests.make.receivers import Heard, Receiver, drip, hang, receiver, status
from tests.smpp.lines import certificate

NO_END = "the answer has no end: more than 64 KiB, or more than 8 interim answers"
NEW, OLD = b"n" * 32, b"o" * 32


@pytest.fixture
async def sink() -> AsyncIterator[Receiver]:
    async with receiver() as one:
        yield one


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    one = Sender(allow_private=True, timeout_s=1.0)
    yield one
    await one.close()


def request(url: str, *, event_id: UUID | None = None, secrets: tuple[bytes, ...] = (NEW,)) -> OutgoingRequest:
    return OutgoingRequest(event_id=event_id or new_id(), url=url, body=b'{"type":"webhook.test"}', secrets=secrets)


async def test_a_letter_verifies_with_the_public_library_by_either_secret(sink: Receiver, sender: Sender) -> None:
    reply = await sender.send(request(sink.url(), secrets=(NEW, OLD)))

    (heard,) = await sink.until(1)
    assert heard.headers["x-amcore-signature"].count("v1=") == 1
    for secret in (NEW, OLD):
        verified = Webhook(base64.b64encode(secret).decode()).verify(heard.body, dict(heard.headers))
        assert verified == json.loads(heard.body)
    assert (reply.status, reply.excerpt, reply.error, reply.is_success) == (200, "ok", None, True)
    assert {name.lower(): value for name, value in reply.headers.items()}.items() <= heard.headers.items()


@pytest.mark.parametrize(
    "path",
    ["/in?x-signature=rX7A%2FXCC2w%3D", "/p?", "/%7Euser/../x//y?[z]=%2c&&", "/?q=a+b%20c%zz", "/a;b=@:!$'()*,{}|^`"],
)
async def test_the_request_line_is_byte_for_byte_the_url_that_was_registered(
    sink: Receiver, sender: Sender, path: str
) -> None:
    await sender.send(request(sink.url(path)))

    assert [heard.path for heard in sink.heard] == [path]


async def test_connections_are_used_again(sink: Receiver, sender: Sender) -> None:
    for _ in range(5):
        await sender.send(request(sink.url()))

    assert sink.connections == 1


async def test_a_kept_connection_that_was_closed_meanwhile_is_no_failure(sink: Receiver, sender: Sender) -> None:
    async def once_then_close(heard: Heard, writer: asyncio.StreamWriter) -> None:
        if len(sink.heard) == 2:
            writer.close()
        else:
            await status(200)(heard, writer)

    sink.answers["/ok"] = once_then_close
    await sender.send(request(sink.url()))

    assert (await sender.send(request(sink.url()))).status == 200
    assert len(sink.heard) == 3


async def test_a_receiver_that_hangs_is_left_after_the_time_out(sink: Receiver, sender: Sender) -> None:
    sink.answers["/hang"] = hang

    reply = await sender.send(request(sink.url("/hang")))

    assert reply.status is None
    assert reply.error == "timed out: no complete answer within 10 s"
    assert 900 <= reply.time_ms < 3_000


async def test_an_answer_that_drips_is_no_success(sink: Receiver, sender: Sender) -> None:
    sink.answers["/drip"] = drip

    reply = await sender.send(request(sink.url("/drip")))

    assert not reply.is_success
    assert reply.time_ms < 3_000


async def test_of_a_giant_answer_only_the_beginning_is_read(sink: Receiver, sender: Sender) -> None:
    taken = 0

    async def giant(_: Heard, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"\0\xff" + b"x" * 65_534)
            taken += 65_536
            await writer.drain()

    sink.answers["/giant"] = giant

    reply = await sender.send(request(sink.url("/giant")))

    assert reply.status == 200
    assert reply.excerpt is not None
    assert len(reply.excerpt) == EXCERPT_CHARS
    assert reply.excerpt.startswith("\ufffd\ufffdxxx")
    assert taken < 1_000 * MAX_ANSWER_BYTES


async def test_endless_headers_are_not_read_to_their_end(sink: Receiver, sender: Sender) -> None:
    async def endless(_: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not writer.is_closing():
            writer.write(b"x-more: " + b"x" * 4_000 + b"\r\n")
            await writer.drain()

    sink.answers["/endless"] = endless

    reply = await sender.send(request(sink.url("/endless")))

    assert reply.error in (NO_END, "the answer is not HTTP")
    assert reply.time_ms < 900


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
ENDLESS = {
    "early hints": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "early hints with a link": (b"", b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "processing": (b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "a status line": (b"HTTP/1.1 200 ", b"very "),
    "lines before the status line": (b"", b"\r\n"),
    "a header": (OK + b"x: ", b"x"),
    "headers": (OK, b"x: y\r\n"),
    "empty headers": (OK, b"x:\r\n"),
    "cookies": (OK, b"set-cookie: a=b\r\n"),
    "a chunk's extension": (CHUNKED + b"1;", b"x"),
    "chunks' extensions": (CHUNKED, b"1;x=yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\nx\r\n"),
    "a chunk's size": (CHUNKED, b"0"),
    "a trailer": (CHUNKED + b"0\r\nx: ", b"x"),
    "trailers": (CHUNKED + b"0\r\n", b"x: y\r\n"),
}


@pytest.mark.parametrize("what", ENDLESS)
async def test_an_answer_without_end_is_broken_off(sink: Receiver, what: str) -> None:
    """Far below what it takes to fill sockets' buffers, and long before the time is over."""
    begin, again = ENDLESS[what]
    taken = 0

    async def endless(_: Heard, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        writer.write(begin)
        while not writer.is_closing():
            writer.write(again * (65_536 // len(again)))
            taken += 65_536
            await writer.drain()

    sink.answers["/endless"] = endless
    sender = Sender(allow_private=True)

    reply = await sender.send(request(sink.url("/endless")))
    await sender.close()

    assert reply.status is None
    assert reply.error in (NO_END, "the answer is not HTTP", "the answer broke off")
    assert reply.time_ms < 5_000
    assert taken < 32 * 1_048_576


@pytest.mark.parametrize("what", ["early hints", "continue", "processing"])
async def test_the_ninth_interim_answer_is_one_too_many(sink: Receiver, sender: Sender, what: str) -> None:
    async def patient(heard: Heard, writer: asyncio.StreamWriter) -> None:
        for _ in range(int(heard.path[1:])):
            writer.write(ENDLESS[what][1])
            await writer.drain()
        await status(200)(heard, writer)

    sink.answers.update({"/8": patient, "/9": patient})

    assert (await sender.send(request(sink.url("/8")))).status == 200
    assert (await sender.send(request(sink.url("/8")))).status == 200
    assert sink.connections == 1
    assert (await sender.send(request(sink.url("/9")))).error == NO_END


async def test_a_body_that_is_long_only_by_its_framing_is_broken_off(sink: Receiver, sender: Sender) -> None:
    """16 KiB of a body are enough to be an answer; 64 KiB of anything else are not."""

    async def framed(heard: Heard, writer: asyncio.StreamWriter) -> None:
        size = int(heard.path[1:])
        writer.write(CHUNKED + b"".join(b"1;%b\r\nx\r\n" % (b"y" * 60) for _ in range(size)) + b"0\r\n\r\n")

    sink.answers.update({"/100": framed, "/4000": framed})

    assert (await sender.send(request(sink.url("/100")))).status == 200
    assert (await sender.send(request(sink.url("/4000")))).error == NO_END


async def test_a_connection_on_which_more_comes_than_was_asked_for_is_not_used_again(
    sink: Receiver, sender: Sender
) -> None:
    async def and_more(heard: Heard, writer: asyncio.StreamWriter) -> None:
        await status(200)(heard, writer)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnext")

    sink.answers["/ok"] = and_more

    replies = [await sender.send(request(sink.url())) for _ in range(3)]

    assert [reply.excerpt for reply in replies] == ["ok"] * 3


async def test_redirects_are_not_followed(sink: Receiver, sender: Sender) -> None:
    sink.answers["/moved"] = status(302, location="/ok")

    reply = await sender.send(request(sink.url("/moved")))

    assert (reply.status, reply.is_success) == (302, False)
    assert sink.on("/ok") == []


async def test_cookies_of_one_answer_are_not_sent_with_the_next(sink: Receiver, sender: Sender) -> None:
    sink.answers["/ok"] = status(200, set_cookie="a=b; Path=/")

    for _ in range(2):
        await sender.send(request(sink.url()))

    assert all("cookie" not in heard.headers for heard in sink.heard)


async def test_the_environment_names_no_proxy_for_us(
    sink: Receiver, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    assert (await sender.send(request(sink.url()))).status == 200


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://user:secret@127.0.0.1/", "the URL carries a user name"),
        ("ftp://127.0.0.1/", "the URL is not https"),
        ("https:///nowhere", "the URL names no host"),
        ("https://a..b:99999999/", "the URL is not well-formed"),
        ("http://127.0.0.1:1/", "connection refused"),
        ("http://nobody.invalid/", "the host name is not known"),
    ],
)
async def test_what_cannot_be_asked_is_said_in_few_words(url: str, words: str, sender: Sender) -> None:
    reply = await sender.send(request(url))

    assert (reply.status, reply.error) == (None, words)


async def test_plain_http_is_for_development_only(sink: Receiver) -> None:
    sender = Sender()

    reply = await sender.send(request(sink.url()))

    assert reply.error == "the URL is not https"
    assert sink.connections == 0
    await sender.close()


async def test_a_server_whose_certificate_nobody_vouches_for_is_not_told(sender: Sender, tmp_path: Path) -> None:
    own, _ = certificate(tmp_path)
    async with receiver(tls=own) as sink:
        reply = await sender.send(request(sink.url().replace("http:", "https:")))

        assert reply.error == "TLS: self-signed certificate"
        assert sink.heard == []


async def test_what_is_not_http_is_a_failure(sink: Receiver, sender: Sender) -> None:
    async def babble(_: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 smtp ready\r\n\r\n")

    sink.answers["/ok"] = babble

    assert (await sender.send(request(sink.url()))).error == "the answer is not HTTP"
