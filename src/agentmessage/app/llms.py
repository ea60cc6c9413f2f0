"""`/llms.txt`: what the platform is and does, in the form that agents look for (llmstxt.org)."""

from collections.abc import Sequence

from agentmessage.web.openapi.operations import summary_and_description
from agentmessage.web.route import Route

HEAD = """\
# AgentMessage

> A self-hosted SMS/MMS platform: phone numbers, 10DLC registration, consent, messages in both directions, webhooks.

Every request carries `Authorization: Bearer am_live_…` (`am_test_…` in the sandbox). A success is
`{"success": true, "data": …}`, an error `{"success": false, "error": {"code", "message", "request_id", "details"?,
"fix"}}`: branch on `code`, do what `fix` says. Send an `Idempotency-Key` with every POST that must not happen twice. A
message needs a number, a campaign that the number is attached to, and the recipient's consent: `POST
/v1/guardrails/preflight` says what is missing. `GET /v1/inbound-messages/wait` waits for a reply.

## Docs

- [Guide](/docs/guide/): quickstart, guides, concepts, operations and reference, for people
- [Reference](/docs): every operation, for people
- [OpenAPI 3.1](/openapi.json): every operation, error and webhook, with schemas
"""


def llms_txt(routes: Sequence[Route]) -> bytes:
    """The index of the documents and of all operations, by what they are about."""
    lines = [HEAD]
    for tag in dict.fromkeys(route.tag for route in routes):
        lines += [f"## {tag}", ""]
        lines += [_line(route) for route in routes if route.tag == tag]
        lines.append("")
    return "\n".join(lines).encode()


def _line(route: Route) -> str:
    summary, _ = summary_and_description(route)
    return f"- [{route.method} {route.path}](/openapi.json): {summary} (`{route.name}`, scope `{route.scope}`)"
