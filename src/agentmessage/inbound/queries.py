"""Statements on texts that came in: raw, in parts, whole."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import msgspec

from agentmessage.conversations.model import Place
from agentmessage.inbound.model import Home, Inbound, Line, Part, PartsKey, RawText, Stored, Whole
from agentmessage.kernel.db import Executor
from agentmessage.organizations.model import AutoReplies, OptOutScope


async def list_homes(db: Executor, account: str, numbers: Sequence[str]) -> Mapping[str, Home]:
    """Which organization holds each number, or held it last while it is in quarantine, and the cell that it lives in.

    By the directory's primary key.
    """
    rows = await db.all(
        _home,
        """SELECT number, org_id, cell FROM directory.inventory
           WHERE account = $1 AND number = ANY ($2) AND state IN ('assigned', 'quarantined') AND org_id IS NOT NULL""",
        account,
        numbers,
    )
    return dict(rows)


async def list_lines(
    db: Executor, org_id: UUID, account: str, numbers: Sequence[str], *, state: str = "assigned"
) -> list[Line]:
    """Those of the numbers in one state, with what their answers are made of; every join is by a primary key."""
    return await db.all(
        _line,
        """SELECT n.id, n.number, coalesce(b.display_name, o.name), b.fields ->> 'website', coalesce(c.fields, '{}'),
                  o.auto_replies, o.opt_out_scope
           FROM phone_numbers n JOIN organizations o ON o.id = n.org_id
           LEFT JOIN campaigns c ON c.org_id = n.org_id AND c.id = n.campaign_id
           LEFT JOIN brands b ON b.org_id = n.org_id AND b.id = c.brand_id
           WHERE n.org_id = $1 AND n.account = $2 AND n.number = ANY ($3) AND n.state = $4""",
        org_id,
        account,
        numbers,
        state,
    )


async def insert_raw(
    db: Executor, raws: Sequence[RawText], *, org_id: UUID | None, problem: str | None = None, parsed: object = None
) -> frozenset[UUID]:
    """Keep what came, once; answers the ids of what is new. `parsed` is for one alone.

    Waits for another transaction that is just keeping the same; in one order, so that two never wait for each other.
    """
    if not raws:
        return frozenset()
    kept = await db.all(
        _uuid,
        """INSERT INTO inbound_raw (id, org_id, account, carrier, carrier_message_id, from_number, to_number, raw,
               parsed, problem, received_at)
           SELECT g.id, $1, $2, g.carrier, g.message_id, g.sender, g.recipient, g.raw, $3, $4, $5
           FROM unnest($6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bytea[])
                g (id, carrier, message_id, sender, recipient, raw)
           ORDER BY g.carrier, g.message_id ON CONFLICT DO NOTHING RETURNING id""",
        org_id,
        raws[0].account,
        parsed,
        problem,
        db.now,
        [raw.id for raw in raws],
        [raw.carrier for raw in raws],
        [raw.carrier_message_id for raw in raws],
        [raw.sender for raw in raws],
        [raw.recipient for raw in raws],
        [raw.raw for raw in raws],
    )
    return frozenset(kept)


async def lock_failed(tx: Executor, raw_id: UUID) -> Stored | None:
    """A raw text that was not applied; None when it has been since. Its id is ours: no tenant is named."""
    return await tx.one(
        Stored, "SELECT account, parsed FROM inbound_raw WHERE id = $1 AND problem = 'failed' FOR UPDATE", raw_id
    )


async def delete_raw(tx: Executor, raw_id: UUID) -> None:
    """Forget a raw text, to receive it anew in the same transaction. Its id is ours: no tenant is named."""
    await tx.run("DELETE FROM inbound_raw WHERE id = $1", raw_id)


async def delete_raw_before(db: Executor, before: datetime) -> int:
    """Forget raw texts past their retention, at most 10,000 at a time; by inbound_raw_age_idx."""
    return await db.run(
        """DELETE FROM inbound_raw WHERE id IN
           (SELECT id FROM inbound_raw WHERE received_at < $1 ORDER BY received_at LIMIT 10000)""",
        before,
    )


async def count_problems(db: Executor, since: datetime) -> Mapping[str, int]:
    """How many texts could not be applied since an instant, by why; by inbound_raw_problem_idx."""
    rows = await db.all(
        _count,
        """SELECT problem, count(*) FROM inbound_raw WHERE problem IS NOT NULL AND received_at >= $1
           GROUP BY problem""",
        since,
    )
    return dict(rows)


async def lock_parts(tx: Executor, key: PartsKey) -> None:
    """Take turns with the other parts of one text, until the commit: of two last parts the later one sees both."""
    await tx.value(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
        f"{key.account}|{key.carrier}|{key.sender}|{key.recipient}|{key.reference}|{key.parts}",
    )


async def insert_part(tx: Executor, key: PartsKey, part: Part) -> None:
    """Keep one part. One that is there from an older text with the same reference gives way."""
    await tx.run(
        """INSERT INTO inbound_parts (account, carrier, from_number, to_number, reference, parts, part, body,
               carrier_message_id, carrier_received_at, received_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
           ON CONFLICT (account, carrier, from_number, to_number, reference, parts, part) DO UPDATE
           SET body = $8, carrier_message_id = $9, carrier_received_at = $10, received_at = $11""",
        key.account,
        key.carrier,
        key.sender,
        key.recipient,
        key.reference,
        key.parts,
        part.part,
        part.body.encode("utf-16-le", "surrogatepass"),
        part.carrier_message_id,
        part.carrier_received_at,
        tx.now,
    )


async def list_parts(tx: Executor, key: PartsKey) -> list[Part]:
    """The parts of one text that have come, in order."""
    return await tx.all(
        _part,
        """SELECT part, body, carrier_message_id, carrier_received_at FROM inbound_parts
           WHERE account = $1 AND carrier = $2 AND from_number = $3 AND to_number = $4 AND reference = $5 AND parts = $6
           ORDER BY part""",
        key.account,
        key.carrier,
        key.sender,
        key.recipient,
        key.reference,
        key.parts,
    )


async def delete_parts(tx: Executor, key: PartsKey) -> None:
    """Forget the parts of a text that is whole now."""
    await tx.run(
        """DELETE FROM inbound_parts
           WHERE account = $1 AND carrier = $2 AND from_number = $3 AND to_number = $4 AND reference = $5
             AND parts = $6""",
        key.account,
        key.carrier,
        key.sender,
        key.recipient,
        key.reference,
        key.parts,
    )


async def list_stale_parts(db: Executor, before: datetime, *, limit: int) -> list[PartsKey]:
    """Texts of which no part has come since an instant; by inbound_parts_age_idx."""
    return await db.all(
        PartsKey,
        """SELECT account, carrier, from_number, to_number, reference, parts FROM inbound_parts p
           WHERE received_at < $1 AND NOT EXISTS (
               SELECT FROM inbound_parts q
               WHERE q.account = p.account AND q.carrier = p.carrier AND q.from_number = p.from_number
                 AND q.to_number = p.to_number AND q.reference = p.reference AND q.parts = p.parts
                 AND q.received_at >= $1)
           GROUP BY 1, 2, 3, 4, 5, 6 LIMIT $2""",
        before,
        limit,
    )


async def insert(tx: Executor, org_id: UUID, account: str, inbounds: Sequence[Inbound]) -> None:
    """Store texts."""
    await tx.run(
        """INSERT INTO inbound_messages (id, org_id, account, phone_number_id, from_number, to_number, body, channel,
               media_urls, segment_count, opt_out_detected, opt_out_keyword, opt_out_method, carrier,
               carrier_message_id, carrier_received_at, received_at)
           SELECT g.id, $1, $2, g.number_id, g.sender, g.recipient, g.body, g.channel,
                  ARRAY (SELECT jsonb_array_elements_text(g.media::jsonb)), g.segments, g.keyword IS NOT NULL,
                  g.keyword, g.method, g.carrier, g.message_id, g.carrier_at, g.received_at
           FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::int[],
                       $11::text[], $12::text[], $13::text[], $14::text[], $15::timestamptz[], $16::timestamptz[])
                g (id, number_id, sender, recipient, body, channel, media, segments, keyword, method, carrier,
                   message_id, carrier_at, received_at)""",
        org_id,
        account,
        [inbound.id for inbound in inbounds],
        [inbound.phone_number_id for inbound in inbounds],
        [inbound.sender for inbound in inbounds],
        [inbound.recipient for inbound in inbounds],
        [inbound.body for inbound in inbounds],
        [inbound.channel for inbound in inbounds],
        [msgspec.json.encode(inbound.media_urls).decode() for inbound in inbounds],  # a list of lists is a matrix
        [inbound.segment_count for inbound in inbounds],
        [inbound.opt_out_keyword for inbound in inbounds],
        [inbound.opt_out_method for inbound in inbounds],
        [inbound.carrier for inbound in inbounds],
        [inbound.carrier_message_id for inbound in inbounds],
        [inbound.carrier_received_at for inbound in inbounds],
        [inbound.received_at for inbound in inbounds],
    )


async def list_stored(tx: Executor, org_id: UUID, account: str, wholes: Sequence[Whole]) -> frozenset[tuple[str, str]]:
    """Which texts came before: for repetitions that come after their raw form was forgotten."""
    if not wholes:
        return frozenset()
    rows = await tx.all(
        _key,
        """SELECT i.carrier, i.carrier_message_id FROM unnest($3::text[], $4::text[]) g (carrier, message_id)
           JOIN inbound_messages i
             ON i.account = $2 AND i.carrier = g.carrier AND i.carrier_message_id = g.message_id
           WHERE i.org_id = $1""",
        org_id,
        account,
        [whole.carrier for whole in wholes],
        [whole.carrier_message_id for whole in wholes],
    )
    return frozenset(rows)


async def list_asked(tx: Executor, org_id: UUID, places: Sequence[Place]) -> frozenset[Place]:
    """Those of the pairs with a double opt-in that waits for YES; by consent_challenges_open_idx."""
    rows = await tx.all(
        Place,
        """SELECT c.phone_number_id, c.contact_number FROM unnest($2::uuid[], $3::text[]) g (number_id, contact)
           JOIN consent_challenges c
             ON c.org_id = $1 AND c.phone_number_id = g.number_id AND c.contact_number = g.contact
                AND c.status = 'pending'""",
        org_id,
        [place.phone_number_id for place in places],
        [place.contact_number for place in places],
    )
    return frozenset(rows)


COLUMNS: LiteralString = """SELECT id, org_id, phone_number_id, from_number, to_number, body, channel, media_urls,
       segment_count, opt_out_detected, opt_out_keyword, opt_out_method, carrier, carrier_message_id,
       carrier_received_at, received_at, redacted_at
