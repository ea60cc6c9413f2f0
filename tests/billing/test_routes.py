"""What can be read about money: every status, every number, pages and ranges."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from agentmessage.billing import operations, report_queries, rules
from agentmessage.billing.model import LedgerKind, UsageKind
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.errors import ValidationFailed
from agentmessage.kernel.money import microcents
from agentmessage.kernel.tenant import Tenant
from agentmessage.organizations import operations as organizations
from agentmessage.web.scopes import CUSTOMER_SCOPES
from tests.conftest import Client
from tests.inbound.test_plans import Explaining
from tests.make.accounts import Account, key_with, open_account
from tests.make.rooms import RoomsApp

OPERATIONS = [
    pytest.param("/v1/billing/wallet", id="getWallet"),
    pytest.param("/v1/billing/transactions", id="listTransactions"),
    pytest.param("/v1/billing/usage", id="listUsage"),
    pytest.param("/v1/billing/catalog/fees", id="getCatalogFees"),
]
LISTS = ["/v1/billing/transactions", "/v1/billing/usage"]


async def spend(db: CellDb, tenant: Tenant, cents: int, *, kind: str = "lookup", quantity: int = 1) -> UUID:
    """Charge one thing; answers what it was."""
    what = uuid4()
    async with db.transaction() as tx:
        await operations.charge(
            tx,
            tenant,
            kind=kind,
            quantity=quantity,
            unit_cost_microcents=microcents(cents),
            source="test",
            source_ref=str(what),
            ref_kind="thing",
            ref_id=what,
        )
    return what


async def insert_usage(db: CellDb, org_id: UUID, *moments: datetime) -> None:
    """Rows of usage as they would have been written then."""
    await db.run(
        """INSERT INTO usage_rows (id, org_id, ts, kind, quantity, unit_cost_microcents, total_microcents)
           SELECT gen_random_uuid(), $1, ts, 'lookup', 1, 2000000, 2000000 FROM unnest($2::timestamptz[]) ts""",
        org_id,
        moments,
    )


async def insert_debits(db: CellDb, org_id: UUID, *moments: datetime) -> None:
    """Movements as they would have been written then; nobody's balance hears of them."""
    await db.run(
        """INSERT INTO ledger_transactions (id, org_id, ts, kind, amount_microcents, balance_after_microcents, source,
               source_ref)
           SELECT gen_random_uuid(), $1, ts, 'debit', -2000000, 0, 'test', gen_random_uuid()
           FROM unnest($2::timestamptz[]) ts""",
        org_id,
        moments,
    )


async def pages(api: Client, path: str, query: str = "", cursor: str | None = None) -> list[list[Any]]:
    """A list, page by page, from the beginning or from behind a cursor."""
    found: list[list[Any]] = []
    while cursor is not None or not found:
        answer = await api.get(f"{path}?{query}" + (f"&cursor={cursor}" if cursor else ""))
        assert answer.status == 200, answer.body
        found.append(answer.data)
        cursor = answer.json["meta"]["next_cursor"]
    return found


@pytest.mark.covers("getWallet", 200)
async def test_200_the_wallet_prints_every_key(api: Client, db: CellDb, account: Account) -> None:
    await spend(db, account.tenant, 130)

    answer = await api.get("/v1/billing/wallet")

    assert answer.status == 200
    wallet = answer.data
    projected = wallet.pop("projected_month_total_cents")
    assert wallet == {
        "balance_cents": 99_870,
        "plan_tier": "payg",
        "plan_cadence": "monthly",
        "subscription_status": "active",
        "auto_topup_enabled": False,
        "auto_topup_amount_cents": None,
        "throughput_tier": 1,
        "throughput_per_sec": 1,
        "throughput_per_min": 60,
        "min_topup_cents": None,
        "mtd_spend_cents": 130,
        "projected_month_total_basis": "rolling_7d",
    }
    assert 130 <= projected <= 130 + 130 * 31 / 7


async def test_an_organization_that_never_had_a_wallet_has_nothing_on_tier_1(
    app: RoomsApp, cells: Cells, db: CellDb
) -> None:
    account = await open_account(cells, cents=0)
    await db.run("DELETE FROM wallets WHERE org_id = $1", account.org_id)

    wallet = (await Client(app, account.key).get("/v1/billing/wallet")).data

    assert (wallet["balance_cents"], wallet["throughput_tier"], wallet["mtd_spend_cents"]) == (0, 1, 0)
    assert wallet["projected_month_total_cents"] == 0


