"""Statements on the forms in which carriers write ids, an account's each, and on receipts that wait for them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from agentmessage.carriers.messaging import Reading, ReceiptHeard, ReceiptState, TextError
from agentmessage.delivery.receipts.id_format_rules import KnownPart
from agentmessage.kernel.db import Executor
from agentmessage.kernel.ids import new_id

LOOKED_AT = 5_000
"""Parts whose ids tell how long a carrier's ids are at present."""


class Undecided(Struct, frozen=True):
    """A receipt that was kept because its id may mean several messages."""

    id: UUID
    account: str
    received_at: datetime
    receipt: ReceiptHeard


async def find_parts(db: Executor, account: str, carrier: str, carrier_ids: Sequence[str]) -> list[KnownPart]:
    """One cell's parts with these ids."""
    return await db.all(
        KnownPart,
        """SELECT p.carrier_message_id, m.id, p.outcome, m.sender, m.recipient,
                  coalesce(m.text, '') || coalesce(m.appended_text, '')
           FROM message_parts p JOIN messages m ON m.id = p.message_id AND m.org_id = p.org_id
           WHERE p.account = $1 AND p.carrier = $2 AND p.carrier_message_id = ANY ($3)""",
        account,
        carrier,
        carrier_ids,
    )


async def list_lengths(db: Executor, account: str, carrier: str) -> list[int]:
    """How long the ids of one cell's last parts are; by message_parts_age_idx."""
    return await db.all(
        int,
        """SELECT DISTINCT length(p.carrier_message_id)
           FROM (SELECT account, carrier, carrier_message_id FROM message_parts ORDER BY created_at DESC LIMIT $3) p
           WHERE p.account = $1 AND p.carrier = $2 AND p.carrier_message_id NOT LIKE '~%'""",
        account,
        carrier,
        LOOKED_AT,
    )


async def read_matches(db: Executor, account: str, carrier: str) -> Mapping[str, int]:
    """How many receipts found their message in each form."""
    return dict(
        await db.all(
            _match,
            "SELECT form, matches FROM directory.receipt_id_forms WHERE account = $1 AND carrier = $2",
            account,
            carrier,
        )
    )


async def add_matches(db: Executor, account: str, carrier: str, matches: Mapping[str, int]) -> None:
    """Count receipts that found their message in a form."""
    await db.run(
        """INSERT INTO directory.receipt_id_forms AS f (account, carrier, form, matches, first_at, last_at)
           SELECT $1, $2, m.form, m.matches, $3, $3 FROM unnest($4::text[], $5::bigint[]) m (form, matches)
           ORDER BY m.form
           ON CONFLICT (account, carrier, form) DO UPDATE
           SET matches = f.matches + excluded.matches, last_at = excluded.last_at""",
        account,
        carrier,
        db.now,
        list(matches),
        list(matches.values()),
    )


async def keep_undecided(db: Executor, account: str, receipts: Sequence[ReceiptHeard], *, wait: timedelta) -> None:
    """Keep receipts whose id may mean several messages; looked at again after the wait."""
    await db.run(
        """INSERT INTO directory.undecided_receipts (id, account, carrier, carrier_message_id, readings, status,
               error_code, carrier_code, raw, sender, pair, excerpt, submitted_at, happened_at, received_at, due_at)
           SELECT u.id, $1, u.carrier, u.carrier_id, u.readings::jsonb, u.status, u.error, u.code, u.raw, u.sender,
                  u.pair, u.excerpt, u.submitted_at, u.happened_at, $2, $3
           FROM unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
                       $11::text[], $12::text[], $13::text[], $14::text[], $15::timestamptz[], $16::timestamptz[])
                u (id, carrier, carrier_id, readings, status, error, code, raw, sender, pair, excerpt, submitted_at,
                   happened_at)""",
        account,
        db.now,
        db.now + wait,
        [new_id() for _ in receipts],
        [one.carrier for one in receipts],
        [one.carrier_message_id for one in receipts],
        [msgspec.json.encode(one.readings).decode() for one in receipts],
        [one.state.value for one in receipts],
        [None if one.error is None else one.error.value for one in receipts],
        [one.code for one in receipts],
        [one.raw for one in receipts],
        [one.sender for one in receipts],
        [one.pair for one in receipts],
        [one.excerpt for one in receipts],
        [one.submitted_at for one in receipts],
        [one.happened_at for one in receipts],
    )


async def lock_undecided(tx: Executor, *, limit: int) -> list[Undecided]:
    """Receipts that are due to be looked at and that no other worker looks at; by undecided_receipts_due_idx."""
    return await tx.all(
        _undecided,
        """SELECT id, account, received_at, carrier, carrier_message_id, readings, status, error_code, carrier_code,
                  raw, sender, pair, excerpt, submitted_at, happened_at
           FROM directory.undecided_receipts WHERE due_at <= $1 ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED""",
        tx.now,
        limit,
    )


async def put_off(tx: Executor, ids: Sequence[UUID], due_at: Sequence[datetime]) -> None:
    """Look at these later; they are locked."""
    await tx.run(
        """UPDATE directory.undecided_receipts u SET due_at = p.due_at
           FROM unnest($1::uuid[], $2::timestamptz[]) p (id, due_at) WHERE u.id = p.id""",
        ids,
        due_at,
    )


async def delete_undecided(tx: Executor, ids: Sequence[UUID]) -> None:
    """These are decided; they are locked."""
    await tx.run("DELETE FROM directory.undecided_receipts WHERE id = ANY ($1)", ids)


async def look_now(db: Executor, account: str, carrier: str) -> None:
    """The carrier's form is learned: what waits for it is due."""
    await db.run(
        """UPDATE directory.undecided_receipts SET due_at = $3 WHERE id IN (
               SELECT id FROM directory.undecided_receipts
               WHERE account = $1 AND carrier = $2 AND due_at > $3 FOR UPDATE SKIP LOCKED)""",
        account,
        carrier,
        db.now,
    )


async def forget_undecided(db: Executor, before: datetime) -> int:
    """Forget receipts that nobody could read."""
    return await db.run("DELETE FROM directory.undecided_receipts WHERE received_at < $1", before)


def _match(form: str, matches: int) -> tuple[str, int]:
    return form, matches


def _undecided(*columns: Any) -> Undecided:
    row_id, account, received_at, carrier, carrier_id, readings, status, error, code, raw = columns[:10]
    sender, pair, excerpt, submitted_at, happened_at = columns[10:]
    receipt = ReceiptHeard(
        carrier=carrier,
        carrier_message_id=carrier_id,
        readings=msgspec.convert(readings, tuple[Reading, ...]),
        state=ReceiptState(status),
        error=None if error is None else TextError(error),
        code=code,
        raw=raw,
        sender=sender,
        pair=pair,
        excerpt=excerpt,
        submitted_at=submitted_at,
        happened_at=happened_at,
    )
    return Undecided(row_id, account, received_at, receipt)