FROM inbound_messages WHERE org_id = $1"""


async def find(db: Executor, org_id: UUID, inbound_id: UUID) -> Inbound | None:
    """One text."""
    return await db.one(Inbound, COLUMNS + " AND id = $2", org_id, inbound_id)


_FROM: LiteralString = " AND from_number = $2"
_TO: LiteralString = " AND to_number = $3"
_NUMBER: LiteralString = " AND phone_number_id = $4"
_OPT_OUT: LiteralString = " AND opt_out_detected"
_ANY: LiteralString = ""


def _narrowest(
    sender: str | None, recipient: str | None, phone_number_id: UUID | None = None, *, opt_out: bool | None = None
) -> LiteralString:
    """The condition by which an index is found; beside it every filter is optional to the statement."""
    if sender is not None:
        return _FROM
    if recipient is not None:
        return _TO
    if phone_number_id is not None:
        return _NUMBER
    return _OPT_OUT if opt_out else _ANY


_NEWEST: LiteralString = """SELECT received_at FROM inbound_messages
WHERE org_id = $1 AND ($2::text IS NULL OR from_number = $2) AND ($3::text IS NULL OR to_number = $3)"""


async def newest_at(db: Executor, org_id: UUID, *, sender: str | None, recipient: str | None) -> datetime | None:
    """When the newest text came; None when none did."""
    moment: datetime | None = await db.value(
        _NEWEST + _narrowest(sender, recipient) + " ORDER BY received_at DESC LIMIT 1",
        org_id,
        sender,
        recipient,
    )
    return moment


async def find_after(
    db: Executor, org_id: UUID, *, since: datetime | None, sender: str | None, recipient: str | None
) -> Inbound | None:
    """The oldest text that came after an instant (None: ever)."""
    return await db.one(
        Inbound,
        COLUMNS
        + """ AND ($2::text IS NULL OR from_number = $2) AND ($3::text IS NULL OR to_number = $3)
              AND received_at > coalesce($4::timestamptz, '-infinity')"""
        + _narrowest(sender, recipient)
        + " ORDER BY received_at, id LIMIT 1",
        org_id,
        sender,
        recipient,
        since,
    )


async def list_(
    db: Executor,
    org_id: UUID,
    *,
    before_at: datetime | None,
    before_id: UUID | None,
    sender: str | None,
    recipient: str | None,
    phone_number_id: UUID | None,
    channel: str | None,
    opt_out: bool | None,
    since: datetime | None,
    limit: int,
) -> list[Inbound]:
    """Texts, newest first, below a place in the list."""
    return await db.all(
        Inbound,
        COLUMNS
        + """ AND ($2::text IS NULL OR from_number = $2) AND ($3::text IS NULL OR to_number = $3)
              AND ($4::uuid IS NULL OR phone_number_id = $4) AND ($5::text IS NULL OR channel = $5)
              AND ($6::boolean IS NULL OR opt_out_detected = $6)
              AND received_at >= coalesce($7::timestamptz, '-infinity')
              AND (received_at, id) < (coalesce($8::timestamptz, 'infinity'),
                                       coalesce($9::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))"""
        + _narrowest(sender, recipient, phone_number_id, opt_out=opt_out)
        + " ORDER BY received_at DESC, id DESC LIMIT $10",
        org_id,
        sender,
        recipient,
        phone_number_id,
        channel,
        opt_out,
        since,
        before_at,
        before_id,
        limit,
    )


def _line(phone_number_id: UUID, number: str, sender_name: str, *rest: Any) -> Line:
    website, fields, auto_replies, scope = rest
    replies = msgspec.convert(auto_replies, AutoReplies)
    return Line(phone_number_id, number, sender_name, website, fields, replies, OptOutScope(scope))


def _part(part: int, body: bytes, carrier_message_id: str, carrier_received_at: datetime | None) -> Part:
    return Part(part, body.decode("utf-16-le", "surrogatepass"), carrier_message_id, carrier_received_at)


def _count(problem: str, number: int) -> tuple[str, int]:
    return problem, number


def _home(number: str, org_id: UUID, cell: str) -> tuple[str, Home]:
    return number, Home(org_id, cell)


def _uuid(raw_id: UUID) -> UUID:
    return raw_id


def _key(carrier: str, carrier_message_id: str) -> tuple[str, str]:
    return carrier, carrier_message_id
