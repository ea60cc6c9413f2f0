"""HTTP route of preflight: the checks of sending, without sending."""

from msgspec import Struct

from agentmessage.billing import operations as billing
from agentmessage.compliance import operations, preflight, rules
from agentmessage.compliance.model import SendRequest
from agentmessage.compliance.schemas import PreflightCreate, PreflightOut, Severity
from agentmessage.kernel.errors import ApiError, NotFound, ValidationFailed
from agentmessage.kernel.money import price_cents
from agentmessage.media import operations as media
from agentmessage.media.model import MediaLinks
from agentmessage.settings import Settings
from agentmessage.sms.segments import Layouts
from agentmessage.sms.smart import simplify
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes


class PreflightServices(Struct, frozen=True):
    """What the handlers need besides the database."""

    settings: Settings
    layouts: Layouts
    media_links: MediaLinks


routes = Routes("Guardrails", needs=PreflightServices)

EXAMPLE = {"from": "+14155550123", "to": "+14155550188", "text": "Acme Dental: your appointment is on Monday at 9."}


@routes.route(
    "POST",
    "/v1/guardrails/preflight",
    scope="org:read",
    answers={200: PreflightOut},
    refuses=[ValidationFailed, NotFound],
    example=EXAMPLE,
)
async def preflight_guardrails(call: Call[PreflightCreate, NoInput], services: PreflightServices) -> PreflightOut:
    """Check whether a message would be accepted now, and why or why not; nothing is stored or charged.

    The body is that of a send. `can_submit` is true exactly when `POST /v1/messages` would accept the same body at this
    moment: both run the same checks. `source_breakdown` names the scope that decided each guardrail.
    """
    body, tenant, now = call.body, call.tenant, call.db.now
    faults = rules.faults(body, now)
    if faults:
        raise ValidationFailed(faults)
    request = SendRequest(tenant.org_id, tenant.account, body.from_, body.to, "customer", body.scheduled_at or now)
    allowance, evaluation = await operations.evaluate(
        call.db, request, requires_propagation=services.settings.require_propagation, layouts=services.layouts
    )
    if evaluation.facts.phone_number_id is None:
        raise NotFound
    kind = "outbound_mms" if body.media else "outbound_sms"
    price = billing.price(kind, None, now)
    text = simplify(body.text) if body.smart_encoding and body.text else body.text
    cost = rules.cost_of(evaluation, text, now, has_media=bool(body.media), unit_price_microcents=price)
    found = [
        preflight.media_finding(await _media_refusal(call, services.media_links)),
        *preflight.findings(evaluation, allowance, cost, body.text),
    ]
    return PreflightOut(
        can_submit=all(finding.severity is not Severity.BLOCK for finding in found),
        findings=found,
        source_breakdown=preflight.sources(evaluation),
        segment_count=cost.segments,
        encoding=cost.encoding,
        cost_cents=price_cents(cost.price_microcents),
        appended_text=cost.appended_text,
        would_be_sent_at=evaluation.opens_at or request.due_at,
    )


async def _media_refusal(call: Call[PreflightCreate, NoInput], links: MediaLinks) -> ApiError | None:
    """Why sending would reject the media; None: it would not."""
    try:
        await media.resolve(
            call.db,
            call.tenant,
            call.body.media or (),
            links=links,
            until=call.db.now,
            recipient=call.body.to,
            keeps=False,
        )
    except ApiError as error:
        return error
    return None
