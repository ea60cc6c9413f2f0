"""Lookups over HTTP: every status, what is charged, what is told, and what a crash leaves."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from agentmessage.app.api import Api
from agentmessage.app.providers.carriers import carrier_sets
from agentmessage.billing import operations as billing
from agentmessage.carriers.lookups import LineFacts, LineType
from agentmessage.carriers.protocols import Accepted, Deferred
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.ids import new_id
from agentmessage.lookups import jobs, operations
from agentmessage.lookups.model import LookupType
from agentmessage.outbox.job_runner import JobRunner
from agentmessage.settings import Settings
from tests.conftest import NOWHERE, Client
from tests.make.accounts import Account, open_account
from tests.numbers.harness import Wire

MOBILE, FIXED, NOBODYS = "+14155550100", "+14155550190", "+14155550193"
KEYS = {
    "id", "phone_number", "lookup_type", "status", "result", "result_redacted_at", "error_code", "error_message",
    "requested_at", "completed_at", "cost_cents",
}  # fmt: skip


class LookupHarness:
    """The API with a simulated supplier behind it."""

    def __init__(self, settings: Settings, cells: Cells, db: CellDb) -> None:
        self.wire = Wire("instant")
        carriers = carrier_sets(settings, self.wire)
        self.db = db
        self.app = Api(settings, cells=cells, carriers=carriers)
        self.jobs = JobRunner(db, jobs.handlers({name: one.line_types for name, one in carriers.items()}))

    @property
    def questions(self) -> int:
        """How often the supplier was asked."""
        return sum(path.endswith("/phoneNumberLookup") for _, path in self.wire.asked)

    async def balance_cents(self, org_id: UUID) -> int:
        balance: int = await self.db.value("SELECT balance_microcents FROM wallets WHERE org_id = $1", org_id)
        return balance // 1_000_000

    async def events(self, org_id: UUID) -> list[Any]:
        return await self.db.all(
            lambda data: data, "SELECT data FROM events WHERE org_id = $1 AND type = 'lookup.completed'", org_id
        )


@pytest.fixture
async def harness(settings: Settings, cells: Cells, db: CellDb) -> AsyncIterator[LookupHarness]:
    made = LookupHarness(settings, cells, db)
    await made.app.start()
    yield made
    await made.app.stop()


@pytest.fixture
def api(harness: LookupHarness, account: Account) -> Client:
    return Client(harness.app, account.key)


@pytest.mark.covers("submitLookup", 200)
async def test_200_a_lookup_answers_what_the_supplier_knows_and_costs_two_cents(
    api: Client, harness: LookupHarness, account: Account
) -> None:
    before = await harness.balance_cents(account.org_id)

    answer = await api.post("/v1/lookup", {"phone_number": MOBILE})

    lookup = answer.data
    assert answer.status == 200
    assert set(lookup) == KEYS
    assert (lookup["status"], lookup["lookup_type"], lookup["cost_cents"]) == ("complete", "advanced", 2)
    assert lookup["result"] == {
        "line_type": "MOBILE",
        "messaging_provider": "T-Mobile USA",
        "voice_provider": "T-Mobile USA",
        "country_code": "USA",
    }
    assert await harness.balance_cents(account.org_id) == before - 2
    assert await spent_cents(harness, account) == 2
    assert await harness.events(account.org_id) == [lookup]


async def spent_cents(harness: LookupHarness, account: Account) -> int:
    """The lifetime spend, which earns the throughput tier."""
    return (await billing.wallet(harness.db, account.tenant)).lifetime_spend_microcents // 1_000_000


@pytest.mark.covers("submitLookup", 200)
async def test_200_a_number_that_nobody_knows_is_an_answer_that_costs(
    api: Client, harness: LookupHarness, account: Account
) -> None:
    before = await harness.balance_cents(account.org_id)

    lookup = (await api.post("/v1/lookup", {"phone_number": NOBODYS, "lookup_type": "advanced"})).data

    assert (lookup["status"], lookup["result"], lookup["error_code"]) == ("failed", None, "NO-MATCH")
    assert lookup["error_message"].startswith("The following TNs could not be found")
    assert await harness.balance_cents(account.org_id) == before - 2
    assert await harness.events(account.org_id) == [lookup]


@pytest.mark.covers("submitLookup", 200)
async def test_200_the_same_key_gets_the_same_answer_and_pays_once(
    api: Client, harness: LookupHarness, account: Account
) -> None:
    before = await harness.balance_cents(account.org_id)

    answers = [
        await api.post("/v1/lookup", {"phone_number": FIXED}, headers={"idempotency-key": "once"}) for _ in range(2)
    ]

    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].data == answers[1].data
    assert answers[0].data["result"]["line_type"] == "FIXED"
    assert harness.questions == 1
    assert await harness.balance_cents(account.org_id) == before - 2


@pytest.mark.covers("submitLookup", 402)
async def test_402_a_wallet_that_is_too_poor_asks_nobody(harness: LookupHarness, cells: Cells) -> None:
    poor = await open_account(cells, cents=1)

    answer = await Client(harness.app, poor.key).post("/v1/lookup", {"phone_number": MOBILE})

    assert (answer.status, answer.error["code"]) == (402, "INSUFFICIENT_CREDIT")
    assert harness.questions == 0
    assert await harness.db.value("SELECT count(*) FROM lookups") == 0


@pytest.mark.covers("submitLookup", 422)
@pytest.mark.parametrize("number", ["+442071838750", "+18765550123", "+13992077164", "+17", "4155550100", "", None])
async def test_422_only_numbers_of_the_us_and_canada_can_be_looked_up(
    api: Client, harness: LookupHarness, number: str | None
) -> None:
    answer = await api.post("/v1/lookup", {"phone_number": number})

    assert (answer.status, answer.error["code"]) == (422, "VALIDATION_FAILED")
    assert list(answer.error["details"]) == ["phone_number"]
    assert harness.questions == 0


@pytest.mark.covers("submitLookup", 200)
@pytest.mark.parametrize("number", ["+14165550123", "+17875550123", "+18005550123"])
async def test_200_canada_the_territories_and_toll_free_numbers_can_be_looked_up(api: Client, number: str) -> None:
    answer = await api.post("/v1/lookup", {"phone_number": number})

    assert (answer.status, answer.data["status"]) == (200, "complete")


@pytest.mark.covers("submitLookup", 502)
@pytest.mark.parametrize("fault", ["error_before", "rate_limited", "timeout_after", "reset_after", "garbled", "down"])
async def test_502_a_supplier_that_cannot_be_asked_costs_nothing(
    api: Client, harness: LookupHarness, account: Account, fault: str
) -> None:
    before = await harness.balance_cents(account.org_id)
    if fault == "down":
        harness.wire.is_down = True
    else:
        harness.wire.once(fault, operation="lookups")

    answer = await api.post("/v1/lookup", {"phone_number": MOBILE})

    assert (answer.status, answer.error["code"]) == (502, "LOOKUP_FAILED")
    assert await harness.balance_cents(account.org_id) == before
    assert await spent_cents(harness, account) == 0
    [told] = await harness.events(account.org_id)
    assert (told["status"], told["error_code"], told["cost_cents"]) == ("failed", "LOOKUP_FAILED", 0)


async def test_our_own_bad_credentials_at_the_supplier_are_never_the_customers_fault(
    api: Client, harness: LookupHarness, account: Account
) -> None:
    before = await harness.balance_cents(account.org_id)
    harness.wire.world._credentials = type(harness.wire.world._credentials)(password="changed")

    answer = await api.post("/v1/lookup", {"phone_number": MOBILE})

    assert (answer.status, answer.error["code"]) == (502, "LOOKUP_FAILED")
    assert await harness.balance_cents(account.org_id) == before


async def test_a_lookup_whose_request_died_is_finished_by_the_job(harness: LookupHarness, account: Account) -> None:
    lookup_id = await begin(harness, account)
    await harness.db.run("UPDATE jobs SET run_at = $1", harness.db.now)

    ran = await harness.jobs.run_due()

    lookup = await operations.get(harness.db, account.tenant, lookup_id)
    assert (ran, lookup.status, lookup.line_type) == (1, "complete", "FIXED")
    assert len(await harness.events(account.org_id)) == 1


async def test_of_two_answers_to_one_lookup_the_first_stays(harness: LookupHarness, account: Account) -> None:
    """Request and job may both ask; the later one neither changes the result nor gives the money back."""
    lookup_id = await begin(harness, account)
    before = await harness.balance_cents(account.org_id)
    answers = [Accepted(LineFacts(LineType.FIXED, None, None, "USA")), Deferred("away", 1.0)]
    for answer in answers:
        async with harness.db.transaction() as tx:
            lookup = await operations.record(tx, account.tenant, lookup_id, answer)

    assert (lookup.status, lookup.line_type, lookup.cost_cents) == ("complete", "FIXED", 2)
    assert await harness.balance_cents(account.org_id) == before
    assert len(await harness.events(account.org_id)) == 1


async def test_a_lookup_that_is_over_is_not_asked_again_by_the_job(
    api: Client, harness: LookupHarness, account: Account
) -> None:
    await api.post("/v1/lookup", {"phone_number": MOBILE})
    await harness.db.run("UPDATE jobs SET run_at = $1", harness.db.now)

    ran = await harness.jobs.run_due()

    assert (ran, harness.questions, len(await harness.events(account.org_id))) == (1, 1, 1)


async def test_a_key_whose_first_request_died_gets_its_lookup_finished(
    api: Client, harness: LookupHarness, account: Account
) -> None:
    headers = {"idempotency-key": "died"}
    first = (await api.post("/v1/lookup", {"phone_number": FIXED}, headers=headers)).data
    await harness.db.run("UPDATE idempotency_keys SET status = NULL, headers = NULL, body = NULL")
    await harness.db.run(
        "UPDATE lookups SET status = 'processing', result = NULL, line_type = NULL, completed_at = NULL"
    )
    before = await harness.balance_cents(account.org_id)

    again = await api.post("/v1/lookup", {"phone_number": FIXED}, headers=headers)

    assert (again.status, again.data["id"], again.data["result"]) == (200, first["id"], first["result"])
    assert await harness.balance_cents(account.org_id) == before


async def test_a_lookup_that_exists_for_the_key_is_the_answer_whatever_its_age(
    api: Client, harness: LookupHarness, account: Account
) -> None:
    headers = {"idempotency-key": "once"}
    first = await api.post("/v1/lookup", {"phone_number": FIXED}, headers=headers)
    before = await harness.balance_cents(account.org_id)
    await harness.db.run("DELETE FROM idempotency_keys")  # as a day later

    again = await api.post("/v1/lookup", {"phone_number": FIXED}, headers=headers)
    other = await api.post("/v1/lookup", {"phone_number": MOBILE}, headers=headers)

    assert (again.status, again.data) == (200, first.data)
    assert (other.status, other.error["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert await harness.balance_cents(account.org_id) == before


async def begin(harness: LookupHarness, account: Account) -> UUID:
    """A lookup that was paid for and not asked."""
    lookup_id = new_id()
    async with harness.db.transaction() as tx:
        await operations.begin(
            tx, account.tenant, lookup_id=lookup_id, phone_number=FIXED, lookup_type=LookupType.ADVANCED
        )
    return lookup_id


@pytest.mark.covers("listLookups", 200)
async def test_200_lookups_are_listed_newest_first_page_by_page_and_by_filters(api: Client) -> None:
    asked = [(await api.post("/v1/lookup", {"phone_number": number})).data for number in (MOBILE, FIXED, NOBODYS)]

    first = await api.get("/v1/lookup?limit=2")
    second = await api.get(f"/v1/lookup?limit=2&cursor={first.json['meta']['next_cursor']}")
    by_number = await api.get(f"/v1/lookup?phone_number=%2B{FIXED[1:]}")
    by_status = await api.get("/v1/lookup?status=failed")
    by_time = await api.get(f"/v1/lookup?since={asked[1]['requested_at']}&until={asked[2]['requested_at']}")

    assert [one["id"] for one in first.data + second.data] == [one["id"] for one in reversed(asked)]
    assert second.json["meta"]["next_cursor"] is None
    assert by_number.data == [asked[1]]
    assert by_status.data == [asked[2]]
    assert by_time.data == [asked[1]]


@pytest.mark.covers("listLookups", 422)
@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "cursor=x", "status=done", "phone_number=415", "since=yesterday", "until=1"]
)
async def test_422_a_list_says_what_is_wrong_with_its_query(api: Client, query: str) -> None:
    answer = await api.get(f"/v1/lookup?{query}")

    assert (answer.status, list(answer.error["details"])) == (422, [query.partition("=")[0]])


@pytest.mark.covers("getLookup", 200)
async def test_200_a_lookup_can_be_read_again(api: Client) -> None:
    asked = (await api.post("/v1/lookup", {"phone_number": MOBILE})).data

    answer = await api.get(f"/v1/lookup/{asked['id']}")

    assert (answer.status, answer.data) == (200, asked)


@pytest.mark.covers("getLookup", 404)
async def test_404_a_strangers_lookup_is_nothing(api: Client, harness: LookupHarness, stranger: Account) -> None:
    theirs = (await Client(harness.app, stranger.key).post("/v1/lookup", {"phone_number": MOBILE})).data

    answers = [await api.get(f"/v1/lookup/{some}") for some in (theirs["id"], NOWHERE)]

    assert [answer.status for answer in answers] == [404, 404]
    assert len({answer.error["message"] for answer in answers}) == 1


async def test_results_are_forgotten_after_ninety_days_and_not_a_moment_before(
    api: Client, harness: LookupHarness
) -> None:
    old, young = [(await api.post("/v1/lookup", {"phone_number": FIXED})).data["id"] for _ in range(2)]
    await age(harness, old, timedelta(days=90, seconds=1))
    await age(harness, young, timedelta(days=90, seconds=-60))

    forgotten = await operations.forget_results(harness.db)

    redacted, kept = [(await api.get(f"/v1/lookup/{one}")).data for one in (old, young)]
    assert forgotten == 1
    assert (redacted["result"], redacted["result_redacted_at"] is not None) == (None, True)
    assert (kept["result"]["line_type"], kept["result_redacted_at"]) == ("FIXED", None)


async def age(harness: LookupHarness, lookup_id: str, by: timedelta) -> None:
    await harness.db.run(
        "UPDATE lookups SET completed_at = completed_at - $2::interval WHERE id = $1", UUID(lookup_id), by
    )