async def test_a_balance_never_shows_more_than_there_is_and_a_spend_never_less(
    api: Client, db: CellDb, account: Account
) -> None:
    async with db.transaction() as tx:
        await operations.charge(
            tx, account.tenant, kind="lookup", quantity=1, unit_cost_microcents=1, source="test", source_ref="a"
        )

    wallet = (await api.get("/v1/billing/wallet")).data
    movement = (await api.get("/v1/billing/transactions?kind=debit")).data[0]
    usage = (await api.get("/v1/billing/usage")).data[0]

    assert (wallet["balance_cents"], wallet["mtd_spend_cents"]) == (99_999, 1)
    assert (movement["amount_cents"], movement["balance_after_cents"]) == (-1, 99_999)
    assert (usage["unit_cost_cents"], usage["total_cents"]) == (1, 1)


async def test_what_is_given_back_is_not_spent_and_what_is_taken_back_was_no_spend(
    api: Client, db: CellDb, account: Account
) -> None:
    kept, returned = await spend(db, account.tenant, 30), await spend(db, account.tenant, 70)
    async with db.transaction() as tx:
        await operations.refund(tx, account.tenant, source="test", source_ref=str(returned))
        await operations.take_back(
            tx, account.tenant, amount_microcents=microcents(500), source="stripe", source_ref="dispute"
        )

    wallet = (await api.get("/v1/billing/wallet")).data

    assert kept != returned
    assert (wallet["mtd_spend_cents"], wallet["balance_cents"]) == (30, 100_000 - 30 - 500)


async def test_the_operators_pace_is_shown_instead_of_the_tiers(api: Client, db: CellDb, account: Account) -> None:
    async with db.transaction() as tx:
        await organizations.set_throughput(tx, account.tenant, per_second=7, per_minute=400)

    wallet = (await api.get("/v1/billing/wallet")).data

    assert (wallet["throughput_tier"], wallet["throughput_per_sec"], wallet["throughput_per_min"]) == (1, 7, 400)


@pytest.mark.parametrize(
    ("now", "spent", "rolling", "projected"),
    [
        (datetime(2026, 4, 24, tzinfo=UTC), 13_030, 6_570, 13_030 + 6_570),
        (datetime(2026, 2, 28, 12, tzinfo=UTC), 100, 1400, 100 + 100),
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), 5, 0, 5),
        (datetime(2024, 2, 1, tzinfo=UTC), 0, 7, 29),
    ],
)
def test_the_days_left_are_projected_at_the_average_of_the_last_seven(
    now: datetime, spent: int, rolling: int, projected: int
) -> None:
    assert rules.projected_microcents(spent, rolling, now) == projected


@pytest.mark.covers("listTransactions", 200)
async def test_200_every_movement_of_the_wallet_is_listed_newest_first(
    api: Client, db: CellDb, account: Account
) -> None:
    what = await spend(db, account.tenant, 9, quantity=2)
    async with db.transaction() as tx:
        await operations.refund(tx, account.tenant, source="test", source_ref=str(what))

    answer = await api.get("/v1/billing/transactions")

    assert answer.status == 200
    meta = answer.json["meta"]
    assert (meta["total"], meta["limit"], meta["offset"], meta["next_cursor"]) == (0, 100, 0, None)
    refund, debit, topup = answer.data
    assert set(debit) == {
        "id",
        "ts",
        "kind",
        "amount_cents",
        "balance_after_cents",
        "source",
        "source_ref",
        "metadata",
    }
    assert (debit["kind"], debit["amount_cents"], debit["balance_after_cents"]) == ("debit", -18, 99_982)
    assert (debit["source"], debit["source_ref"]) == ("test", str(what))
    assert (refund["kind"], refund["amount_cents"], refund["balance_after_cents"]) == ("refund", 18, 100_000)
    assert refund["metadata"] == {"refund_of": debit["id"]}
    assert (topup["kind"], topup["amount_cents"], topup["source"]) == ("topup", 100_000, "operator")


