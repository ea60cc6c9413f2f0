"""Held to the vendor's word: what our adapter says and the simulator answers fits Bandwidth's own OpenAPI document.

The document is not ours and is not kept here. It is looked for beside the checkout, in `../shared/contracts`; without
it these tests are skipped and say so.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import jsonschema_rs
import msgspec
import pytest
import yaml

from agentmessage.carriers.bandwidth import BandwidthTexts
from agentmessage.carriers.http import HttpAnswer, LineBroke
from agentmessage.carriers.messaging import OutboundText
from agentmessage.simulator.bandwidth.messaging_routes import callback_body
from agentmessage.simulator.core.http_types import HttpRequest
from agentmessage.simulator.messaging.magic_numbers import MAGIC_OUTCOMES
from agentmessage.simulator.messaging.model import Via
from agentmessage.simulator.world import World
from tests.carriers.world_line import ACCOUNT, START, WorldLine

CONTRACT = Path(__file__).parents[2] / ".." / "shared" / "contracts" / "bandwidth" / "bandwidth.yml"
SENDER, HANDSET = "+14155550100", "+12125550112"
ROUTE = "/users/{accountId}/messages"

pytestmark = pytest.mark.skipif(
    not CONTRACT.exists(), reason="../shared/contracts/bandwidth/bandwidth.yml is not beside this checkout"
)


@cache
def contract() -> Mapping[str, Any]:
    read = yaml.safe_load(CONTRACT.read_text())
    return json.loads(json.dumps(read, default=str))  # YAML makes dates of its examples


@cache
def validator(name: str) -> jsonschema_rs.Draft4Validator:
    """For a schema of the document; formats count, and `nullable` is not used where we look."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": contract()["components"]}
    return jsonschema_rs.Draft4Validator(schema, validate_formats=True)


@cache
def known_members(name: str) -> frozenset[str]:
    schema = contract()["components"]["schemas"][name]
    parts = [schema, *schema.get("allOf", [])]
    members: set[str] = set()
    for part in parts:
        if "$ref" in part:
            members |= known_members(part["$ref"].rsplit("/", 1)[1])
        members |= set(part.get("properties", {}))
    return frozenset(members)


def require(name: str, value: Any) -> None:
    """It fits the schema, and has no member that the vendor does not name."""
    assert [error.message for error in validator(name).iter_errors(value)] == []
    assert set(value) <= known_members(name)


