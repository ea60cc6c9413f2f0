"""The verbs on consents, inside the caller's transaction: a contact agrees, or wants no more.

Each of them takes the organization's lock first (`lock_law`), so that no text is admitted beside it, and two claims on
one pair are decided one after the other.
"""

from collections.abc import Sequence
from uuid import UUID

from agentmessage.consent import opt_out_queries, queries, rules
from agentmessage.consent.errors import ContactOptedOut
from agentmessage.consent.model import (
    FROM_THE_HANDSET,
    NO_EVIDENCE,
    Change,
    Consent,
    ConsentMethod,
    Entry,
    Evidence,
    Grant,
    HistoryEvent,
    Outcome,
    Pair,
    Source,
    Suppression,
    Withdrawal,
)
from agentmessage.consent.schemas import ConsentResource
from agentmessage.kernel.db import Executor, Tx
from agentmessage.kernel.errors import NotFound
from agentmessage.kernel.ids import new_id
from agentmessage.kernel.tenant import Tenant
from agentmessage.organizations import operations as organizations
from agentmessage.outbox import events as outbox_events
from agentmessage.outbox.event_types import EventType
from agentmessage.web.rate_limits import require_token


async def lock_law(tx: Tx, org_id: UUID) -> int:
    """Keep who may be texted as it is until the commit, and make it known that it changed; answers the new version.

    The first lock of every transaction that changes the law: before wallets, and before everything else. Twice in one
    transaction is harmless.
    """
    return await queries.lock_sending(tx, org_id)


async def find(db: Executor, org_id: UUID, phone_number_id: UUID, contact_number: str) -> Consent | None:
    """The record of one pair, if there is one."""
    found = await queries.list_pairs(db, org_id, [Pair(phone_number_id, contact_number)])
    return found[0] if found else None


async def get(db: Executor, tenant: Tenant, consent_id: UUID) -> Consent:
    """One consent of the tenant's. Raises NotFound."""
    consent = await queries.find(db, tenant.org_id, consent_id)
    if consent is None:
        raise NotFound
    return consent


async def require_number(db: Executor, tenant: Tenant, phone_number_id: UUID) -> str:
    """The number itself (E.164), which the organization holds now. Raises NotFound."""
    held = await queries.list_assigned(db, tenant.org_id, [phone_number_id])
    if not held:
        raise NotFound
    return held[0].number


async def has_opted_out(db: Executor, org_id: UUID, phone_number_id: UUID, contact_number: str) -> bool:
    """Whether an opt-out or a revocation stands against a pair, whichever number was told."""
    known = await find(db, org_id, phone_number_id, contact_number)
    if known is not None and known.suppressed_by is not None:
        return True
    pair = Pair(phone_number_id, contact_number)
    return pair in await opt_out_queries.list_reaching(db, org_id, [pair])


async def has_heard(db: Executor, consent: Consent | None, raw_event_id: str) -> bool:
    """Whether a message, challenge or form token has left its line in a consent's history."""
    return consent is not None and await queries.has_entry(db, consent.org_id, consent.id, raw_event_id)


async def require_allowance(db: Executor, tenant: Tenant, *, per_minute: int, count: int = 1) -> None:
    """Spend `count` of what the organization may bring in a minute, by whatever operation. Raises RateLimited."""
    await require_token(db, tenant, "consent_captures", per_minute=per_minute, count=count)


async def capture(tx: Tx, tenant: Tenant, grants: Sequence[Grant]) -> list[Change]:
    """Record what the customer attests, in a few statements whatever the number; answers in order.

    Each stands alone: one that may not lift an opt-out is SUPPRESSED and writes nothing. Of two for one pair the second
    meets the first. The numbers must be the organization's (`require_number`).
    """
    await lock_law(tx, tenant.org_id)
    pairs = list({grant.pair: None for grant in grants})
    outs = await opt_out_queries.list_reaching(tx, tenant.org_id, pairs)
    known = {consent.pair: consent for consent in await queries.list_pairs(tx, tenant.org_id, pairs)}
    changes: list[Change] = []
    for grant in grants:
        change = rules.granted(
            known.get(grant.pair),
            grant,
            out=outs.get(grant.pair),
            org_id=tenant.org_id,
            fresh_id=new_id(),
            now=tx.now,
        )
        if change.consent is not None:
            known[grant.pair] = change.consent
        changes.append(change)
    await _store(tx, tenant.org_id, list(zip(grants, changes, strict=True)))
    return changes