@pytest.mark.parametrize("kind", list(LedgerKind))
async def test_movements_of_one_kind_are_found_among_the_others(
    api: Client, db: CellDb, account: Account, kind: LedgerKind
) -> None:
    for _ in range(3):
        what = await spend(db, account.tenant, 9)
        async with db.transaction() as tx:
            await operations.refund(tx, account.tenant, source="test", source_ref=str(what))
            for credited in (LedgerKind.TOPUP, LedgerKind.ADJUSTMENT):
                await operations.credit(
                    tx, account.tenant, amount_microcents=1, source="test", source_ref=str(what), kind=credited
                )

    everything = (await api.get("/v1/billing/transactions")).data
    found = [row for page in await pages(api, "/v1/billing/transactions", f"kind={kind}&limit=2") for row in page]

    assert found == [row for row in everything if row["kind"] == kind]
    assert len(found) >= 3


@pytest.mark.covers("listUsage", 200)
async def test_200_usage_shows_what_was_paid_for_at_the_price_of_its_time(
    api: Client, db: CellDb, account: Account
) -> None:
    what = await spend(db, account.tenant, 94, kind="number_month")

    answer = await api.get("/v1/billing/usage")

    assert answer.status == 200
    (row,) = answer.data
    assert UUID(row.pop("id")).version == 7
    assert datetime.fromisoformat(row.pop("ts")) <= datetime.now(UTC)
    assert row == {
        "kind": "number_month",
        "quantity": 1,
        "unit_cost_cents": 94,
        "total_cents": 94,
        "ref_kind": "thing",
        "ref_id": str(what),
        "metadata": {"resource_id": str(what)},
    }


@pytest.mark.parametrize("kind", list(UsageKind))
async def test_usage_of_one_kind_is_found_among_the_others_in_pages_and_as_lines(
    api: Client, db: CellDb, account: Account, kind: UsageKind
) -> None:
    for _ in range(3):
        for other in UsageKind:
            await spend(db, account.tenant, 1, kind=other)

    everything = (await api.get("/v1/billing/usage")).data
    found = [row for page in await pages(api, "/v1/billing/usage", f"kind={kind}&limit=2") for row in page]
    lines = await api.get(f"/v1/billing/usage?kind={kind}", headers={"accept": "application/x-ndjson"})

    assert found == [row for row in everything if row["kind"] == kind]
    assert len(found) == 3
    assert [json.loads(line)["id"] for line in lines.body.splitlines()] == [row["id"] for row in found]


async def test_usage_of_a_rare_kind_is_not_looked_for_among_all_messages(db: CellDb, account: Account) -> None:
    await db.run(
        """INSERT INTO usage_rows (id, org_id, ts, kind, quantity, unit_cost_microcents, total_microcents)
           SELECT gen_random_uuid(), $1, $2::timestamptz - n * interval '1 second',
                  CASE WHEN n % 5000 = 0 THEN 'number_month' ELSE 'outbound_sms' END, 1, 1, 1
           FROM generate_series(1, 20000) n""",
        account.org_id,
        db.now,
    )
    await db.run("ANALYZE usage_rows")
    explaining: Any = Explaining(db)
    window = rules.window(None, None, now=db.now, max_span=None)

    await report_queries.list_rare_usage(explaining, account.org_id, window, kind=UsageKind.NUMBER_MONTH, limit=101)

    assert "usage_rows_rare_idx" in explaining.plan


@pytest.mark.covers("listUsage", 422)
@pytest.mark.parametrize("kind", ["debit", "NUMBER_MONTH", "", "number_month,lookup"])
async def test_422_an_unknown_kind_of_usage_is_refused_with_the_known_ones(api: Client, kind: str) -> None:
    answer = await api.get(f"/v1/billing/usage?kind={kind}")

    assert (answer.status, list(answer.error["details"])) == (422, ["kind"])
    assert all(known in answer.error["details"]["kind"] for known in UsageKind)


@pytest.mark.parametrize(("path", "insert"), [(LISTS[0], insert_debits), (LISTS[1], insert_usage)])
async def test_pages_neither_skip_nor_repeat_rows_of_one_instant_while_more_are_written(
    app: RoomsApp, cells: Cells, db: CellDb, path: str, insert: Any
) -> None:
    account = await open_account(cells, cents=0)
    api = Client(app, account.key)
    moment = datetime.now(UTC) - timedelta(hours=1)
    await insert(db, account.org_id, *[moment] * 7, *[moment - timedelta(seconds=n) for n in range(5)])
    expected = (await api.get(f"{path}?limit=500")).data

    first = await api.get(f"{path}?limit=5")
    await insert(db, account.org_id, datetime.now(UTC))
    rest = await pages(api, path, "limit=5", first.json["meta"]["next_cursor"])

    assert first.data + [row for page in rest for row in page] == expected
    assert len(expected) == 12
    assert [len(page) for page in rest] == [5, 2]


