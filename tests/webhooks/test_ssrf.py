"""No URL makes us knock at our own doors, whatever it looks like and wherever its name leads a moment later."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from ipaddress import ip_address

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from agentmessage.kernel import safe_http
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.safe_http import is_public
from agentmessage.webhooks.http_sender import Sender
from agentmessage.webhooks.model import OutgoingRequest, Reply
from tests.make.receivers import receiver, status

NOT_PUBLIC = "the address is not public"
LITERALS = (
    # this machine, as people and libraries write it
    "127.0.0.1",
    "127.127.127.127",
    "127.1",
    "127.0.1",
    "2130706433",
    "0177.0.0.1",
    "017700000001",
    "0x7f000001",
    "0x7f.1",
    "0x7f.0x0.0x0.0x1",
    "127.000.000.001",
    "0",
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "0x0",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "127.0.0.1.",
    "１２７.0.0.1",  # noqa: RUF001 - digits of another width
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "%31%32%37.0.0.1",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    # IPv6 addresses that stand for IPv4 ones
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:53aa:64c:0:0:80ff:fffe]",  # Teredo, 127.0.0.1 turned over
    # other people's own networks
    "10.0.0.1",
    "0xa000001",
    "10.255.255.254",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.0.1",
    "3232235521",
    "100.64.0.1",
    "198.18.0.1",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "192.88.99.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[fc00::1]",
    "[fd00::1]",
    "[fec0::1]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[ff02::1]",
    "[100::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[5f00::1]",
    # what clouds tell their machines
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "169.254.170.2",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[fd00:ec2::254]",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
)
NAMED = ("127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "0.0.0.0")  # noqa: S104
TRICKS = (
    "https://public.example@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}#@public.example/",
    "https://127.0.0.1:{port}\\@public.example/",
    "https://public.example:pass@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}/?x=https://public.example/",
    "http://127.0.0.1:{port}/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/",
    "unix:///var/run/docker.sock",
    "//127.0.0.1:{port}/",
)


class Says(AbstractResolver):
    """A name server that gives each lookup the next of its answers, and the last for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.lookups = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        del family
        self.lookups += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=one,
                port=port,
                family=socket.AF_INET6 if ":" in one else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for one in answer
        ]

    async def close(self) -> None:
        """Nothing is held."""