async def attest(tx: Tx, tenant: Tenant, grant: Grant) -> Change:
    """Record one attested consent. Raises ContactOptedOut: nothing is kept of an attestation that does not count."""
    (change,) = await capture(tx, tenant, [grant])
    if change.outcome is Outcome.SUPPRESSED:
        raise ContactOptedOut
    return change


async def opt_in(
    tx: Tx,
    org_id: UUID,
    phone_number_id: UUID,
    contact_number: str,
    *,
    method: ConsentMethod,
    source: Source,
    keyword: str | None = None,
    raw_event_id: str | None = None,
    evidence: Evidence = NO_EVIDENCE,
) -> Outcome:
    """The contact says yes now: OPTED_IN, RECONFIRMED (it stood), SUPPRESSED, or UNCHANGED (heard before).

    START is `method` SMS_KEYWORD with its `keyword` from INBOUND_REPLY: it also lifts an opt-out that came from the
    handset, for this number, and all that a STOP to this number set elsewhere. No fuzzy match may ever come here.
    """
    await lock_law(tx, org_id)
    pair = Pair(phone_number_id, contact_number)
    grant = Grant(
        pair=pair,
        method=method,
        source=source,
        occurred_at=tx.now,
        evidence=evidence,
        keyword=keyword,
        raw_event_id=raw_event_id,
    )
    old = await find(tx, org_id, phone_number_id, contact_number)
    if raw_event_id is not None and await has_heard(tx, old, raw_event_id):
        return Outcome.UNCHANGED
    out = (await opt_out_queries.list_reaching(tx, org_id, [pair])).get(pair)
    change = rules.granted(old, grant, out=out, org_id=org_id, fresh_id=new_id(), now=tx.now)
    if out is not None and change.outcome is Outcome.OPTED_IN:
        await _lift(tx, org_id, grant)
    await _store(tx, org_id, [(grant, change)])
    return change.outcome


async def opt_out(
    tx: Tx,
    org_id: UUID,
    phone_number_id: UUID,
    contact_number: str,
    *,
    by: Suppression,
    source: Source,
    keyword: str | None = None,
    raw_event_id: str | None = None,
) -> bool:
    """The contact wants no more. True: that is new, or binds harder than before, so it deserves one confirmation.

    What came from the handset reaches as far as the organization's `opt_out_scope`; a revocation is of its pair. Voids
    open double opt-ins. Queued messages are canceled by who listens to contact.opted_out; admission and hand-over
    judge the consent anyway.
    """
    await lock_law(tx, org_id)
    no = Withdrawal(
        pair=Pair(phone_number_id, contact_number), by=by, source=source, keyword=keyword, raw_event_id=raw_event_id
    )
    old = await find(tx, org_id, phone_number_id, contact_number)
    if raw_event_id is not None and await has_heard(tx, old, raw_event_id):
        return False
    out = (await opt_out_queries.list_reaching(tx, org_id, [no.pair])).get(no.pair)
    change = rules.withdrawn(old, no, out=out, org_id=org_id, fresh_id=new_id(), now=tx.now)
    reached = await _reach(tx, org_id, no) if by in FROM_THE_HANDSET else []
    out = (await opt_out_queries.list_reaching(tx, org_id, [no.pair])).get(no.pair)
    voided = [phone_number_id, *await list_reached(tx, org_id, contact_number)]
    await opt_out_queries.cancel_challenges(tx, org_id, voided, contact_number)
    await _store(tx, org_id, [(no, rules.shown(change, out)), *reached])
    return change.entry is not None or bool(reached)


