"""Preflight over HTTP: ask before sending, by the rules of sending."""

from agentmessage.billing import operations as billing
from agentmessage.kernel.errors import NotFound, ValidationFailed
from agentmessage.kernel.money import price_cents
from agentmessage.law import findings, operations, rules
from agentmessage.law.model import Ask
from agentmessage.law.schemas import PreflightCreate, PreflightOut, Severity
from agentmessage.sms.smart import simplify
from agentmessage.web.call import Call
from agentmessage.web.declaration import NoInput, Routes

routes = Routes("Guardrails")

EXAMPLE = {"from": "+14155550123", "to": "+14155550188", "text": "Acme Dental: your appointment is on Monday at 9."}


@routes.route(
    "POST",
    "/v1/guardrails/preflight",
    scope="org:read",
    answers={200: PreflightOut},
    refuses=[ValidationFailed, NotFound],
    example=EXAMPLE,
)
async def preflight_guardrails(call: Call[PreflightCreate, NoInput]) -> PreflightOut:
    """Say whether a text would be accepted now, and why or why not; nothing is sent, stored, counted or charged.

    `can_submit` is true exactly when `POST /v1/messages` would accept the same text at this moment: both ask the same
    rules. `source_breakdown` tells for every guardrail which scope decided.
    """
    body, tenant, now = call.body, call.tenant, call.db.now
    faults = rules.faults(body.from_, body.to, body.text, body.scheduled_at, now)
    if faults:
        raise ValidationFailed(faults)
    ask = Ask(tenant.org_id, tenant.account, body.from_, body.to, "customer", body.scheduled_at or now)
    requires_propagation = bool(call.context["requires_propagation"])
    purse, case = await operations.look(call.db, ask, requires_propagation=requires_propagation)
    if case.facts.phone_number_id is None:
        raise NotFound
    kind = "outbound_mms" if body.media else "outbound_sms"
    price = billing.price(kind, None, now)
    words = simplify(body.text) if body.smart_encoding and body.text else body.text
    weight = operations.weigh(case, words, now, has_media=bool(body.media), unit_price_microcents=price)
    found = list(findings.findings(case, purse, weight, body.text))
    return PreflightOut(
        can_submit=all(finding.severity is not Severity.BLOCK for finding in found),
        findings=found,
        source_breakdown=findings.sources(case),
        segment_count=weight.segments,
        encoding=weight.encoding,
        cost_cents=price_cents(weight.price_microcents),
        appended_text=weight.stamp,
        would_be_sent_at=case.opens_at or ask.due_at,
    )
