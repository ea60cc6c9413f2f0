"""Statements on texts that came in: raw, in parts, whole."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import msgspec

from agentmessage.inbound.model import Home, Inbound, Line, Part, PartsKey, RawText, Stored, Whole
from agentmessage.kernel.db import Statements
from agentmessage.kernel.ids import new_id
from agentmessage.organizations.model import AutoReplies


async def find_home(db: Statements, account: str, number: str) -> Home | None:
    """Which organization holds a number, and the cell that it lives in; by the directory's primary key."""
    return await db.one(
        Home,
        "SELECT org_id, cell FROM directory.inventory WHERE account = $1 AND number = $2 AND state = 'assigned'",
        account,
        number,
    )


async def find_line(db: Statements, org_id: UUID, account: str, number: str) -> Line | None:
    """A number that is assigned, with what its answers are made of; every join is by a primary key."""
    return await db.one(
        _line,
        """SELECT n.id, n.number, coalesce(b.display_name, o.name), b.fields ->> 'website', coalesce(c.fields, '{}'),
                  o.auto_replies
           FROM phone_numbers n JOIN organizations o ON o.id = n.org_id
           LEFT JOIN campaigns c ON c.org_id = n.org_id AND c.id = n.campaign_id
           LEFT JOIN brands b ON b.org_id = n.org_id AND b.id = c.brand_id
           WHERE n.org_id = $1 AND n.account = $2 AND n.number = $3 AND n.state = 'assigned'""",
        org_id,
        account,
        number,
    )


async def insert_raw(
    db: Statements, raw: RawText, *, org_id: UUID | None, problem: str | None = None, heard: object = None
) -> UUID | None:
    """Keep what came, once; None: it was kept before. Waits for another transaction that is just keeping the same."""
    raw_id: UUID | None = await db.value(
        """INSERT INTO inbound_raw (id, org_id, account, carrier, carrier_message_id, from_number, to_number, raw,
               heard, problem, received_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING RETURNING id""",
        new_id(),
        org_id,
        raw.account,
        raw.carrier,
        raw.carrier_message_id,
        raw.sender,
        raw.recipient,
        raw.raw,
        heard,
        problem,
        db.now,
    )
    return raw_id


async def lock_failed(tx: Statements, raw_id: UUID) -> Stored | None:
    """A raw text that was not applied; None when it has been since. Its id is ours: no tenant is named."""
    return await tx.one(
        Stored, "SELECT account, heard FROM inbound_raw WHERE id = $1 AND problem = 'failed' FOR UPDATE", raw_id
    )


async def delete_raw(tx: Statements, raw_id: UUID) -> None:
    """Forget a raw text, to receive it anew in the same transaction. Its id is ours: no tenant is named."""
    await tx.run("DELETE FROM inbound_raw WHERE id = $1", raw_id)


async def delete_raw_before(db: Statements, before: datetime) -> int:
    """Forget raw texts past their retention, at most 10,000 at a time; by inbound_raw_age_idx."""
    return await db.run(
        """DELETE FROM inbound_raw WHERE id IN
           (SELECT id FROM inbound_raw WHERE received_at < $1 ORDER BY received_at LIMIT 10000)""",
        before,
    )


async def count_problems(db: Statements, since: datetime) -> Mapping[str, int]:
    """How many texts could not be applied since an instant, by why; by inbound_raw_problem_idx."""
    rows = await db.all(
        _count,
        """SELECT problem, count(*) FROM inbound_raw WHERE problem IS NOT NULL AND received_at >= $1
           GROUP BY problem""",
        since,
    )
    return dict(rows)


async def lock_parts(tx: Statements, key: PartsKey) -> None:
    """Take turns with the other parts of one text, until the commit: of two last parts the later one sees both."""
    await tx.value(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
        f"{key.account}|{key.carrier}|{key.sender}|{key.recipient}|{key.reference}|{key.parts}",
    )


async def insert_part(tx: Statements, key: PartsKey, part: Part) -> None:
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


async def list_parts(tx: Statements, key: PartsKey) -> list[Part]:
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


async def delete_parts(tx: Statements, key: PartsKey) -> None:
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


async def list_stale_parts(db: Statements, before: datetime, *, limit: int) -> list[PartsKey]:
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


async def insert(tx: Statements, account: str, inbound: Inbound) -> None:
    """Store a text."""
    await tx.run(
        """INSERT INTO inbound_messages (id, org_id, account, phone_number_id, from_number, to_number, body, channel,
               media_urls, segment_count, opt_out_detected, opt_out_keyword, opt_out_method, carrier,
               carrier_message_id, carrier_received_at, received_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)""",
        inbound.id,
        inbound.org_id,
        account,
        inbound.phone_number_id,
        inbound.sender,
        inbound.recipient,
        inbound.body,
        inbound.channel,
        inbound.media_urls,
        inbound.segment_count,
        inbound.opt_out_detected,
        inbound.opt_out_keyword,
        inbound.opt_out_method,
        inbound.carrier,
        inbound.carrier_message_id,
        inbound.carrier_received_at,
        inbound.received_at,
    )


async def is_stored(tx: Statements, org_id: UUID, account: str, whole: Whole) -> bool:
    """Whether the text came before: for repetitions that come after its raw form was forgotten."""
    found = await tx.value(
        """SELECT true FROM inbound_messages
           WHERE account = $2 AND carrier = $3 AND carrier_message_id = $4 AND org_id = $1""",
        org_id,
        account,
        whole.carrier,
        whole.carrier_message_id,
    )
    return bool(found)


COLUMNS: LiteralString = """SELECT id, org_id, phone_number_id, from_number, to_number, body, channel, media_urls,
       segment_count, opt_out_detected, opt_out_keyword, opt_out_method, carrier, carrier_message_id,
       carrier_received_at, received_at, redacted_at
FROM inbound_messages WHERE org_id = $1"""


async def find(db: Statements, org_id: UUID, inbound_id: UUID) -> Inbound | None:
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


async def newest_at(db: Statements, org_id: UUID, *, sender: str | None, recipient: str | None) -> datetime | None:
    """When the newest text came; None when none did."""
    moment: datetime | None = await db.value(
        _NEWEST + _narrowest(sender, recipient) + " ORDER BY received_at DESC LIMIT 1",
        org_id,
        sender,
        recipient,
    )
    return moment


async def find_after(
    db: Statements, org_id: UUID, *, since: datetime | None, sender: str | None, recipient: str | None
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
    db: Statements,
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
    website, fields, auto_replies = rest
    return Line(phone_number_id, number, sender_name, website, fields, msgspec.convert(auto_replies, AutoReplies))


def _part(part: int, body: bytes, carrier_message_id: str, carrier_received_at: datetime | None) -> Part:
    return Part(part, body.decode("utf-16-le", "surrogatepass"), carrier_message_id, carrier_received_at)


def _count(problem: str, number: int) -> tuple[str, int]:
    return problem, number