@pytest.mark.parametrize(("path", "insert"), [(LISTS[0], insert_debits), (LISTS[1], insert_usage)])
async def test_a_range_includes_its_beginning_and_excludes_its_end(
    app: RoomsApp, cells: Cells, db: CellDb, path: str, insert: Any
) -> None:
    account = await open_account(cells, cents=0)
    moments = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(4)]
    await insert(db, account.org_id, *moments)

    answer = await Client(app, account.key).get(f"{path}?from=2026-01-02T00:00:00Z&to=2026-01-04T01:00:00%2B01:00")

    assert [row["ts"] for row in answer.data] == ["2026-01-03T00:00:00Z", "2026-01-02T00:00:00Z"]


@pytest.mark.parametrize(("path", "insert"), [(LISTS[0], insert_debits), (LISTS[1], insert_usage)])
async def test_without_a_range_the_last_thirty_days_are_shown(
    app: RoomsApp, cells: Cells, db: CellDb, path: str, insert: Any
) -> None:
    account = await open_account(cells, cents=0)
    now = datetime.now(UTC)
    await insert(db, account.org_id, now - timedelta(days=29), now - timedelta(days=32))

    answer = await Client(app, account.key).get(path)

    assert len(answer.data) == 1


NOW = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)


def test_a_range_without_a_beginning_begins_at_midnight_so_that_pages_agree_about_it() -> None:
    window = rules.window(None, None, now=NOW, max_span=rules.MAX_SHOWN)

    assert (window.begins_at, window.before_at) == (datetime(2026, 10, 24, tzinfo=UTC), NOW)


def test_ninety_days_to_the_microsecond_are_shown_and_not_one_more() -> None:
    window = rules.window(NOW - rules.MAX_SHOWN, None, now=NOW, max_span=rules.MAX_SHOWN)

    assert window.begins_at == NOW - rules.MAX_SHOWN
    with pytest.raises(ValidationFailed) as refusal:
        rules.window(NOW - rules.MAX_SHOWN - timedelta(microseconds=1), None, now=NOW, max_span=rules.MAX_SHOWN)
    assert refusal.value.details == {"range": "must span at most 90 days"}


def test_a_range_at_the_beginning_of_time_is_no_fault_of_ours() -> None:
    window = rules.window(None, datetime(1, 1, 1, 12, tzinfo=UTC), now=NOW, max_span=None)

    assert window.begins_at <= window.before_at


@pytest.mark.covers("getCatalogFees", 200)
async def test_200_the_fee_catalogue_names_defaults_and_exceptions(api: Client) -> None:
    answer = await api.get("/v1/billing/catalog/fees")

    assert answer.status == 200
    assert (answer.data["tier"], answer.data["currency"]) == ("payg", "USD")
    assert answer.data["campaign_month"] == {
        "default_unit_cost_cents": 1000,
        "by_ref": [
            {"ref": "AGENTS_FRANCHISES", "unit_cost_cents": 3000},
            {"ref": "LOW_VOLUME_MIXED", "unit_cost_cents": 150},
            {"ref": "MARKETING", "unit_cost_cents": 1000},
        ],
    }
    assert answer.data["brand_filing_onetime"] == {"default_unit_cost_cents": 500, "by_ref": []}
    assert answer.data["number_month"]["default_unit_cost_cents"] is None
    assert answer.data["number_month"]["by_ref"][0] == {"ref": "local", "unit_cost_cents": 94}
    assert answer.data["outbound_sms"] == {"default_unit_cost_cents": 1, "by_ref": []}


@pytest.mark.covers("getWallet", 401)
@pytest.mark.covers("listTransactions", 401)
@pytest.mark.covers("listUsage", 401)
@pytest.mark.covers("getCatalogFees", 401)
@pytest.mark.parametrize("path", OPERATIONS)
async def test_401_without_a_key_nothing_is_told(app: RoomsApp, path: str) -> None:
    answer = await Client(app).get(path)

    assert (answer.status, answer.error["code"]) == (401, "UNAUTHORIZED")


