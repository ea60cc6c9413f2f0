"""Held to the vendor's word: our question and the simulator's answers fit Bandwidth's own OpenAPI document.

The document is not ours and is not kept here; without it beside the checkout these tests are skipped and say so.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import msgspec
import pytest
import yaml

from agentmessage.carriers.bandwidth import BandwidthAccount, BandwidthLookups
from agentmessage.carriers.bandwidth.lookups import LINE_TYPES, read_lookup
from agentmessage.carriers.http import HttpAnswer
from agentmessage.carriers.http_request import Misunderstood
from agentmessage.carriers.lookups import LineFacts, LineType, Unlisted
from agentmessage.carriers.protocols import Accepted, Refused
from tests.numbers.harness import Wire

CONTRACT = Path(__file__).parents[2] / ".." / "shared" / "contracts" / "bandwidth" / "bandwidth.yml"
held_to_it = pytest.mark.skipif(
    not CONTRACT.exists(), reason="../shared/contracts/bandwidth/bandwidth.yml is not beside this checkout"
)
NUMBERS = {
    "+14155550100": LineFacts(LineType.MOBILE, "T-Mobile USA", "T-Mobile USA", "USA"),
    "+14165550101": LineFacts(LineType.MOBILE, "Verizon Wireless", "Verizon Wireless", "CAN"),
    "+14155550190": LineFacts(LineType.FIXED, "Pacific Bell", "Pacific Bell", "USA"),
    "+14155550191": LineFacts(LineType.VOIP, "Pacific Bell", "Pacific Bell", "USA"),
    "+14155550192": LineFacts(LineType.FIXED_VOIP, "Pacific Bell", "Pacific Bell", "USA"),
    "+14155550193": Unlisted("NO-MATCH", "The following TNs could not be found in the Number Industry data"),
}


@cache
def contract() -> Mapping[str, Any]:
    return json.loads(json.dumps(yaml.safe_load(CONTRACT.read_text()), default=str))


def faults(name: str, document: bytes) -> list[str]:
    """What a schema of the vendor's has against a document."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": contract()["components"]}
    checker = jsonschema_rs.Draft4Validator(schema, validate_formats=True)
    return [error.message for error in checker.iter_errors(msgspec.json.decode(document))]


class Tapped(Wire):
    """Remembers what went over the line."""

    def __init__(self) -> None:
        super().__init__("instant")
        self.spoken: list[tuple[str, str, bytes, HttpAnswer]] = []

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", timeout_s: float = 30.0
    ) -> HttpAnswer:
        answer = await super().request(method, url, headers=headers, body=body, timeout_s=timeout_s)
        self.spoken.append((method, urlsplit(url).path, body, answer))
        return answer


def supplier(wire: Wire, shows: str = "simulator") -> BandwidthLookups:
    account = BandwidthAccount(
        account_id="9900001",
        username="simulator",
        password=shows,
        base_url="http://simulator.test",
        site_id="1",
        callback_username="a",
        callback_password="b",
    )
    return BandwidthLookups(account, wire)


@pytest.mark.parametrize("number", NUMBERS)
async def test_every_kind_of_line_is_read_as_the_simulator_means_it(number: str) -> None:
    assert await supplier(Tapped()).look_up(number) == Accepted(NUMBERS[number])


@held_to_it
@pytest.mark.parametrize("number", NUMBERS)
async def test_question_and_answer_fit_the_document(number: str) -> None:
    wire = Tapped()

    await supplier(wire).look_up(number)

    [(method, path, question, answer)] = wire.spoken
    assert (method, path) == ("POST", "/v2/accounts/9900001/phoneNumberLookup")
    described = contract()["paths"]["/accounts/{accountId}/phoneNumberLookup"]["servers"]
    assert described[0]["url"] == "https://api.bandwidth.com/v2"
    assert faults("syncLookupRequest", question) == []
    assert faults("createSyncLookupResponse", answer.body) == []


@held_to_it
def test_the_examples_of_the_document_are_understood() -> None:
    examples = contract()["components"]["examples"]
    complete = msgspec.json.encode(examples["lookupCompleteExample"]["value"])
    failed = msgspec.json.encode(examples["lookupFailedExample"]["value"])

    assert read_lookup(complete, "+10072904497") == LineFacts(
        LineType.MOBILE, "Verizon Wireless", "Verizon Wireless", "USA"
    )
    assert isinstance(read_lookup(failed, "+13992077164"), Unlisted)


@held_to_it
def test_every_line_type_of_the_document_is_known() -> None:
    assert set(contract()["components"]["schemas"]["lineTypeEnum"]["enum"]) == set(LINE_TYPES)


async def test_a_supplier_that_does_not_know_us_refuses() -> None:
    answer = await supplier(Tapped(), shows="wrong").look_up("+14155550100")

    assert not isinstance(answer, Accepted)


async def test_a_supplier_that_finds_the_question_wrong_refuses() -> None:
    answer = await supplier(Tapped()).look_up("4155550100")

    assert isinstance(answer, Refused)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"data":{"results":[]},"errors":[]}',
        b'{"data":{"results":[{"phoneNumber":"+14155550199","lineType":"MOBILE"}]},"errors":[]}',
        b'{"data":{"results":[{"phoneNumber":"+14155550100","lineType":"SATELLITE"}]}}',
        b'{"data":{"results":[{"phoneNumber":"+14155550100"}]}}',
        b'{"data":{"results":[{"phoneNumber":"+14155550100","lineType":"MOBILE","voiceProvider":"\\u0000"}]}}',
    ],
)
def test_an_answer_that_makes_no_sense_is_not_guessed_at(body: bytes) -> None:
    with pytest.raises(Misunderstood):
        read_lookup(body, "+14155550100")
