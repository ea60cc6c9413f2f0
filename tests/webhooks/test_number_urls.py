"""URLs of numbers: what may be set, and that a URL which was given up is told again once it is set."""

from typing import Any
from uuid import UUID

import pytest

from agentmessage.kernel.db import CellDb
from agentmessage.outbox.job_runner import JobRunner
from agentmessage.webhooks.jobs import HANDLERS
from tests.conftest import Client
from tests.make.accounts import Account
from tests.make.numbers import insert_number
from tests.make.webhooks import insert_number_lane

OLD, NEW = "https://customer.example/old", "https://customer.example/new"


@pytest.fixture
async def number(db: CellDb, account: Account) -> UUID:
    return await insert_number(db, account.org_id, "+14155550123", inbound_url=OLD)


@pytest.mark.parametrize(
    "patch",
    [
        {"inbound_url": "https://10.0.0.1/"},
        {"inbound_url": "https://localhost/", "status_url": "http://customer.example/"},
        {"status_url": "https://user@customer.example/"},
    ],
)
@pytest.mark.covers("updatePhoneNumber", 422)
async def test_422_what_could_never_be_told_is_not_taken(
    api: Client, db: CellDb, number: UUID, patch: dict[str, Any]
) -> None:
    answer = await api.patch(f"/v1/phone-numbers/{number}", patch)

    assert (answer.status, set(answer.error["details"])) == (422, set(patch))
    assert await db.value("SELECT inbound_url FROM phone_numbers WHERE id = $1", number) == OLD


@pytest.mark.parametrize("path", ["/v1/phone-numbers/orders", "/v1/phone-numbers/bulk"])
@pytest.mark.covers("orderPhoneNumbers", 422)
@pytest.mark.covers("bulkOrderPhoneNumbers", 422)
async def test_422_orders_take_no_private_url_either(api: Client, path: str) -> None:
    what = {"numbers": ["+14155550123"]} if path.endswith("orders") else {"quantity": 1}

    answer = await api.post(path, what | {"inbound_url": "https://192.168.0.1/"})

    assert (answer.status, list(answer.error["details"])) == (422, ["inbound_url"])


async def test_for_development_a_number_may_be_told_on_this_machine(near: Client, number: UUID) -> None:
    answer = await near.patch(f"/v1/phone-numbers/{number}", {"inbound_url": "http://127.0.0.1:9000/in"})

    assert answer.data["inbound_url"] == "http://127.0.0.1:9000/in"


async def test_a_url_that_was_given_up_is_told_again_once_its_number_is_changed(
    api: Client, db: CellDb, account: Account, stranger: Account, number: UUID
) -> None:
    queues = {
        name: await insert_number_lane(db, org_id, url, disabled_at=db.now)
        for name, org_id, url in (
            ("named before", account.org_id, OLD),
            ("named now", account.org_id, NEW),
            ("a stranger's", stranger.org_id, NEW),
        )
    }

    await api.patch(f"/v1/phone-numbers/{number}", {"inbound_url": NEW})
    ran = await JobRunner(db, HANDLERS).run_due()

    still = "SELECT id FROM webhook_queues WHERE disabled_at IS NOT NULL AND failing_since IS NOT NULL"
    assert ran == 1
    assert set(await db.all(UUID_of, still)) == {queues["named before"], queues["a stranger's"]}


def UUID_of(value: UUID) -> UUID:  # noqa: N802 - a column as it is
    return value
