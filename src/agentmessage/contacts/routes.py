"""Erasure over HTTP."""

from agentmessage.contacts import operations
from agentmessage.contacts.schemas import ContactErase, ErasedOut
from agentmessage.kernel.errors import MalformedPathId, RateLimited
from agentmessage.web.rate_limits import require_hourly_token
from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, PathParameter, Routes

routes = Routes("Contacts")

BUCKET = "contact_erasures"
PER_HOUR = 100

CONTACT = PathParameter(
    pattern=r"\+[1-9][0-9]{6,14}|[0-9]{3,8}",
    must="must be E.164, or a short code of 3..8 digits",
    example="+14155550177",
    description="The contact's number, URL-encoded: `%2B14155550177`.",
    fault=MalformedPathId,
)


@routes.route(
    "POST",
    "/v1/contacts/{contact_number}/erase",
    scope="messages:erase",
    answers={200: ErasedOut},
    refuses=[RateLimited],
    optional_body=True,
    texts={"contact_number": CONTACT},
    example={},
)
async def erase_contact(call: Call[ContactErase, NoInput]) -> ErasedOut:
    """Erase everything that was said with a contact.

    The content of every message to and from the number is taken out, over all numbers of the organization: bodies,
    media, previews, events, tags and metadata. Uploads that nobody else was sent are out of reach at once. What still
    waits to be sent to it is canceled. That there were messages stays, and so do consent and its history. An audit
    record is written each time; a number that nobody knows counts zeros. 100 an hour.
    Keep this scope on a key of its own.
    """
    await require_hourly_token(call.db, call.tenant, BUCKET, per_hour=PER_HOUR)
    async with call.transaction() as tx:
        erased = await operations.erase(tx, call.tenant, call.text)
    call.wake("events")
    return ErasedOut.of(erased)
