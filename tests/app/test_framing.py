"""Where a request ends: for us, and for every proxy that may be in front. One request, one answer, or the end."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from agentmessage.app import protocol
from tests.proofs.running import until

NEXT = b"GET /next HTTP/1.1\r\nHost: b\r\n\r\n"
POST = b"POST /first HTTP/1.1\r\nHost: a\r\n"
UPGRADE = POST + b"Connection: Upgrade\r\nUpgrade: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


class Application:
    """Remembers every request that it was handed, and tells the caller what it was.

    `/early` does not read the body, `/big` answers with more than any buffer of the system holds.
    """

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, bytes, dict[bytes, bytes]]] = []
        self.left = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        body, more = b"", scope["path"] != "/early"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.left += 1
                return
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.seen.append((scope["method"], scope["path"], body, dict(scope["headers"])))
        await self.may_answer.wait()
        told = json.dumps([scope["method"], scope["path"], body.decode("latin-1")]).encode()
        told = b"x" * BIG if scope["path"] == "/big" else told
        headers = [(b"content-length", str(len(told)).encode())]
        await send(
            {"type": "http.response.start", "status": 413 if scope["path"] == "/early" else 200, "headers": headers}
        )
        await send({"type": "http.response.body", "body": told})


class Served:
    """The server, and what its application has seen."""

    def __init__(self, server: uvicorn.Server, application: Application) -> None:
        self.port: int = server.servers[0].sockets[0].getsockname()[1]
        self.application = application
        self.connections = server.server_state.connections

    @property
    def asked(self) -> list[tuple[str, str, bytes]]:
        """Method, path and body of every request so far."""
        return [request[:3] for request in self.application.seen]

    async def say(self, *parts: bytes) -> bytes:
        """Send the parts one by one; answers all that comes back until the server closes, or says nothing more."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        told = b""
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.02)
            async with asyncio.timeout(QUIET_S):
                while got := await reader.read(65_536):
                    told += got
                return told + CLOSED
        except TimeoutError:
            return told
        finally:
            writer.close()


BIG = 16_000_000
CLOSED = b"<closed>"
QUIET_S = 0.5
ANSWER = re.compile(rb"HTTP/1\.1 (?!100)(\d{3})")


