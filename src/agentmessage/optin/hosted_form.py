"""The hosted form: what a contact sees behind a link, and how an agreement is taken. Outside `/v1/`, without a key.

Looking at the page changes nothing, so that previews and mail scanners agree to nothing; only the form does.
"""

from urllib.parse import parse_qs

import phonenumbers
import structlog

from agentmessage.consent import operations as consents
from agentmessage.consent.model import FROM_THE_HANDSET, Consent, Evidence, Outcome
from agentmessage.kernel.db import DATABASE_UNAVAILABLE, CellDb, Cells, Executor
from agentmessage.kernel.errors import NotFound
from agentmessage.kernel.tenant import Tenant
from agentmessage.optin import operations
from agentmessage.optin.form_html import Form, page
from agentmessage.optin.model import FormToken
from agentmessage.optin.tokens import BadToken, ExpiredToken, FormSigner
from agentmessage.organizations import operations as organizations
from agentmessage.web.client_address import address_of
from agentmessage.web.negotiation import essence
from agentmessage.web.request import RawHeaders, read_headers
from agentmessage.web.responses import HttpResponse, Receive, Scope

log = structlog.get_logger("agentmessage.optin")

PREFIX = "/consent/"
MAX_BODY_BYTES = 4 * 1024
MAX_USER_AGENT_CHARS = 1024
FORM_TYPE = "application/x-www-form-urlencoded"

NO_SUCH_PAGE = page(404, "This link does not work", "It may have been cut on its way. Ask for a new one.")
GONE = page(410, "This link has expired", "Nothing was recorded. Ask whoever sent it for a new one.")
NO_LONGER_IN_USE = page(410, "This link is no longer in use", "The number that it was for has changed hands.")
WRONG_METHOD = page(405, "That is not possible here", headers={"Allow": "GET, HEAD, POST"})
NO_FORM = page(415, "That was not understood", "Go back, and use the form on the page.")
TOO_LARGE = page(413, "That was not understood", "Go back, and use the form on the page.")
AWAY = page(503, "Please try again in a moment", "Nothing was recorded.", headers={"Retry-After": "5"})


class ConsentPage:
    """Serves `/consent/{token}`. `trusted_proxy_count`: whose X-Forwarded-For is believed."""

    def __init__(self, cells: Cells, signer: FormSigner, *, public_url: str, trusted_proxy_count: int) -> None:
        self._cells = cells
        self._signer = signer
        self._form_url = f"{public_url}/consent"
        self._proxies_in_front = trusted_proxy_count

    async def answer(self, scope: Scope, receive: Receive) -> HttpResponse:
        """One request as a page, whatever happens."""
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return WRONG_METHOD
        try:
            directory = await self._cells.directory()
            token = self._signer.read(scope["path"].removeprefix(PREFIX), directory.now)
            return await self._answer(token, scope, receive)
        except ExpiredToken:
            return GONE
        except (BadToken, NotFound):
            return NO_SUCH_PAGE
        except DATABASE_UNAVAILABLE as error:
            log.warning("database unavailable", error=str(error) or type(error).__name__)
            return AWAY

    async def _answer(self, token: FormToken, scope: Scope, receive: Receive) -> HttpResponse:
        tenant = await organizations.tenant_of(self._cells, token.org_id)
        db = await self._cells.cell(tenant.cell)
        try:
            number = await consents.require_number(db, tenant, token.phone_number_id)
        except NotFound:
            return NO_LONGER_IN_USE
        form = await _form(db, tenant, token, number)
        if scope["method"] != "POST":
            return await _look(db, token, form)
        headers: RawHeaders = scope["headers"]
        if essence(read_headers(headers).get("content-type", "")) != FORM_TYPE:
            return NO_FORM
        body = await _read(receive)
        if body is None:
            return TOO_LARGE
        if not _agrees(body):
            return page(422, _title(form), form=form, problem="Tick the box if you agree, then press Agree.")
        return await self._take(db, token, form, self._evidence(scope, token))

    async def _take(self, db: CellDb, token: FormToken, form: Form, evidence: Evidence) -> HttpResponse:
        async with db.transaction() as tx:
            outcome = await operations.agree(tx, token, evidence)
            known = await consents.find(tx, token.org_id, token.phone_number_id, token.contact_number)
            has_left = await _has_left(tx, token, known)
        if outcome is Outcome.SUPPRESSED or known is None or not known.counts:
            return _opted_out(409, form, has_left=has_left)
        return _done(form)

    def _evidence(self, scope: Scope, token: FormToken) -> Evidence:
        headers = read_headers(scope["headers"])
        user_agent = headers.get("user-agent", "").replace("\x00", "")[:MAX_USER_AGENT_CHARS]
        return Evidence(
            agreement_text=token.agreement_text,
            ip=address_of(scope, self._proxies_in_front),
            user_agent=user_agent or None,
            form_url=self._form_url,
        )


async def _look(db: CellDb, token: FormToken, form: Form) -> HttpResponse:
    known = await consents.find(db, token.org_id, token.phone_number_id, token.contact_number)
    has_left = await _has_left(db, token, known)
    if await consents.has_heard(db, known, token.id):
        return _done(form) if known is not None and known.counts else _opted_out(200, form, has_left=has_left)
    if has_left:
        return _opted_out(200, form, has_left=True)
    return page(200, _title(form), form=form)


async def _has_left(db: Executor, token: FormToken, known: Consent | None) -> bool:
    """Whether the contact said no by text, to this number or to another whose opt-out reaches it."""
    if known is not None and known.suppressed_by is not None:
        return known.suppressed_by in FROM_THE_HANDSET
    return await consents.has_opted_out(db, token.org_id, token.phone_number_id, token.contact_number)


async def _form(db: CellDb, tenant: Tenant, token: FormToken, number: str) -> Form:
    organization = await organizations.get(db, tenant)
    return Form(organization.name, _readable(number), token.contact_number[-4:], token.agreement_text)


def _title(form: Form) -> str:
    return f"Texts from {form.organization}"


def _done(form: Form) -> HttpResponse:
    return page(
        200,
        "You have agreed",
        f"{form.organization} may now text you from {form.number}.",
        "To end it, reply STOP to any of the texts. You can close this page.",
    )


def _opted_out(status: int, form: Form, *, has_left: bool) -> HttpResponse:
    if has_left:
        return page(
            status,
            "You have opted out",
            f"You asked {form.organization} to stop, and they will not text you.",
            f"If you want their texts again, text START to {form.number} from your phone.",
        )
    return page(status, "This agreement has ended", f"Ask {form.organization} for a new link if you want their texts.")


def _readable(number: str) -> str:
    parsed = phonenumbers.parse(number)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _agrees(body: bytes) -> bool:
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=10)
    except ValueError:
        return False
    return fields.get("agree") == ["yes"]


async def _read(receive: Receive) -> bytes | None:
    """The body; None as soon as it is longer than any that the form sends."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            return None
        if not message.get("more_body"):
            return body
