"""Double opt-in and links to the hosted form over HTTP; the form itself is in `page`."""

from datetime import timedelta

from msgspec import Struct

from agentmessage.billing.errors import InsufficientCredit
from agentmessage.compliance.errors import FrequencyCapExceeded, LineTypeBlocked, QuietHours, SenderNotRegistered
from agentmessage.consent import operations as consents
from agentmessage.consent.errors import ContactOptedOut
from agentmessage.kernel.errors import NotFound, RateLimited, ValidationFailed
from agentmessage.messages import operations as messages
from agentmessage.optin import operations, rules
from agentmessage.optin.schemas import DoubleOptInCreate, DoubleOptInOut, HostedFormCreate, HostedFormOut
from agentmessage.optin.tokens import FormSigner
from agentmessage.settings import Settings
from agentmessage.sms.segments import Layouts
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes
from agentmessage.web.types import Response


class OptInServices(Struct, frozen=True):
    """What the handlers need besides the database."""

    settings: Settings
    layouts: Layouts
    form_signer: FormSigner
    public_url: str


routes = Routes("Consent", needs=OptInServices)


@routes.route(
    "POST",
    "/v1/consent/double-opt-in",
    scope="consent:write",
    answers={202: DoubleOptInOut, 200: DoubleOptInOut},
    refuses=[
        ValidationFailed,
        NotFound,
        ContactOptedOut,
        SenderNotRegistered,
        LineTypeBlocked,
        QuietHours,
        FrequencyCapExceeded,
        InsufficientCredit,
        RateLimited,
    ],
    bare=True,
)
async def initiate_double_opt_in(
    call: Call[DoubleOptInCreate, NoInput], services: OptInServices
) -> Response[DoubleOptInOut]:
    """Ask a contact by text. On YES or CONFIRM the consent is recorded, and `consent_pending.confirmed` tells.

    202: the question is on its way; it is a text like any other, but needs no consent. 200: it is open already
    (`reused`), or the contact has agreed already (`already_opted_in`); nothing is sent. Whoever opted out is not asked.
    """
    faults = rules.faults(call.body.agreement_text, is_in_link=False)
    if faults:
        raise ValidationFailed(faults)
    settings = services.settings
    sender = await consents.require_number(call.db, call.tenant, call.body.phone_number_id)
    await consents.require_allowance(call.db, call.tenant, per_minute=settings.max_consent_captures_per_minute)
    async with call.transaction() as tx:
        result = await operations.ask(
            tx,
            call.tenant,
            call.body,
            sender=sender,
            life=timedelta(hours=settings.double_opt_in_hours),
            requires_propagation=settings.require_propagation,
            layouts=services.layouts,
        )
    if result.reused or result.already_opted_in:
        return Response(200, result)
    call.wake(messages.TOPIC)
    return Response(202, result)


@routes.route(
    "POST",
    "/v1/consent/hosted",
    scope="consent:write",
    answers={200: HostedFormOut},
    refuses=[ValidationFailed, NotFound],
    bare=True,
    is_secret=True,
)
async def mint_hosted_consent_token(call: Call[HostedFormCreate, NoInput], services: OptInServices) -> HostedFormOut:
    """Make a link to a form on which one contact can agree. Nothing is stored until that happens.

    The page shows the agreement, the number and your organization's name, and keeps address, browser and time as
    evidence. Agreeing twice with one link is harmless; a fresh link renews a consent that is getting old.
    """
    faults = rules.faults(call.body.agreement_text, is_in_link=True)
    if faults:
        raise ValidationFailed(faults)
    await consents.require_number(call.db, call.tenant, call.body.phone_number_id)
    token, expires_at = services.form_signer.mint(
        org_id=call.tenant.org_id,
        phone_number_id=call.body.phone_number_id,
        contact_number=call.body.contact_number,
        agreement_text=call.body.agreement_text,
        now=call.db.now,
    )
    return HostedFormOut(token, f"{services.public_url}/consent/{token}", expires_at)