@pytest.mark.covers("getWallet", 403)
@pytest.mark.covers("listTransactions", 403)
@pytest.mark.covers("listUsage", 403)
@pytest.mark.covers("getCatalogFees", 403)
@pytest.mark.parametrize("path", OPERATIONS)
async def test_403_without_the_scope_nothing_is_told(app: RoomsApp, cells: Cells, account: Account, path: str) -> None:
    key = await key_with(cells, account.tenant, sorted(set(CUSTOMER_SCOPES) - {"billing:read"}))

    answer = await Client(app, key).get(path)

    assert (answer.status, answer.error["code"]) == (403, "FORBIDDEN")


@pytest.mark.covers("listTransactions", 422)
@pytest.mark.covers("listUsage", 422)
@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("query", "details"),
    [
        ("from=2026-01-01T00:00:00Z&to=2026-04-02T00:00:00Z", {"range": "must span at most 90 days"}),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", {"range": "must begin before it ends"}),
        ("from=2999-01-01T00:00:00Z", {"range": "must begin before it ends"}),
        ("from=yesterday", {"from": "must be an RFC 3339 time with a zone"}),
        ("to=2026-01-01T00:00:00", {"to": "must be an RFC 3339 time with a zone"}),
        ("from=0001-01-01T00:00:00%2B14:00", {"from": "must be an RFC 3339 time within the years 1..9999"}),
        ("limit=0", {"limit": "must be an integer, 1..500"}),
        ("limit=501", {"limit": "must be an integer, 1..500"}),
        ("cursor=nonsense", {"cursor": "must be a cursor from an earlier page"}),
        ("since=2026-01-01T00:00:00Z", {"since": "is not a known field"}),
    ],
)
async def test_422_a_faulty_range_or_page_is_named(api: Client, path: str, query: str, details: dict[str, str]) -> None:
    answer = await api.get(f"{path}?{query}")

    assert (answer.status, answer.error["code"], answer.error["details"]) == (422, "VALIDATION_FAILED", details)


async def test_422_a_kind_that_no_movement_has_is_refused_with_those_that_they_have(api: Client) -> None:
    answer = await api.get("/v1/billing/transactions?kind=gift")

    assert answer.status == 422
    assert answer.error["details"] == {"kind": "must be one of topup, debit, refund, adjustment"}


@pytest.mark.parametrize("path", LISTS)
async def test_an_organization_sees_its_own_money_only(
    app: RoomsApp, db: CellDb, account: Account, stranger: Account, path: str
) -> None:
    await spend(db, account.tenant, 5)

    mine = (await Client(app, account.key).get(path)).data
    theirs = (await Client(app, stranger.key).get(path)).data
    stranger_wallet = (await Client(app, stranger.key).get("/v1/billing/wallet")).data

    assert mine
    assert not {row["id"] for row in mine} & {row["id"] for row in theirs}
    assert stranger_wallet["mtd_spend_cents"] == 0


async def explain(db: CellDb, sql: str, *args: object) -> str:
    lines = await db.all(str, "EXPLAIN " + sql, *args)
    return "\n".join(lines)


async def test_lists_and_sums_are_served_by_their_indexes(db: CellDb, account: Account) -> None:
    """Top-ups among a hundred thousand debits cost what they cost among none."""
    await db.run(
        """INSERT INTO ledger_transactions (id, org_id, ts, kind, amount_microcents, balance_after_microcents, source,
               source_ref)
           SELECT gen_random_uuid(), $1, now() - n * interval '1 second', 'debit', -1, 0, 'test', n::text
           FROM generate_series(1, 100000) n""",
        account.org_id,
    )
    await db.run("ANALYZE ledger_transactions")
    where = (
        f"org_id = '{account.org_id}' AND ts >= now() - interval '30 days' AND (ts, id) < (now(), gen_random_uuid())"
    )
    order = "ORDER BY ts DESC, id DESC LIMIT 101"

    rare = await explain(db, f"SELECT * FROM ledger_transactions WHERE {where} AND kind = 'topup' {order}")  # noqa: S608
    every = await explain(db, f"SELECT * FROM ledger_transactions WHERE {where} {order}")  # noqa: S608

    assert "ledger_transactions_rare_idx" in rare
    assert "ledger_transactions_list_idx" in every
    assert "Sort" not in every + rare
