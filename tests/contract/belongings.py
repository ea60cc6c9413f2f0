"""One thing of every kind that an organization can own, for the routes that take its id."""

from typing import Any
from uuid import UUID

from agentmessage.conversations.model import Place
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.ids import new_id
from tests.make.accounts import Account
from tests.make.brands import insert_brand
from tests.make.campaigns import insert_campaign
from tests.make.guardrails import insert_binding, insert_pool, insert_profile
from tests.make.said import say
from tests.make.webhooks import insert_attempt, insert_endpoint


async def furnish(db: CellDb, account: Account, *, number: str) -> dict[str, Any]:
    """Put one of everything into the database; answers ids by the path that reads one."""
    brand = await insert_brand(db, account.org_id)
    campaign = await insert_campaign(db, account.org_id, brand_id=brand)
    order = await _insert_bulk_order(db, account.org_id)
    endpoint = await insert_endpoint(db, account.org_id)
    return {
        "/v1/api-keys/{id}": account.key_id,
        "/v1/brands/{id}": brand,
        "/v1/campaigns/{id}": campaign,
        "/v1/consent/{id}": await _insert_consent(db, account.org_id),
        **await _insert_guardrails(db, account.org_id, brand),
        **await _insert_inbound(db, account.org_id),
        "/v1/messages/{id}": (await say(db, account.org_id, new_id(), contact="+14155550101")).id,
        "/v1/lookup/{id}": await _insert_lookup(db, account.org_id),
        "/v1/phone-numbers/bulk/{id}": order,
        "/v1/phone-numbers/orders/{id}": order,
        "/v1/phone-numbers/{id}": await _insert_number(db, account.org_id, number, campaign),
        "/v1/webhooks/{id}": endpoint,
        "/v1/webhooks/deliveries/{id}": (await insert_attempt(db, account.org_id, endpoint)).id,
    }


def home_of(path: str, belongings: dict[str, Any]) -> str:
    """The path that reads the thing whose id stands in `path`; a KeyError asks for a new entry in `furnish`."""
    home = path[: path.index("}") + 1]
    if home not in belongings:
        raise KeyError(f"no belonging is read at {home}: add one to furnish()")
    return home


async def _insert_guardrails(db: CellDb, org_id: UUID, brand_id: UUID) -> dict[str, UUID]:
    profile = await insert_profile(db, org_id)
    return {
        "/v1/guardrails/profiles/{id}": profile,
        "/v1/guardrails/bindings/{id}": await insert_binding(db, org_id, profile, "brand", brand_id),
        "/v1/guardrails/pools/{id}": await insert_pool(db, org_id, brand_id),
    }


async def _insert_inbound(db: CellDb, org_id: UUID) -> dict[str, Any]:
    inbound_id, number_id, contact = new_id(), new_id(), "+14155550100"
    await db.run(
        """INSERT INTO inbound_messages (id, org_id, account, phone_number_id, from_number, to_number, body, channel,
               segment_count, carrier, carrier_message_id, received_at)
           VALUES ($1, $2, 'live', $3, $4, '+14155550123', 'Hello', 'sms', 1, 'smpp', $1::uuid::text, $5)""",
        inbound_id,
        org_id,
        number_id,
        contact,
        db.now,
    )
    await db.run(
        """INSERT INTO conversations (org_id, phone_number_id, contact_number, phone_number, last_message_at,
               last_direction, last_message_id, last_preview, message_count)
           VALUES ($1, $2, $3, '+14155550123', $4, 'inbound', $5, 'Hello', 1)""",
        org_id,
        number_id,
        contact,
        db.now,
        inbound_id,
    )
    return {"/v1/inbound-messages/{id}": inbound_id, "/v1/conversations/{id}": Place(number_id, contact).id}


async def _insert_consent(db: CellDb, org_id: UUID) -> UUID:
    consent_id = new_id()
    await db.run(
        """INSERT INTO consents (id, org_id, phone_number_id, contact_number, opted_in, opted_in_at, source,
                                 consent_method, created_at, updated_at)
           VALUES ($1, $2, $1, '+14155550100', true, $3, 'api', 'checkbox', $3, $3)""",
        consent_id,
        org_id,
        db.now,
    )
    return consent_id


async def _insert_bulk_order(db: CellDb, org_id: UUID) -> UUID:
    order_id = new_id()
    await db.run(
        """INSERT INTO number_orders (id, org_id, account, kind, status, quantity, criteria, settings, created_at)
           VALUES ($1, $2, 'live', 'bulk', 'processing', 3, '{}', '{}', $3)""",
        order_id,
        org_id,
        db.now,
    )
    return order_id


async def _insert_lookup(db: CellDb, org_id: UUID) -> UUID:
    lookup_id = new_id()
    await db.run(
        """INSERT INTO lookups (id, org_id, account, phone_number, lookup_type, status, line_type, result, cost_cents,
                                requested_at, completed_at)
           VALUES ($1, $2, 'live', '+14155550100', 'advanced', 'complete', 'FIXED', $3, 2, $4, $4)""",
        lookup_id,
        org_id,
        {"line_type": "FIXED", "messaging_provider": None, "voice_provider": None, "country_code": "USA"},
        db.now,
    )
    return lookup_id


async def _insert_number(db: CellDb, org_id: UUID, number: str, campaign_id: UUID) -> UUID:
    number_id = new_id()
    await db.run(
        """INSERT INTO phone_numbers (id, org_id, account, number, number_type, state, campaign_id, generation,
                                      desired_at, line_option_status, created_at, updated_at)
           VALUES ($1, $2, 'live', $3, 'local', 'assigned', $4, 1, $5, 'pending', $5, $5)""",
        number_id,
        org_id,
        number,
        campaign_id,
        db.now,
    )
    await db.run(
        """INSERT INTO line_options (phone_number_id, org_id, account, number, phase, observed, updated_at)
           VALUES ($1, $2, 'live', $3, 'unbound', 'unread', $4)""",
        number_id,
        org_id,
        number,
        db.now,
    )
    await db.run(
        """INSERT INTO directory.inventory (account, number, number_type, state, org_id, cell)
           VALUES ('live', $1, 'local', 'assigned', $2, 'cell_00')""",
        number,
        org_id,
    )
    return number_id
