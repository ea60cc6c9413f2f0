"""The first start of `agentmessage up`."""

import asyncio

from msgspec import structs

from agentmessage.billing import operations as billing
from agentmessage.kernel.db import Cells
from agentmessage.keys import operations as keys
from agentmessage.organizations import operations as organizations
from agentmessage.settings import Settings
from agentmessage.standalone.first_start import bootstrap
from agentmessage.web.authentication import Authenticator
from agentmessage.web.scopes import ALL_SCOPES, CUSTOMER_SCOPES


async def test_first_start_makes_two_organizations_that_can_pay(dsn: str, settings: Settings, cells: Cells) -> None:
    made = await bootstrap(dsn, settings)

    summaries = await organizations.list_all(cells)
    assert [s.mode for s in summaries].count("live") == 2
    assert [s.mode for s in summaries].count("sandbox") == 2
    assert {str(s.id) for s in summaries if s.mode == "live"} == {made.org_id, made.second_org_id}
    assert all(s.balance_microcents >= 1_000 * 100 * 1_000_000 for s in summaries)


async def test_first_start_gives_keys_with_the_promised_scopes(dsn: str, settings: Settings, cells: Cells) -> None:
    made = await bootstrap(dsn, settings)

    async def who(key: str) -> tuple[str, str, frozenset[str]]:
        known = await Authenticator(cells, lambda: 0.0).authenticate(f"Bearer {key}", now=(await cells.directory()).now)
        return str(known.principal.org_id), known.principal.mode, known.scopes

    assert await who(made.api_key) == (made.org_id, "live", frozenset(CUSTOMER_SCOPES))
    assert await who(made.platform_api_key) == (made.org_id, "live", ALL_SCOPES)
    assert await who(made.second_org_api_key) == (made.second_org_id, "live", frozenset(CUSTOMER_SCOPES))
    org_id, mode, scopes = await who(made.sandbox_api_key)
    assert mode == "sandbox"
    assert org_id not in (made.org_id, made.second_org_id)
    assert scopes == frozenset(CUSTOMER_SCOPES)
    assert made.api_key.startswith("am_live_")
    assert made.sandbox_api_key.startswith("am_test_")


async def test_later_starts_with_the_keys_file_change_nothing(dsn: str, settings: Settings, cells: Cells) -> None:
    first = await bootstrap(dsn, settings)

    again = await bootstrap(dsn, settings, structs.asdict(first))

    assert again == first
    assert len(await organizations.list_all(cells)) == 4


async def test_a_lost_keys_file_is_replaced_and_the_lost_keys_die(dsn: str, settings: Settings, cells: Cells) -> None:
    first = await bootstrap(dsn, settings)

    again = await bootstrap(dsn, settings, None)

    assert (again.org_id, again.second_org_id) == (first.org_id, first.second_org_id)
    assert again.api_key != first.api_key
    db = await cells.directory()
    assert await keys.owner_of(db, first.api_key) is None
    assert str(await keys.owner_of(db, again.api_key)) == first.org_id


async def test_two_first_starts_at_once_make_one_pair(dsn: str, settings: Settings, cells: Cells) -> None:
    one, other = await asyncio.gather(bootstrap(dsn, settings), bootstrap(dsn, settings))

    assert (one.org_id, one.second_org_id) == (other.org_id, other.second_org_id)
    tenant = await organizations.tenant_of(cells, (await organizations.list_all(cells))[0].id)
    wallet = await billing.wallet(await cells.cell(tenant.cell), tenant)
    assert wallet.balance_microcents == (1_000 * 100 + settings.signup_credit_cents) * 1_000_000
