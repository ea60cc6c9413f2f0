"""The operations of `client.contacts`. Generated from the contract by `tools/make_sdk.py`."""

from agentmessage.sdk._request import Request, given, segment
from agentmessage.sdk.models.contacts import Erased
from agentmessage.sdk.sync.resource import Resource


class ContactsOperations(Resource):
    """The operations of `client.contacts`."""

    def erase(self, contact_number: str, *, idempotency_key: str | None = None) -> Erased:
        """Erase everything that was said with a contact.

        The content of every message to and from the number is taken out, over all numbers of the organization: bodies,
        media, previews, events, tags and metadata. Uploads that nobody else was sent are out of reach at once. What
        still waits to be sent to it is canceled. That there were messages stays, and so do consent and its history. An
        audit record is written each time; a number that nobody knows counts zeros. 100 an hour. Keep this scope on a
        key of its own.

        - `contact_number`: The contact's number, URL-encoded: `%2B14155550177`.

        Scope: `messages:erase`. Raises ValidationFailedError, InvalidInputError, IdempotencyKeyReusedError,
        RateLimitedError.
        """
        return self._one(
            Erased,
            Request(
                "POST", f"/v1/contacts/{segment(contact_number)}/erase", body=given({}), idempotency_key=idempotency_key
            ),
        )
