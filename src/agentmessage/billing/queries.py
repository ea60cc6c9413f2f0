"""Every statement that moves money: wallets, the ledger and usage.

What is booked carries a later instant than what was booked before it on the same wallet, though its transaction may
have begun earlier and waited: read in their order, the balances after each movement follow from one another.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from agentmessage.billing.model import Booked, Charge, GivenBack, LedgerKind, Wallet
from agentmessage.kernel.db import Executor
from agentmessage.kernel.ids import new_id


async def find_wallet(db: Executor, org_id: UUID) -> Wallet | None:
    """A wallet as it stands."""
    return await db.one(
        Wallet,
        """SELECT balance_microcents, lifetime_spend_microcents, auto_topup_below_microcents FROM wallets
           WHERE org_id = $1""",
        org_id,
    )


async def lock_wallet(tx: Executor, org_id: UUID) -> Wallet | None:
    """A wallet, kept from changing until the commit: every spend of an organization takes its turn here."""
    return await tx.one(
        Wallet,
        """SELECT balance_microcents, lifetime_spend_microcents, auto_topup_below_microcents FROM wallets
           WHERE org_id = $1 FOR NO KEY UPDATE""",
        org_id,
    )


async def insert_wallet(tx: Executor, org_id: UUID) -> None:
    """An empty wallet; one that is there stays, also when two make it at once."""
    await tx.run("INSERT INTO wallets (org_id, updated_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", org_id, tx.now)


async def find_bookings(
    db: Executor, org_id: UUID, kind: LedgerKind, sources: Sequence[str], refs: Sequence[str]
) -> list[tuple[UUID, str, str]]:
    """Id, source and source_ref of the bookings for these occasions; served by ledger_transactions_once_idx."""
    return await db.all(
        _booking_key,
        """SELECT b.id, b.source, b.ref FROM (
               SELECT (SELECT t.id FROM ledger_transactions t WHERE t.org_id = $1 AND t.kind = $2
                       AND t.source = o.source AND t.source_ref = o.ref) AS id, o.source, o.ref
               FROM unnest($3::text[], $4::text[]) o (source, ref) OFFSET 0
           ) b WHERE b.id IS NOT NULL""",
        org_id,
        kind,
        sources,
        refs,
    )


async def lock_wallets(tx: Executor, org_ids: Sequence[UUID]) -> list[UUID]:
    """Keep these wallets from changing until the commit, in the order of their ids; answers those that exist."""
    return await tx.all(
        _org_id, "SELECT org_id FROM wallets WHERE org_id = ANY ($1) ORDER BY org_id FOR NO KEY UPDATE", org_ids
    )


async def insert_charges(
    tx: Executor, org_ids: Sequence[UUID], charges: Sequence[Charge], *, ids: Sequence[UUID], is_open: bool = False
) -> list[Booked]:
    """Book charges in order, of any organizations: ledger transaction, two balanced entries and a usage row each.

    One statement; no two of them for one occasion, and one that was charged before stays as it is. Returns what was
    taken, by organization and kind of usage. A join would read all known ones, by a plan made for a small ledger.
    """
    return await tx.all(
        _booked,
        """WITH c AS (
               SELECT u.*, u.quantity * u.unit_cost AS total, greatest($1, w.updated_at + interval '1 us') AS ts,
                      w.balance_microcents - (sum(u.quantity * u.unit_cost)
                          OVER (PARTITION BY u.org_id ORDER BY u.n))::bigint AS balance_after
               FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::bigint[], $8::text[],
                           $9::text[], $10::text[], $11::uuid[])
                    WITH ORDINALITY u (org_id, id, usage_id, kind, quantity, unit_cost, source, source_ref, ref_kind,
                                       ref_id, n)
               JOIN wallets w ON w.org_id = u.org_id
               WHERE (SELECT true FROM ledger_transactions k WHERE k.org_id = u.org_id AND k.kind = 'debit'
                      AND k.source = u.source AND k.source_ref = u.source_ref) IS NULL
           ), ledger AS (
               INSERT INTO ledger_transactions (id, org_id, ts, kind, amount_microcents, balance_after_microcents,
                   source, source_ref, metadata)
               SELECT id, org_id, ts, 'debit', -total, balance_after, source, source_ref,
                      jsonb_build_object('usage_id', usage_id, 'usage_kind', kind) FROM c
           ), entries AS (
               INSERT INTO ledger_entries (transaction_id, org_id, account, amount_microcents)
               SELECT id, org_id, 'wallet', -total FROM c UNION ALL SELECT id, org_id, 'revenue', total FROM c
           ), used AS (
               INSERT INTO usage_rows (id, org_id, ts, kind, quantity, unit_cost_microcents, total_microcents,
                   ref_kind, ref_id, metadata)
               SELECT usage_id, org_id, ts, kind, quantity, unit_cost, total, ref_kind, ref_id,
                      jsonb_build_object('resource_id', ref_id) FROM c
           ), paid AS (
               UPDATE wallets w SET balance_microcents = w.balance_microcents - s.total,
                   lifetime_spend_microcents = w.lifetime_spend_microcents + s.counted,
                   provisional_spend_microcents = w.provisional_spend_microcents + s.held, updated_at = s.ts
               FROM (SELECT org_id, ts, sum(total)::bigint AS total, $12::int * sum(total)::bigint AS held,
                            (1 - $12::int) * sum(total)::bigint AS counted FROM c GROUP BY org_id, ts) s
               WHERE w.org_id = s.org_id
               RETURNING w.org_id, w.balance_microcents AS balance, w.lifetime_spend_microcents AS spend,
                         w.auto_topup_below_microcents AS topup_below, s.total, s.counted
           )
           SELECT c.org_id, c.ts, c.kind, sum(c.total)::bigint, p.balance, p.spend, p.topup_below, p.total, p.counted
           FROM c JOIN paid p ON p.org_id = c.org_id
           GROUP BY c.org_id, c.ts, c.kind, p.balance, p.spend, p.topup_below, p.total, p.counted""",
        tx.now,
        org_ids,
        ids,
        [new_id() for _ in charges],
        [charge.kind for charge in charges],
        [charge.quantity for charge in charges],
        [charge.unit_cost_microcents for charge in charges],
        [charge.source for charge in charges],
        [charge.source_ref for charge in charges],
        [charge.ref_kind for charge in charges],
        [charge.ref_id for charge in charges],
        int(is_open),
    )


async def confirm_spend(
    tx: Executor, org_id: UUID, sources: Sequence[str], refs: Sequence[str]
) -> tuple[Wallet, Wallet] | None:
    """Count what was charged provisionally for these occasions; answers the wallet before and after. It is locked.

    No more than what is provisional: a charge of a release that did not keep it apart has been counted already.
    """
    return await tx.one(
        _confirmed,
        """UPDATE wallets w SET lifetime_spend_microcents = w.lifetime_spend_microcents
                   + least(s.total, w.provisional_spend_microcents),
               provisional_spend_microcents = w.provisional_spend_microcents
                   - least(s.total, w.provisional_spend_microcents)
           FROM (SELECT o.provisional_spend_microcents AS held, -sum(t.amount_microcents)::bigint AS total
                 FROM unnest($2::text[], $3::text[]) u (source, ref)
                 JOIN ledger_transactions t
                   ON t.org_id = $1 AND t.kind = 'debit' AND t.source = u.source AND t.source_ref = u.ref
                 JOIN wallets o ON o.org_id = $1
                 GROUP BY o.provisional_spend_microcents) s
           WHERE w.org_id = $1
           RETURNING w.balance_microcents, w.lifetime_spend_microcents, w.auto_topup_below_microcents,
                     least(s.total, s.held)""",
        org_id,
        sources,
        refs,
    )


async def insert_refunds(tx: Executor, org_id: UUID, sources: Sequence[str], refs: Sequence[str]) -> GivenBack | None:
    """Give back what was charged for these occasions and not given back yet; None when there is nothing.

    The wallet is locked. Provisional spend goes first: what is given back was hardly ever counted.
    """
    return await tx.one(
        GivenBack,
        """WITH owed AS (
               SELECT t.id AS debit_id, -t.amount_microcents AS total, t.source, t.source_ref, u.id AS id,
                      (sum(-t.amount_microcents) OVER (ORDER BY u.n))::bigint AS so_far
               FROM unnest($3::uuid[], $4::text[], $5::text[]) WITH ORDINALITY u (id, source, ref, n)
               JOIN ledger_transactions t
                 ON t.org_id = $1 AND t.kind = 'debit' AND t.source = u.source AND t.source_ref = u.ref
               WHERE NOT EXISTS (SELECT FROM ledger_transactions r WHERE r.org_id = $1 AND r.kind = 'refund'
                                 AND r.source = u.source AND r.source_ref = u.ref)
           ), booked AS (
               INSERT INTO ledger_transactions (id, org_id, ts, kind, amount_microcents, balance_after_microcents,
                   source, source_ref, metadata)
               SELECT o.id, $1, greatest($2, w.updated_at + interval '1 us'), 'refund', o.total,
                      w.balance_microcents + o.so_far, o.source, o.source_ref,
                      jsonb_build_object('refund_of', o.debit_id)
               FROM owed o, wallets w WHERE w.org_id = $1
           ), entries AS (
               INSERT INTO ledger_entries (transaction_id, org_id, account, amount_microcents)
               SELECT id, $1, 'wallet', total FROM owed UNION ALL SELECT id, $1, 'revenue', -total FROM owed
           ), sums AS (SELECT count(*) AS number, coalesce(sum(total), 0)::bigint AS total FROM owed)
           UPDATE wallets w SET balance_microcents = w.balance_microcents + s.total,
               lifetime_spend_microcents = w.lifetime_spend_microcents
                   - (s.total - least(s.total, w.provisional_spend_microcents)),
               provisional_spend_microcents = w.provisional_spend_microcents
                   - least(s.total, w.provisional_spend_microcents),
               updated_at = greatest($2, w.updated_at + interval '1 us')
           FROM sums s WHERE w.org_id = $1 AND s.number > 0 RETURNING w.updated_at, s.number, s.total""",
        org_id,
        tx.now,
        [new_id() for _ in refs],
        sources,
        refs,
    )


async def insert_movement(
    tx: Executor,
    org_id: UUID,
    *,
    transaction_id: UUID,
    kind: LedgerKind,
    amount_microcents: int,
    source: str,
    source_ref: str,
    metadata: dict[str, Any],
) -> datetime:
    """Add money from outside, or take it: ledger transaction, two balanced entries, the wallet's new sum.

    Answers the instant that it is booked at. The wallet is locked.
    """
    booked_at: datetime = await tx.value(
        """WITH w AS (
               UPDATE wallets SET balance_microcents = balance_microcents + $5,
                   updated_at = greatest($2, updated_at + interval '1 us') WHERE org_id = $1
               RETURNING balance_microcents, updated_at
           ), booked AS (
               INSERT INTO ledger_transactions (id, org_id, ts, kind, amount_microcents, balance_after_microcents,
                   source, source_ref, metadata)
               SELECT $3, $1, w.updated_at, $4, $5, w.balance_microcents, $6, $7, $8 FROM w
           ), entries AS (
               INSERT INTO ledger_entries (transaction_id, org_id, account, amount_microcents)
               VALUES ($3, $1, 'wallet', $5), ($3, $1, 'funding', -$5::bigint)
           )
           SELECT updated_at FROM w""",
        org_id,
        tx.now,
        transaction_id,
        kind,
        amount_microcents,
        source,
        source_ref,
        metadata,
    )
    return booked_at


async def list_unbalanced(db: Executor) -> list[UUID]:
    """Organizations of this cell, across tenants, whose books do not agree.

    A balance is the sum of its movements and of the wallet's entries, entries cancel each other, and what was used is
    what was debited. Always empty.
    """
    return await db.all(
        _org_id,
        """SELECT w.org_id FROM wallets w
           LEFT JOIN (SELECT org_id, sum(amount_microcents) AS rest,
                             sum(amount_microcents) FILTER (WHERE account = 'wallet') AS moved
                      FROM ledger_entries GROUP BY org_id) e ON e.org_id = w.org_id
           LEFT JOIN (SELECT org_id, sum(amount_microcents) AS moved,
                             sum(-amount_microcents) FILTER (WHERE kind = 'debit') AS debited
                      FROM ledger_transactions GROUP BY org_id) t ON t.org_id = w.org_id
           LEFT JOIN (SELECT org_id, sum(total_microcents) AS total FROM usage_rows GROUP BY org_id) u
             ON u.org_id = w.org_id
           WHERE coalesce(e.rest, 0) <> 0 OR coalesce(e.moved, 0) <> w.balance_microcents
              OR coalesce(t.moved, 0) <> w.balance_microcents OR coalesce(t.debited, 0) <> coalesce(u.total, 0)
           ORDER BY w.org_id""",
    )


async def list_miscounted(db: Executor) -> list[UUID]:
    """Organizations of this cell, across tenants, whose daily sums of money are not what their bookings come to.

    Always empty.
    """
    return await db.all(
        _org_id,
        """WITH movements AS (
               SELECT org_id, ts, 'wallet.debit_cents' AS metric, jsonb_build_object('kind', kind) AS labels,
                      total_microcents AS value
               FROM usage_rows
               UNION ALL
               SELECT org_id, ts, CASE substr(kind, 1, 3) WHEN 'out' THEN 'messages.outbound.cost_cents'
                                                          ELSE 'messages.inbound.cost_cents' END,
                      jsonb_build_object('channel', right(kind, 3)), total_microcents
               FROM usage_rows WHERE kind IN ('outbound_sms', 'outbound_mms', 'inbound_sms', 'inbound_mms')
               UNION ALL
               SELECT org_id, ts, CASE WHEN amount_microcents > 0 THEN 'wallet.credit_cents'
                                       ELSE 'wallet.debit_cents' END,
                      jsonb_build_object('kind', kind), abs(amount_microcents)
               FROM ledger_transactions WHERE kind <> 'debit'
           ), recounted AS (
               SELECT org_id, metric, date_trunc('day', ts, 'UTC') AS bucket_start, labels, sum(value) AS value
               FROM movements GROUP BY 1, 2, 3, 4 HAVING sum(value) <> 0
           ), counted AS (
               SELECT org_id, metric, bucket_start, labels, value FROM metric_buckets
               WHERE span = 'day' AND metric IN ('wallet.debit_cents', 'wallet.credit_cents',
                                                 'messages.outbound.cost_cents', 'messages.inbound.cost_cents')
           )
           SELECT DISTINCT org_id
           FROM counted c FULL JOIN recounted r USING (org_id, metric, bucket_start, labels)
           WHERE c.value IS DISTINCT FROM r.value ORDER BY org_id""",
    )


def _booking_key(booking_id: UUID, source: str, source_ref: str) -> tuple[UUID, str, str]:
    return booking_id, source, source_ref


def _org_id(org_id: UUID) -> UUID:
    return org_id


def _booked(org_id: UUID, at: datetime, kind: str, amount: int, *wallet: Any) -> Booked:
    balance, spend, topup_below, total, counted = wallet
    before = Wallet(balance + total, spend - counted, topup_below)
    return Booked(org_id, at, kind, amount, before, Wallet(balance, spend, topup_below))


def _confirmed(balance: int, spend: int, topup_below: int | None, counted: int) -> tuple[Wallet, Wallet]:
    return Wallet(balance, spend - counted, topup_below), Wallet(balance, spend, topup_below)
