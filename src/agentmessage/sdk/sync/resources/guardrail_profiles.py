"""The operations of `client.guardrails.profiles`. Generated from the contract by `tools/make_sdk.py`."""

from typing import Unpack

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Id, Request, segment
from agentmessage.sdk.models.guardrails import Profile, ProfileChanges, ProfileFields
from agentmessage.sdk.sync.pages import Page
from agentmessage.sdk.sync.resource import Resource


class GuardrailProfilesOperations(Resource):
    """The operations of `client.guardrails.profiles`."""

    def list(self, *, cursor: str | UnsetType = UNSET, limit: int | UnsetType = UNSET) -> Page[Profile]:
        """List guardrail profiles, newest first.

        - `limit`: 1 to 100, 50 unless given.

        Scope: `org:read`. Raises ValidationFailedError.
        """
        return self._page(Profile, Request("GET", "/v1/guardrails/profiles", query={"cursor": cursor, "limit": limit}))

    def create(self, *, idempotency_key: str | None = None, **fields: Unpack[ProfileFields]) -> Profile:
        """Create a guardrail profile.

        It has no effect until it is bound.

        A tool is on with `*_disabled: false` and its settings, off with `true`, and left to the next wider scope with
        null.

        Scope: `org:admin:write`. Raises InvalidInputError, IdempotencyKeyReusedError, ValidationFailedError.
        """
        return self._one(
            Profile, Request("POST", "/v1/guardrails/profiles", body=fields, idempotency_key=idempotency_key)
        )

    def get(self, profile_id: Id) -> Profile:
        """Read one guardrail profile.

        Scope: `org:read`. Raises NotFoundError, ValidationFailedError.
        """
        return self._one(Profile, Request("GET", f"/v1/guardrails/profiles/{segment(profile_id)}"))

    def update(self, profile_id: Id, **fields: Unpack[ProfileChanges]) -> Profile:
        """Change a guardrail profile, wherever it is bound, from the next text on.

        Left out stays, a value is set, null goes back to inheriting.

        Scope: `org:admin:write`. Raises InvalidInputError, NotFoundError, ValidationFailedError.
        """
        return self._one(Profile, Request("PATCH", f"/v1/guardrails/profiles/{segment(profile_id)}", body=fields))

    def delete(self, profile_id: Id) -> None:
        """Delete a guardrail profile.

        Refused while it is bound.

        Scope: `org:admin:write`. Raises NotFoundError, ConflictError, ValidationFailedError.
        """
        self._nothing(Request("DELETE", f"/v1/guardrails/profiles/{segment(profile_id)}"))
