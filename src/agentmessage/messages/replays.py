"""Idempotency keys of a flush: which drafts are new, which repeat an earlier request, and what those get."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from msgspec import Struct

from agentmessage.kernel.db import Executor
from agentmessage.kernel.errors import ApiError
from agentmessage.messages.draft import Draft
from agentmessage.messages.model import Message
from agentmessage.messages.schemas import MessageOut
from agentmessage.web import idempotency
from agentmessage.web.idempotency import IdempotencyKey, KeyAlreadyUsed, StoredResponse
from agentmessage.web.types import Enveloped

ACCEPTED = 202
Key = tuple[UUID, str]
"""An organization and its key."""

_encode = msgspec.json.Encoder().encode


class Response(Struct, frozen=True):
    """What an admitted draft's key will return from now on."""

    org_id: UUID
    claim: IdempotencyKey
    body: bytes


class Keys(Struct, frozen=True):
    """The idempotency keys of a flush: responses stored before it, and the first draft of every other key."""

    stored: Mapping[Key, StoredResponse]
    firsts: Mapping[Key, Draft]

    def new(self, drafts: Sequence[Draft]) -> list[Draft]:
        """The drafts to judge: those without a key, and the first of each key that has no response yet."""
        return [draft for draft in drafts if draft.claim is None or self.firsts.get(_key(draft)) is draft]

    def responses(self, decisions: Mapping[UUID, Message | ApiError]) -> list[Response]:
        """The responses to store. A rejected draft leaves its key free."""
        return [
            Response(draft.tenant.org_id, draft.claim, body_of(message))
            for draft in self.firsts.values()
            if draft.claim is not None and isinstance(message := decisions[draft.id], Message)
        ]

    def outcome(self, draft: Draft, decisions: Mapping[UUID, Message | ApiError]) -> Message | Exception:
        """What a draft's request gets: its own decision, or what its key got before, maybe in this very flush."""
        decision = decisions.get(draft.id)
        if decision is not None:
            return decision
        assert draft.claim is not None  # noqa: S101 - a draft without a key is judged
        stored = self.stored.get(_key(draft)) or self._stored_now(_key(draft), decisions)
        if isinstance(stored, ApiError):
            return stored
        return idempotency.mismatch(stored.fingerprint, draft.claim) or KeyAlreadyUsed(stored)

    def _stored_now(self, key: Key, decisions: Mapping[UUID, Message | ApiError]) -> StoredResponse | ApiError:
        first = self.firsts[key]
        decision = decisions[first.id]
        if isinstance(decision, ApiError):
            return decision
        assert first.claim is not None  # noqa: S101 - it is the first draft of a key
        return StoredResponse(first.claim.fingerprint, ACCEPTED, {}, body_of(decision), None)


async def read_keys(db: Executor, drafts: Sequence[Draft]) -> Keys:
    """Look up the keys of a flush in one statement; in none if no draft has a key."""
    firsts: dict[Key, Draft] = {}
    for draft in drafts:
        if draft.claim is not None:
            firsts.setdefault(_key(draft), draft)
    if not firsts:
        return Keys({}, {})
    claims = [(key[0], draft.claim) for key, draft in firsts.items() if draft.claim is not None]
    stored = await idempotency.find_many(db, claims)
    return Keys(stored, {key: draft for key, draft in firsts.items() if key not in stored})


def keys_of(drafts: Sequence[Draft]) -> frozenset[Key]:
    """The keys of those drafts that have one."""
    return frozenset(_key(draft) for draft in drafts if draft.claim is not None)


def body_of(message: Message) -> bytes:
    """The response body of an accepted message."""
    return _encode(Enveloped(success=True, data=MessageOut.of(message)))


def _key(draft: Draft) -> Key:
    return draft.tenant.org_id, draft.claim.value if draft.claim is not None else ""
