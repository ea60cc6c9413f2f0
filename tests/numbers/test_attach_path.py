"""Attaching with a malformed id in the path: the number is what is looked at last."""

from typing import Any
from uuid import UUID

import pytest

from agentmessage.kernel.db import CellDb
from tests.conftest import NOWHERE, Client
from tests.make.accounts import Account
from tests.make.campaigns import insert_campaign

PATH = "/v1/phone-numbers/not-an-id/campaign"


@pytest.mark.covers("attachCampaignToPhoneNumber", 400)
@pytest.mark.parametrize(
    ("campaign", "refused"),
    [
        ({}, (422, "VALIDATION_FAILED")),
        ({"campaign_id": "not-an-id"}, (422, "VALIDATION_FAILED")),
        ({"campaign_id": str(NOWHERE)}, (404, "NOT_FOUND")),
        ("PENDING", (409, "CAMPAIGN_NOT_ACTIVE")),
        ("ACTIVE", (400, "VALIDATION_FAILED")),
    ],
)
async def test_400_a_malformed_number_is_named_after_every_fault_of_the_campaign(
    api: Client, db: CellDb, account: Account, campaign: Any, refused: tuple[int, str]
) -> None:
    body = campaign
    if isinstance(campaign, str):
        some_id: UUID = await insert_campaign(db, account.org_id, status=campaign)
        body = {"campaign_id": str(some_id)}

    answer = await api.post(PATH, body)

    assert (answer.status, answer.error["code"]) == refused
    if answer.status == 400:
        assert answer.error["details"] == {"id": "must be a UUID"}