class Doors:
    """Every address of this machine at one port, and who came to which."""

    def __init__(self) -> None:
        self.port = 0
        self.visits: list[str] = []

    async def knock(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits.append(writer.get_extra_info("sockname")[0])
        writer.close()


@pytest.fixture
async def doors() -> AsyncIterator[Doors]:
    one = Doors()
    server = await asyncio.start_server(one.knock, "0.0.0.0", 0)  # noqa: S104 - on purpose: nobody may come
    one.port = server.sockets[0].getsockname()[1]
    both = [server]
    if socket.has_ipv6:
        both.append(await asyncio.start_server(one.knock, "::1", one.port))
    yield one
    for each in both:
        each.close()
        await each.wait_closed()


async def tell(url: str, *, names: AbstractResolver | None = None, allow_private: bool = False) -> Reply:
    sender = Sender(names=names, allow_private=allow_private, timeout_s=3.0)
    try:
        return await sender.send(OutgoingRequest(event_id=new_id(), url=url, body=b"{}", secrets=(b"s" * 32,)))
    finally:
        await sender.close()


def test_there_are_enough_attempts() -> None:
    assert len(LITERALS) + len(NAMED) + len(TRICKS) + len(MOVES) >= 60 + 20


@pytest.mark.parametrize("host", LITERALS)
async def test_no_spelling_of_an_address_opens_a_door(host: str, doors: Doors) -> None:
    reply = await tell(f"https://{host}:{doors.port}/")

    assert reply.status is None
    assert reply.error in (NOT_PUBLIC, "the host name is not known", "the URL is not well-formed")
    assert doors.visits == []


async def test_the_doors_would_have_been_open(doors: Doors) -> None:
    """Without the guard such requests arrive: it is the guard that keeps them away."""
    hosts = ("127.0.0.1", "localhost", "0", "2130706433", "[::ffff:127.0.0.1]", "[::1]")
    for host in hosts:
        await tell(f"https://{host}:{doors.port}/", allow_private=True)

    assert len(doors.visits) >= 4
    assert {"127.0.0.1", "::1"} <= set(doors.visits)


@pytest.mark.parametrize("address", NAMED)
async def test_no_name_leads_to_a_door(address: str, doors: Doors) -> None:
    reply = await tell(f"https://harmless.example:{doors.port}/", names=Says([address]))

    assert (reply.status, reply.error) == (None, NOT_PUBLIC)
    assert doors.visits == []


@pytest.mark.parametrize("url", TRICKS)
async def test_no_trick_in_a_url_opens_a_door(url: str, doors: Doors) -> None:
    reply = await tell(url.format(port=doors.port), names=Says(["127.0.0.1"]))

    assert reply.status is None
    assert doors.visits == []


MOVES = [(code, form) for code in (301, 302, 303, 307, 308) for form in ("http://127.0.0.1:{}/", "//localhost:{}/")]


@pytest.mark.parametrize(("code", "form"), MOVES)
async def test_no_redirect_leads_to_a_door(code: int, form: str, doors: Doors) -> None:
    """Whoever answers may well be allowed; where it sends us is not even looked at."""
    async with receiver() as sink:
        sink.answers["/ok"] = status(
            code, location=form.format(doors.port), refresh=f"0; url={form.format(doors.port)}"
        )

        reply = await tell(sink.url(), allow_private=True)

    assert (reply.status, reply.is_success) == (code, False)
    assert doors.visits == []


@pytest.fixture
def public_stand_in(monkeypatch: pytest.MonkeyPatch) -> str:
    """An address of this machine that counts as one of the internet, so that no test leaves the machine."""
    stand_in = "127.0.0.2"
    monkeypatch.setattr(safe_http, "is_public", lambda host: host == stand_in or is_public(host))
    return stand_in


@pytest.mark.parametrize("private", ["127.0.0.1", "127.0.0.3", "::1", "::ffff:127.0.0.1"])
async def test_a_name_that_moves_between_two_looks_opens_no_door(
    private: str, public_stand_in: str, doors: Doors
) -> None:
    """The first answer is public, as for one who checks; all that follow are private, as for one who then connects."""
    names = Says([public_stand_in], [private])
    sender = Sender(names=names, timeout_s=3.0)
    replies = [
        await sender.send(
            OutgoingRequest(
                event_id=new_id(), url=f"https://moves.example:{doors.port}/", body=b"{}", secrets=(b"s" * 32,)
            )
        )
        for _ in range(5)
    ]
    await sender.close()

    assert names.lookups >= 2
    assert doors.visits == [public_stand_in]
    assert [reply.error for reply in replies[1:]] == [NOT_PUBLIC] * 4


@pytest.mark.parametrize("order", [("127.0.0.1", "127.0.0.2"), ("127.0.0.2", "127.0.0.1"), ("::1", "127.0.0.2")])
@pytest.mark.usefixtures("public_stand_in")
async def test_of_several_addresses_only_the_public_are_tried(order: tuple[str, str], doors: Doors) -> None:
    await tell(f"https://both.example:{doors.port}/", names=Says(order))

    assert set(doors.visits) <= {"127.0.0.2"}


@pytest.mark.usefixtures("public_stand_in")
async def test_a_public_address_that_does_not_answer_is_no_way_to_a_private_one(doors: Doors) -> None:
    """Nobody listens at the public one; the private one beside it does, and is not tried."""
    async with receiver() as sink:  # at 127.0.0.1 only
        reply = await tell(f"https://both.example:{sink.port}/", names=Says(["127.0.0.2", "127.0.0.1"]))

        assert reply.error is not None
        assert sink.connections == 0
    assert doors.visits == []


async def test_many_at_once_open_no_door(doors: Doors) -> None:
    sender = Sender(names=Says(["127.0.0.1"]), timeout_s=3.0)
    requests = [
        OutgoingRequest(event_id=new_id(), url=f"https://n{n}.example:{doors.port}/", body=b"{}", secrets=(b"s" * 32,))
        for n in range(100)
    ]

    replies = await asyncio.gather(*(sender.send(one) for one in requests))
    await sender.close()

    assert {reply.error for reply in replies} == {NOT_PUBLIC}
    assert doors.visits == []


@pytest.mark.parametrize("host", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2002:808:808::1", "64:ff9b::808:808"])
def test_addresses_of_the_internet_are_not_refused(host: str) -> None:
    assert is_public(host)
    assert ip_address(host)
