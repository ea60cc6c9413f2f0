"""What webhooks deliver, one entry for each type of event, typed."""

from collections.abc import Mapping
from typing import Any

from agentmessage.web.openapi.examples import BY_FORMAT, example_of
from agentmessage.web.openapi.responses import JSON
from agentmessage.web.openapi.schemas import Json, Schemas

HEADERS: Mapping[str, str] = {
    "X-AmCore-Signature": "`t=<unix seconds>,v1=<hex HMAC-SHA256 of t, a line feed and the raw body>`.",
    "webhook-id": "The event's id, the same at every attempt (Standard Webhooks).",
    "webhook-timestamp": "Unix seconds of the attempt.",
    "webhook-signature": "`v1,<base64>`; during a rotation several, separated by spaces.",
}


def webhooks(bodies: Mapping[str, Any], shapes: Schemas) -> Json:
    """The `webhooks` of the document, by type of event; `bodies` says what `data` is."""
    return {kind: {"post": _delivery(kind, shapes.of(body), shapes)} for kind, body in sorted(bodies.items())}


def _delivery(kind: str, body: Json, shapes: Schemas) -> Json:
    envelope: Json = {
        "id": {"type": "string", "description": "`evt_` and a UUID."},
        "type": {"const": kind},
        "api_version": {"type": "string"},
        "created_at": {"type": "string", "format": "date-time"},
        "org_id": {"type": "string", "format": "uuid"},
        "data": body,
    }
    example = {
        "id": f"evt_{BY_FORMAT['uuid']}",
        "type": kind,
        "api_version": "2026-04-01",
        "created_at": BY_FORMAT["date-time"],
        "org_id": BY_FORMAT["uuid"],
        "data": example_of(body, shapes),
    }
    schema = {"type": "object", "properties": envelope, "required": list(envelope)}
    return {
        "operationId": "on" + "".join(word.capitalize() for word in kind.replace("_", ".").split(".")),
        "summary": f"{kind} happened",
        "description": "`data` is the resource as it was at that moment.",
        "security": [],
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": words, "schema": {"type": "string"}}
            for name, words in HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {JSON: {"schema": schema, "example": example}}},
        "responses": {"2XX": {"description": "Taken. Anything else is tried again."}},
    }
