"""The document is a snapshot: a changed contract is a visible difference."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from agentmessage.app.docs_pages import ASSETS
from agentmessage.app.event_schemas import BODIES
from agentmessage.outbox.event_types import EventType
from agentmessage.web.openapi.common_errors import codes
from agentmessage.web.openapi.schemas import Json
from agentmessage.web.route import Route
from tests.contract.every_route import DOCUMENT, ROUTES, every_route, operation
from tools import make_contract

SNAPSHOT = Path(__file__).parent / "openapi.json"


def test_the_contract_is_the_one_that_was_agreed_upon() -> None:
    """After a wanted change: `make generate`, and read the difference."""
    agreed = json.loads(SNAPSHOT.read_text())

    assert json.loads(json.dumps(DOCUMENT)) == agreed


def test_event_bodies_are_the_ones_that_were_agreed_upon() -> None:
    """After a wanted change: `make generate`, and read the difference."""
    agreed = json.loads((SNAPSHOT.parent / "events.json").read_text())

    assert json.loads(json.dumps(make_contract.events())) == agreed


def test_every_event_type_has_a_body_and_a_sample() -> None:
    assert set(make_contract.events()) == set(EventType)
    assert set(BODIES) == set(EventType)


def test_the_document_is_openapi_3_1() -> None:
    from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR  # noqa: PLC0415 - slow to import

    faults = [
        f"{list(error.instance_path)}: {error.message[:300]}" for error in OPENAPI_31_VALIDATOR.iter_errors(DOCUMENT)
    ]

    assert faults == []


@every_route()
def test_examples_are_what_the_schema_says(route: Route) -> None:
    shown = operation(route)
    contents = [response.get("content", {}) for response in shown["responses"].values()]
    contents.append(shown.get("requestBody", {}).get("content", {}))

    for content in contents:
        media = content.get("application/json")
        for example in examples(media) if media else []:
            validator(media["schema"]).validate(example)
    for parameter in shown["parameters"]:
        if "example" in parameter:
            validator(parameter["schema"]).validate(parameter["example"])


@every_route()
def test_every_answer_and_every_body_has_an_example(route: Route) -> None:
    shown = operation(route)

    for status, response in shown["responses"].items():
        for media in response.get("content", {}).values():
            assert examples(media), status
    if route.takes_body:
        assert examples(shown["requestBody"]["content"]["application/json"])


def examples(media: Any) -> list[Any]:
    if "examples" in media:
        return [example["value"] for example in media["examples"].values()]
    return [media["example"]] if "example" in media else []


def validator(schema: Json) -> Any:
    whole = schema | {"components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


@every_route()
def test_an_operation_is_described(route: Route) -> None:
    shown = operation(route)

    assert shown["summary"]
    assert f"`{route.scope}`" in shown["description"]
    assert shown["security"] == [{"bearer": []}]


def test_operation_ids_are_unique() -> None:
    names = [route.name for route in ROUTES]

    assert len(names) == len(set(names))


def test_detach_is_the_founding_page() -> None:
    """Beside what the page prints, only what any server can answer: 500 and 503."""
    shown = DOCUMENT["paths"]["/v1/phone-numbers/{id}/campaign"]["delete"]
    route = next(r for r in ROUTES if r.method == "DELETE" and r.path.endswith("{id}/campaign"))
    example = shown["responses"]["200"]["content"]["application/json"]["example"]

    assert list(shown["responses"]) == ["200", "400", "401", "403", "404", "409", "500", "503"]
    assert shown["x-scope"] == "numbers:write"
    assert shown["summary"] == "Detach a campaign from a phone number"
    assert shown["tags"] == ["Phone numbers"]
    assert codes(route.refuses) == ["NOT_FOUND", "NUMBER_NOT_ASSIGNED"]
    assert [(p["name"], p["in"], p["required"], p["schema"]["format"]) for p in shown["parameters"]] == [
        ("id", "path", True, "uuid")
    ]
    assert list(example["data"]) == [
        "id",
        "number",
        "number_type",
        "inbound_url",
        "status_url",
        "label",
        "campaign_id",
        "carrier_line_option_status",
        "carrier_line_option_propagated_at",
        "sms_enabled",
        "mms_enabled",
        "created_at",
        "updated_at",
    ]


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", *ASSETS])
async def test_the_reference_is_served(path: str, api: Any) -> None:
    reply = await api.using(None).get(path)

    assert reply.status == 200
    assert reply.body


async def test_the_served_document_is_the_described_one(api: Any) -> None:
    reply = await api.using(None).get("/openapi.json")

    assert reply.json == json.loads(json.dumps(DOCUMENT))


async def test_the_page_may_fetch_from_nowhere_else(api: Any) -> None:
    reply = await api.using(None).get("/docs")

    assert reply.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert b"http://" not in reply.body
    assert b"https://" not in reply.body


async def test_404_docs_serve_nothing_else(api: Any) -> None:
    reply = await api.get("/docs/../settings.py")

    assert (reply.status, reply.error["code"]) == (404, "NOT_FOUND")


def test_no_field_of_a_body_has_a_default() -> None:
    """The most used generator of TypeScript demands every field that has one, so that a plain send did not compile."""
    for schema in DOCUMENT["components"]["schemas"].values():
        assert all("default" not in field for field in schema.get("properties", {}).values())
    assert DOCUMENT["components"]["schemas"]["MessageCreate"]["required"] == ["from", "to"]


def test_no_default_is_null() -> None:
    assert '"default": null' not in json.dumps(DOCUMENT)


def test_every_event_is_described_as_a_webhook() -> None:
    told = DOCUMENT["webhooks"]

    assert set(told) == {kind.value for kind in EventType}
    for kind, entry in told.items():
        content = entry["post"]["requestBody"]["content"]["application/json"]
        validator(content["schema"]).validate(content["example"])
        assert content["schema"]["properties"]["type"] == {"const": kind}
        assert content["example"]["data"] == make_contract.events()[kind]["data"]


async def test_agents_find_an_index_of_every_operation(api: Any) -> None:
    reply = await api.using(None).get("/llms.txt")

    text = reply.body.decode()
    assert (reply.status, reply.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert text.startswith("# AgentMessage\n\n> ")
    assert all(f"{route.method} {route.path}]" in text for route in ROUTES)
