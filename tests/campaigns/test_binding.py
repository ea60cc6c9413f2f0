"""What the numbers room asks of a campaign before it puts a number on it."""

from typing import Any

import pytest

from agentmessage.brands.errors import BrandNotVerified
from agentmessage.campaigns import operations
from agentmessage.campaigns.errors import CampaignNotActive
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.errors import NotFound
from tests.make.accounts import Account
from tests.make.brands import insert_brand
from tests.make.campaigns import insert_campaign


@pytest.mark.parametrize("status", ["PENDING", "REJECTED", "EXPIRED"])
@pytest.mark.parametrize("identity_status", ["VERIFIED", "UNVERIFIED"])
async def test_campaign_not_active_comes_before_brand_not_verified(
    db: CellDb, account: Account, status: str, identity_status: str
) -> None:
    brand_id = await insert_brand(db, account.org_id, identity_status=identity_status)
    campaign_id = await insert_campaign(db, account.org_id, brand_id=brand_id, status=status)

    with pytest.raises(CampaignNotActive):
        await operations.require_bindable(db, account.tenant, campaign_id)


@pytest.mark.parametrize("identity_status", [None, "UNVERIFIED", "SELF_DECLARED"])
async def test_an_active_campaign_of_an_unverified_brand_is_not_bindable(
    db: CellDb, account: Account, identity_status: str | None
) -> None:
    brand_id = await insert_brand(db, account.org_id, identity_status=identity_status)
    campaign_id = await insert_campaign(db, account.org_id, brand_id=brand_id)

    with pytest.raises(BrandNotVerified):
        await operations.require_bindable(db, account.tenant, campaign_id)


@pytest.mark.parametrize("changes", [{}, {"is_suspended": True}])
async def test_a_suspended_campaign_can_be_the_desired_one(db: CellDb, account: Account, changes: Any) -> None:
    campaign_id = await insert_campaign(db, account.org_id, **changes)

    bindable = await operations.require_bindable(db, account.tenant, campaign_id)

    assert bindable == await operations.get_for_binding(db, account.tenant, campaign_id)
    assert (bindable.id, bindable.number_cap) == (campaign_id, 49)


async def test_another_organizations_campaign_is_not_found(db: CellDb, account: Account, stranger: Account) -> None:
    campaign_id = await insert_campaign(db, stranger.org_id)

    assert await operations.get_for_binding(db, account.tenant, campaign_id) is None
    with pytest.raises(NotFound):
        await operations.require_bindable(db, account.tenant, campaign_id)