def schema_of_answer(status: int) -> str:
    """Which schema the vendor gives for an answer of createMessage."""
    answers = contract()["paths"][ROUTE]["post"]["responses"]
    assert str(status) in answers, f"the vendor names no {status}"
    answer = contract()["components"]["responses"][answers[str(status)]["$ref"].rsplit("/", 1)[1]]
    return str(answer["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1])


class Witness(WorldLine):
    """A line into a world that remembers what was said on both sides."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.said: list[tuple[str, str, bytes, int, bytes]] = []

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", timeout_s: float = 30.0
    ) -> HttpAnswer:
        answer = await super().request(method, url, headers=headers, body=body, timeout_s=timeout_s)
        self.said.append((method, url, body, answer.status, answer.body))
        return answer


@pytest.fixture
def line() -> Witness:
    witness = Witness(World(seed=7, profile="instant", started_at=START))
    witness.control("campaigns/CTEST01", {"create": True})
    witness.control("numbers", {"numbers": [SENDER]})
    witness.control("numbers", {"numbers": [SENDER], "campaign": "CTEST01"})
    witness.control("applications", {"id": "app-1", "url": "http://us.test", "username": "u", "password": "p"})
    return witness


def a_text(number: int = 1, **changes: Any) -> OutboundText:
    plain = OutboundText(
        message_id=UUID(int=number),
        sender=SENDER,
        recipient=HANDSET,
        text="hello",
        segments=1,
        priority=1,
        expires_at=START + timedelta(hours=4),
    )
    return msgspec.structs.replace(plain, **changes)


def carrier(line: Witness, **changes: Any) -> BandwidthTexts:
    return BandwidthTexts(msgspec.structs.replace(ACCOUNT, **{"application_id": "app-1", **changes}), line)


TEXTS = [
    a_text(),
    a_text(text="Grüße, €5 {ok} 🥐"),
    a_text(text="x" * 1600),
    a_text(priority=0),
    a_text(priority=2),
    a_text(text="look", media=["https://us.test/media/a.png", "https://us.test/media/b.jpg"]),
    a_text(text="", media=["https://us.test/media/a.png"]),
    *(a_text(recipient=f"+121255501{suffix}") for suffix in MAGIC_OUTCOMES),
]


NAMES = [f"{text.recipient[-4:]} {text.text[:12]} {len(text.media)} {text.priority}" for text in TEXTS]


@pytest.mark.parametrize("text", TEXTS, ids=NAMES)
async def test_every_request_and_every_answer_fits(line: Witness, text: OutboundText) -> None:
    try:
        await carrier(line).send(text)
    except LineBroke:
        pytest.fail("the adapter does not raise")

    for method, url, body, status, answer in line.said:
        assert (method, urlsplit(url).path) == ("POST", "/api/v2" + ROUTE.replace("{accountId}", "9900001"))
        require("messageRequest", json.loads(body))
        require(schema_of_answer(status), json.loads(answer))


@pytest.mark.parametrize(
    ("changes", "body", "status"),
    [
        ({"password": "wrong"}, None, 401),
        ({"account_id": "9900009"}, None, 403),
        ({"application_id": "nobody's"}, None, 400),
        ({}, b"{", 400),
        ({}, b"[]", 400),
        ({}, b"{}", 400),
        ({}, b'{"to": ["x"], "from": "y", "applicationId": "app-1", "media": ["z"], "expiration": "soon"}', 400),
    ],
)
async def test_every_refusal_fits(line: Witness, changes: dict[str, str], body: bytes | None, status: int) -> None:
    sender = carrier(line, **changes)
    await sender.send(a_text())
    if body is not None:
        headers = {**sender._headers}
        await line.request("POST", sender._url, headers=headers, body=body)

    _, _, _, answered, answer = line.said[-1]

    assert answered == status
    require(schema_of_answer(status), json.loads(answer))


@pytest.mark.parametrize("fault", ["rate_limited", "error_after"])
async def test_a_limit_fits_and_so_does_the_media_type(line: Witness, fault: str) -> None:
    line.control("faults", {"probabilities": {fault: 1.0}})
    await carrier(line).send(a_text())
    limited = line.said[-1]
    line.control("reset", {})
    wrong = line.world.handle(
        HttpRequest(
            "POST", "/api/v2/users/9900001/messages", "", {**carrier(line)._headers, "content-type": "text/xml"}
        ),
        line.now,
    )

    require(schema_of_answer(wrong.status), json.loads(wrong.body))
    if fault == "rate_limited":
        require(schema_of_answer(limited[3]), json.loads(limited[4]))


def callbacks(line: Witness) -> Sequence[Any]:
    """Everything that the simulator would post now."""
    carrier, (account, _) = line.world.messaging, line.world.accounts
    waiting = carrier.waiting["9900001", Via.BANDWIDTH]
    body = callback_body(list(waiting), account.applications["app-1"])
    waiting.clear()
    return list(json.loads(body))


@pytest.mark.parametrize("text", TEXTS, ids=NAMES)
async def test_every_status_callback_fits(line: Witness, text: OutboundText) -> None:
    await carrier(line).send(text)
    line.pass_time(60)

    told = [event for event in callbacks(line) if event["type"] != "message-received"]

    for event in told:
        require("statusCallback", event)
        require("statusCallbackMessage", event["message"])


async def test_every_kind_of_status_is_told(line: Witness) -> None:
    await carrier(line).send(a_text(media=["https://us.test/a.png"]))
    await carrier(line).send(a_text(recipient="+12125550161"))
    line.pass_time(60)

    told = {event["type"] for event in callbacks(line)}

    assert told == {"message-sending", "message-sent", "message-delivered", "message-failed"}


@pytest.mark.parametrize("said", [{"text": "hi"}, {"text": "é" * 200}, {"media": ["https://handset.test/a.png"]}])
async def test_every_inbound_callback_fits(line: Witness, said: dict[str, Any]) -> None:
    await carrier(line).send(a_text())
    line.pass_time(1)
    callbacks(line)
    line.control(f"handsets/{HANDSET}/send", {"to": SENDER, **said})

    (event,) = callbacks(line)

    require("inboundCallback", event)
    require("inboundCallbackMessage", event["message"])


async def test_what_does_not_fit_is_noticed(line: Witness) -> None:
    """The validator really validates: one member of the wrong type, one missing, one of our own invention."""
    await carrier(line).send(a_text())
    line.pass_time(1)
    event = callbacks(line)[0]

    for broken in (
        {**event, "time": "yesterday"},
        {name: value for name, value in event.items() if name != "description"},
        {**event, "mood": "good"},
    ):
        with pytest.raises(AssertionError):
            require("statusCallback", broken)