def statuses(told: bytes) -> list[int]:
    return [int(status) for status in ANSWER.findall(told)]


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """The protocol of the platform on a socket, in front of an application that remembers."""
    application = Application()
    config = uvicorn.Config(
        application, http=protocol.StrictProtocol, ws="none", lifespan="off", log_config=None, port=0
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
    running = asyncio.create_task(server.serve())

    async def has_started() -> bool:
        return server.started

    await until(has_started, what="the start")
    yield Served(server, application)
    application.may_answer.set()
    server.should_exit = True
    await running


def refused(told: bytes) -> bool:
    """One enveloped refusal (MalformedRequest or the method) with a request id, and the end of the connection."""
    head, _, body = told.removesuffix(CLOSED).partition(b"\r\n\r\n")
    if not body.startswith(b"{"):
        return False
    error = json.loads(body)["error"]
    return (
        told.endswith(CLOSED)
        and statuses(told) in ([400], [405])
        and b"connection: close" in head
        and f"x-request-id: {error['request_id']}".encode() in head
    )


AMBIGUOUS = {
    "an upgrade with a body": [UPGRADE + b"Content-Length: 34\r\n\r\n", NEXT],
    "an upgrade with chunks": [UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n", NEXT],
    "an upgrade in a list": [
        POST + b"Connection: keep-alive, UPGRADE ,x\r\nUpgrade: x\r\nContent-Length: 3\r\n\r\n",
        NEXT,
    ],
    "an upgrade in a second line": [
        POST + b"connection: a\r\nconnection: uPGRADE\r\nupgrade: h2c\r\nUpgrade: x\r\nContent-Length: 3\r\n\r\n",
        NEXT,
    ],
    "an upgrade of proxies": [POST + b"Proxy-Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 3\r\n\r\n", NEXT],
    "a websocket with a body": [
        b"GET /first HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 34\r\n\r\n",
        NEXT,
    ],
    "a tunnel": [b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", NEXT],
    "a tunnel with a body": [b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", NEXT],
    "no host": [b"GET /first HTTP/1.1\r\n\r\n" + NEXT],
    "two hosts": [b"GET /first HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + NEXT],
    "two equal hosts": [b"GET /first HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n" + NEXT],
    "an empty host": [b"GET /first HTTP/1.1\r\nHost:\r\n\r\n" + NEXT],
    "a list of hosts": [b"GET /first HTTP/1.1\r\nHost: a, b\r\n\r\n" + NEXT],
    "a host with a path": [b"GET /first HTTP/1.1\r\nHost: a/b\r\n\r\n" + NEXT],
    "a host with a name in front": [b"GET /first HTTP/1.1\r\nHost: u@a\r\n\r\n" + NEXT],
    "another host in the target": [b"GET http://b/first HTTP/1.1\r\nHost: a\r\n\r\n" + NEXT],
    "a name in the target": [b"GET http://u@a/first HTTP/1.1\r\nHost: a\r\n\r\n" + NEXT],
    "another scheme": [b"GET ftp://a/first HTTP/1.1\r\nHost: a\r\n\r\n" + NEXT],
    "a fragment": [b"GET /first#x HTTP/1.1\r\nHost: a\r\n\r\n" + NEXT],
    "a star": [b"GET * HTTP/1.1\r\nHost: a\r\n\r\n" + NEXT],
    "an authority": [b"GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n" + NEXT],
    "length and chunks": [POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + NEXT],
    "chunks and length": [POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + NEXT],
    "two lengths": [POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc" + NEXT],
    "two equal lengths": [POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc" + NEXT],
    "a list of lengths": [POST + b"Content-Length: 3, 3\r\n\r\nabc" + NEXT],
    "an empty length": [POST + b"Content-Length: \r\n\r\n" + NEXT],
    "a signed length": [POST + b"Content-Length: +3\r\n\r\nabc" + NEXT],
    "two codings": [POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + NEXT],
    "a coding behind nothing": [POST + b"Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n" + NEXT],
    "chunked twice": [POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + NEXT],
    "identity": [POST + b"Transfer-Encoding: identity\r\n\r\n" + NEXT],
    "a coding nobody knows": [POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + NEXT],
    "a coding behind a tab": [POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + NEXT],
    "chunks of HTTP/1.0": [b"POST /first HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + NEXT],
    "a folded header": [POST + b"X: y\r\n z\r\n\r\n" + NEXT],
    "a folded coding": [POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + NEXT],
    "a space before the colon": [POST + b"Content-Length : 3\r\n\r\nabc" + NEXT],
    "a space before the first header": [b"GET /first HTTP/1.1\r\n Host: a\r\n\r\n" + NEXT],
    "bare line feeds": [b"GET /first HTTP/1.1\nHost: a\n\n" + NEXT],
    "one bare line feed": [POST + b"X: y\nContent-Length: 3\r\n\r\nabc" + NEXT],
    "a bare carriage return": [POST + b"X: y\rContent-Length: 3\r\n\r\nabc" + NEXT],
    "a NUL": [POST + b"X: y\x00\r\n\r\n" + NEXT],
    "HTTP/0.9": [b"GET /first\r\n\r\n" + NEXT],
    "HTTP/2 in a line": [b"GET /first HTTP/2.0\r\nHost: a\r\n\r\n" + NEXT],
    "HTTP/2": [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    "a method nobody knows": [b"BREW /first HTTP/1.1\r\nHost: a\r\n\r\n" + NEXT],
    "a method in small letters": [b"get /first HTTP/1.1\r\nHost: a\r\n\r\n" + NEXT],
    "another expectation": [POST + b"Expect: 200-ok\r\nContent-Length: 3\r\n\r\nabc" + NEXT],
    "two keys": [POST + b"Authorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n" + NEXT],
    "an extension with a line feed": [CHUNKED + b"1;a\nx\r\n0\r\n\r\n" + NEXT],
    "a chunk's size with a space": [CHUNKED + b"1 \r\nx\r\n0\r\n\r\n" + NEXT],
    "a chunk's size in C": [CHUNKED + b"0x1\r\nx\r\n0\r\n\r\n" + NEXT],
    "a chunk that is longer": [CHUNKED + b"1\r\nxx\r\n0\r\n\r\n" + NEXT],
    "chunks with line feeds": [CHUNKED + b"1\nx\n0\n\n" + NEXT],
    "a chunk of more than there are bytes": [CHUNKED + b"10000000000000001\r\nx\r\n0\r\n\r\n" + NEXT],
    "a length as trailer": [CHUNKED + b"1\r\nx\r\n0\r\nContent-Length: 5\r\n\r\n" + NEXT],
    "a close as trailer": [CHUNKED, b"1\r\nx\r\n0\r\nConnection: close\r\n\r\n" + NEXT],
    "a host as trailer": [CHUNKED, b"1\r\nx\r\n", b"0\r\nX: y\r\nHost: b\r\n\r\n" + NEXT],
}


async def test_what_could_be_read_differently_is_refused_and_nothing_behind_it_is_read(served: Served) -> None:
    told = await asyncio.gather(*(served.say(*parts) for parts in AMBIGUOUS.values()))

    assert {name: answer for name, answer in zip(AMBIGUOUS, told, strict=True) if not refused(answer)} == {}
    assert served.asked == []


async def test_byte_by_byte_is_the_same(served: Served) -> None:
    whole = UPGRADE + b"Content-Length: 34\r\n\r\n" + NEXT

    told = await served.say(*(whole[at : at + 1] for at in range(len(whole))))

    assert refused(told), told
    assert served.asked == []


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 34\r\n\r\n" + NEXT + b"..",
        b"Transfer-Encoding: chunked\r\n\r\n1f\r\n" + NEXT + b"\r\n0\r\n\r\n",
    ],
)
@pytest.mark.parametrize("pieces", [1, 2, 9])
async def test_a_client_that_would_rather_speak_http_2_is_answered_in_http_1(
    body: bytes, pieces: int, served: Served
) -> None:
    """As `curl --http2 -d` asks: one answer, to the POST with its body; then the connection is closed."""
    asks = POST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n" + body + NEXT
    size = -(-len(asks) // pieces)

    told = await served.say(*(asks[at : at + size] for at in range(0, len(asks), size)))

    assert (statuses(told), told.endswith(CLOSED)) == ([200], True)
    ((method, path, read),) = served.asked
    assert (method, path) == ("POST", "/first")
    assert read.startswith(NEXT)


@pytest.mark.parametrize("protocol_name", [b"websocket", b"h2c", b"x, y"])
async def test_an_upgrade_without_a_body_is_ignored_and_nothing_is_read_behind_it(
    protocol_name: bytes, served: Served
) -> None:
    asks = b"GET /first HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: " + protocol_name + b"\r\n\r\n"

    told = await served.say(asks + NEXT, NEXT)

    assert (statuses(told), told.endswith(CLOSED)) == ([200], True)
    assert served.asked == [("GET", "/first", b"")]


@pytest.mark.parametrize(
    "head",
    [
        b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 31\r\n\r\n",
        b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 31\r\nExpect: 100-continue\r\n\r\n",
        b"POST /early HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1f\r\n",
    ],
    ids=["length", "expected", "chunks"],
)
async def test_a_body_that_nobody_read_ends_the_connection(head: bytes, served: Served) -> None:
    told = await served.say(head, NEXT, NEXT)

    assert (statuses(told), told.endswith(CLOSED)) == ([413], True)
    assert b"connection: close" in told
    assert served.asked == [("POST", "/early", b"")]


async def test_an_early_answer_arrives_however_much_is_still_sent(served: Served) -> None:
    """A connection that is closed on unread bytes is reset, and the answer with it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n")
    for _ in range(50):
        writer.write(b"x" * 65_536)
        await writer.drain()

    async with asyncio.timeout(10):
        assert statuses(await reader.read()) == [413]
    writer.close()


async def test_a_body_that_has_come_by_then_ends_nothing(served: Served) -> None:
    told = await served.say(b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + NEXT)

    assert (statuses(told), told.endswith(CLOSED)) == ([413, 200], False)


async def test_a_trailer_is_never_a_header(served: Served) -> None:
    """Neither of its own request nor of the next one."""
    trailers = b"0\r\nAuthorization: Bearer x\r\nX-Forwarded-For: 6.6.6.6\r\nIdempotency-Key: k\r\n\r\n"

    told = await served.say(CHUNKED, b"1\r\nx\r\n" + trailers + NEXT)

    assert statuses(told) == [200, 200]
    for *_, headers in served.application.seen:
        assert not {b"authorization", b"x-forwarded-for", b"idempotency-key"} & set(headers)


async def test_white_space_around_a_value_is_not_part_of_it(served: Served) -> None:
    await served.say(b"GET /first HTTP/1.1\r\nHost:\t a \t\r\nAuthorization:  \tBearer x\t \r\nX: \t \r\n\r\n")

    ((*_, headers),) = served.application.seen
    assert headers == {b"host": b"a", b"authorization": b"Bearer x", b"x": b""}


@pytest.mark.parametrize(
    ("asks", "path"),
    [
        (b"GET http://a/first HTTP/1.1\r\nHost: a\r\n\r\n", "/first"),
        (b"GET HTTPS://A:80/first HTTP/1.1\r\nHost: a:80\r\n\r\n", "/first"),
        (b"GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", "/"),
        (b"GET http://a?x=1 HTTP/1.1\r\nHost: a\r\n\r\n", "/"),
        (b"GET http://a/first HTTP/1.0\r\n\r\n", "/first"),
        (b"GET /first HTTP/1.0\r\n\r\n", "/first"),
        (b"OPTIONS * HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", "*"),
        (b"\r\nGET /first HTTP/1.1\r\nHost: xn--bcher-kva.example:\r\n\r\n", "/first"),
    ],
)
async def test_what_the_standard_wants_read_is_read(asks: bytes, path: str, served: Served) -> None:
    assert statuses(await served.say(asks)) == [200]
    assert [asked[1] for asked in served.asked] == [path]


async def test_a_refusal_waits_for_the_answers_before_it(served: Served) -> None:
    served.application.may_answer.clear()
    asking = asyncio.create_task(served.say(NEXT + NEXT + b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n" + NEXT))

    async def is_asked() -> bool:
        return bool(served.asked)

    await until(is_asked, what="the first request")
    served.application.may_answer.set()

    told = await asking
    assert (statuses(told), told.endswith(CLOSED)) == ([200, 200, 405], True)


async def test_a_body_that_breaks_is_refused_in_its_turn_and_the_application_is_told(served: Served) -> None:
    told = await served.say(NEXT + CHUNKED + b"3\r\nabc\r\n", b"ZZ\r\n" + NEXT)

    assert (statuses(told), told.endswith(CLOSED)) == ([200, 400], True)
    assert [path for _, path, _ in served.asked] == ["/next"]
    assert served.application.left == 1


async def test_no_more_than_some_requests_wait_on_one_connection(served: Served) -> None:
    told = await served.say(NEXT * 500)

    assert statuses(told)[-1] == 400
    assert set(statuses(told)[:-1]) == {200}
    assert len(served.asked) == protocol.MAX_UNANSWERED


ENDLESS = {
    "a header": POST + b"X: " + b"a" * 99_000,
    "headers": POST + b"X: y\r\n" * 20_000,
    "line ends": b"\r\n" * 50_000,
    "an extension": CHUNKED + b"1;" + b"a" * 99_000,
    "trailers": CHUNKED + b"1\r\nx\r\n0\r\n" + b"X: y\r\n" * 20_000,
    "a trailer": CHUNKED + b"1\r\nx\r\n0\r\nX: " + b"y" * 99_000,
}


async def test_what_frames_a_request_has_a_limit(served: Served) -> None:
    told = await asyncio.gather(
        *(served.say(*(sent[at : at + 16_384] for at in range(0, len(sent), 16_384))) for sent in ENDLESS.values())
    )

    assert {name: answer for name, answer in zip(ENDLESS, told, strict=True) if not refused(answer)} == {}
    assert served.asked == []


async def test_a_body_in_tiny_chunks_is_read(served: Served) -> None:
    await served.say(CHUNKED + b"1\r\nx\r\n" * 60_000 + b"0\r\n\r\n")

    assert served.asked == [("POST", "/first", b"x" * 60_000)]


async def test_only_who_can_is_asked_to_continue(served: Served) -> None:
    """HTTP/1.0 knows no interim answers (RFC 9110, 10.1.1)."""
    for version, interim in ((b"1.1", True), (b"1.0", False)):
        head = b"POST /first HTTP/" + version + b"\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\n"

        told = await served.say(head, b"abc")

        assert (b"HTTP/1.1 100" in told, statuses(told)) == (interim, [200])


async def test_who_reads_nothing_of_what_was_asked_for_is_hung_up_on(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many answers were asked for, no more than one is held meanwhile."""
    monkeypatch.setattr(protocol, "STALL_S", 0.2)
    _, writer = await asyncio.open_connection("127.0.0.1", served.port, limit=1024)
    writer.write(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n" * 20)

    async def is_asked() -> bool:
        return bool(served.asked)

    async def is_gone() -> bool:
        return not served.connections

    await until(is_asked, what="the first request")
    await until(is_gone, what="the end of the connection")
    writer.close()

    assert len(served.asked) <= 2


async def test_who_reads_slowly_gets_everything(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "STALL_S", 0.5)
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")

    head = await reader.readuntil(b"\r\n\r\n")
    left = BIG
    for _ in range(15):
        await asyncio.sleep(0.1)
        left -= len(await reader.readexactly(400_000))
    left -= len(await reader.readexactly(left))
    writer.close()

    assert (statuses(head), left) == ([200], 0)