async def list_reached(db: Executor, org_id: UUID, contact_number: str) -> list[UUID]:
    """The organization's numbers that may not text a contact: out of reach by an opt-out, or by a revocation."""
    return await opt_out_queries.list_reached(db, org_id, contact_number)


async def revoke(tx: Tx, tenant: Tenant, consent_id: UUID) -> Consent:
    """The customer takes a consent back; once more writes nothing. Raises NotFound."""
    await lock_law(tx, tenant.org_id)
    old = await get(tx, tenant, consent_id)
    if not old.opted_in:
        return old
    await opt_out(
        tx,
        tenant.org_id,
        old.phone_number_id,
        old.contact_number,
        by=Suppression.REVOCATION,
        source=Source.API,
    )
    await organizations.record(tx, tenant, action="consent.revoke", resource_type="consent", resource_id=consent_id)
    return await get(tx, tenant, consent_id)


async def _reach(tx: Tx, org_id: UUID, no: Withdrawal) -> list[tuple[Withdrawal, Change]]:
    """Write how far an opt-out reaches; answers what it changes for the contact's other consents."""
    before = await queries.list_contact(tx, org_id, no.pair.contact_number)
    await opt_out_queries.insert(tx, org_id, no)
    after = await queries.list_contact(tx, org_id, no.pair.contact_number)
    others = [one for one in rules.newly_out(before, after) if one.pair != no.pair]
    return [(no, rules.touched(one, HistoryEvent.OPT_OUT, tx.now)) for one in others]


async def _lift(tx: Tx, org_id: UUID, start: Grant) -> None:
    """Take back what the contact's STOP to this number reached; other numbers' consents count again by it."""
    before = await queries.list_contact(tx, org_id, start.pair.contact_number)
    await opt_out_queries.lift(tx, org_id, start.pair)
    after = await queries.list_contact(tx, org_id, start.pair.contact_number)
    others = [one for one in rules.back_again(before, after) if one.pair != start.pair]
    await _store(tx, org_id, [(start, rules.touched(one, HistoryEvent.OPT_IN, tx.now)) for one in others])


async def _store(tx: Tx, org_id: UUID, decided: Sequence[tuple[Grant | Withdrawal, Change]]) -> None:
    """Write what changed: records, history and news, as they are once all opt-outs are written."""
    changed = [(claim, one.consent, one) for claim, one in decided if one.entry is not None and one.consent is not None]
    if not changed:
        return
    await queries.upsert(tx, org_id, [consent for _, consent, _ in changed])
    entries = [_entry(tx, claim, consent, change.entry) for claim, consent, change in changed if change.entry]
    await queries.insert_entries(tx, org_id, entries)
    for kind, is_in in ((EventType.CONTACT_OPTED_IN, True), (EventType.CONTACT_OPTED_OUT, False)):
        news = [
            (consent.id, ConsentResource.of(consent))
            for _, consent, change in changed
            if change.is_news and consent.counts is is_in
        ]
        await outbox_events.emit_many(tx, org_id, kind, news)


def _entry(tx: Tx, claim: Grant | Withdrawal, consent: Consent, event: HistoryEvent) -> Entry:
    evidence, method, occurred_at = NO_EVIDENCE, None, tx.now
    if isinstance(claim, Grant):
        evidence, method, occurred_at = claim.evidence, claim.method.value, claim.occurred_at
    return Entry(
        id=new_id(),
        consent_id=consent.id,
        event=event.value,
        keyword=claim.keyword,
        source=claim.source.value,
        raw_event_id=claim.raw_event_id,
        occurred_at=occurred_at,
        recorded_at=tx.now,
        evidence_ip=evidence.ip,
        evidence_user_agent=evidence.user_agent,
        evidence_agreement_text=evidence.agreement_text,
        evidence_agreement_text_hash=rules.digest(evidence.agreement_text),
        evidence_form_url=evidence.form_url,
        evidence_consent_method=method,
    )
