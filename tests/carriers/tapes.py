"""A line that plays what a vendor said once, so that an adapter can be heard answering it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agentmessage.carriers.bandwidth import BandwidthAccount, BandwidthLines, BandwidthNumbers
from agentmessage.carriers.http import HttpAnswer, LineBroke, NotSent
from agentmessage.carriers.tcr import TcrAccount, TcrRegistry

BANDWIDTH = BandwidthAccount(
    account_id="9900001",
    username="user",
    password="pass",
    base_url="http://carrier.test",
    site_id="743",
    peer_id="500018",
    callback_username="agentmessage",
    callback_password="hook",
)
TCR = TcrAccount(api_key="key", secret="secret", base_url="http://registry.test")

Said = HttpAnswer | NotSent | LineBroke


@dataclass
class Sent:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class TapedLine:
    """Answers each request with the next thing said; keeps what was sent. The last thing said repeats."""

    def __init__(self, said: Sequence[Said]) -> None:
        self._said = list(said)
        self.sent: list[Sent] = []

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", timeout_s: float = 30.0
    ) -> HttpAnswer:
        assert timeout_s > 0
        self.sent.append(Sent(method, url, headers, body))
        said = self._said.pop(0) if len(self._said) > 1 else self._said[0]
        if isinstance(said, Exception):
            raise said
        return said


def say(status: int, body: str | bytes = b"", **headers: str) -> HttpAnswer:
    raw = body.encode() if isinstance(body, str) else body
    return HttpAnswer(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def lines(*said: Said) -> tuple[BandwidthLines, TapedLine]:
    line = TapedLine(said)
    return BandwidthLines(BANDWIDTH, line), line


def numbers(*said: Said) -> tuple[BandwidthNumbers, TapedLine]:
    line = TapedLine(said)
    return BandwidthNumbers(BANDWIDTH, line), line


def registry(*said: Said) -> tuple[TcrRegistry, TapedLine]:
    line = TapedLine(said)
    return TcrRegistry(TCR, line), line
