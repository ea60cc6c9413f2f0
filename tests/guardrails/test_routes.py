"""Guardrails over HTTP: every status, what is kept in the audit log, and what two requests at once may not do."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest

from agentmessage.kernel.db import CellDb, Cells
from tests.conftest import NOWHERE, Client, Reply
from tests.make.accounts import Account, key_with
from tests.make.brands import insert_brand
from tests.make.campaigns import insert_campaign
from tests.make.guardrails import insert_binding, insert_number, insert_pool, insert_profile

PROFILES, BINDINGS, POOLS = "/v1/guardrails/profiles", "/v1/guardrails/bindings", "/v1/guardrails/pools"
INHERITS: Mapping[str, Any] = {
    "quiet_hours_disabled": None,
    "quiet_hours_start_minute": None,
    "quiet_hours_end_minute": None,
    "quiet_hours_mode": None,
    "freq_cap_disabled": None,
    "freq_cap_window_minutes": None,
    "freq_cap_max_in_window": None,
    "consent_freshness_disabled": None,
    "consent_freshness_max_age_days": None,
    "autostamp_disabled": None,
    "autostamp_sender_id_text": None,
    "autostamp_cadence": None,
    "suppression_disabled": None,
    "branded_link_advisory_disabled": None,
}
CAP = {"freq_cap_disabled": False, "freq_cap_window_minutes": 1440, "freq_cap_max_in_window": 3}
MALFORMED = "not-an-id"


async def create(api: Client, **given: Any) -> Any:
    """A new profile."""
    reply = await api.post(PROFILES, {"name": "Night rest"} | given)
    assert reply.status == 201, reply.json
    return reply.data


async def bind(api: Client, profile_id: str, **target: Any) -> Any:
    """A profile on a target."""
    reply = await api.request("PUT", BINDINGS, {"profile_id": profile_id} | target)
    assert reply.status == 200, reply.json
    return reply.data


async def acts(api: Client, action: str) -> list[Any]:
    """What the audit log says of an action, newest first."""
    return (await api.get(f"/v1/audit-log?include=payload&action={action}")).data


def details(reply: Reply) -> Any:
    """What a 422 says of the fields."""
    assert (reply.status, reply.error["code"]) == (422, "VALIDATION_FAILED"), reply.json
    return reply.error["details"]


@pytest.mark.covers("createGuardrailProfile", 201)
async def test_201_a_profile_inherits_what_it_does_not_say(api: Client, account: Account) -> None:
    reply = await api.post(PROFILES, {"name": "Night rest"} | CAP)

    assert reply.status == 201
    shown = dict(reply.data)
    assert shown.pop("created_at") == shown.pop("updated_at")
    assert UUID(shown.pop("id"))
    whole = {"org_id": str(account.org_id), "name": "Night rest", "source": "customer", "template_key": None}
    assert shown == whole | INHERITS | CAP
    assert [act["resource"]["id"] for act in await acts(api, "guardrail_profile.create")] == [reply.data["id"]]


@pytest.mark.covers("createGuardrailProfile", 422)
async def test_422_a_profile_that_is_not_whole(api: Client) -> None:
    wrong = await api.post(PROFILES, {
        "name": " ", "quiet_hours_start_minute": 1440, "quiet_hours_mode": "later", "freq_cap_window_minutes": 0,
        "freq_cap_max_in_window": 0, "consent_freshness_max_age_days": 0, "autostamp_cadence": "never", "source": "x",
    })  # fmt: skip
    partial = await api.post(PROFILES, {"name": "p", "quiet_hours_disabled": False})

    assert details(wrong) == {
        "name": "must be 1..100 characters, not all blank",
        "quiet_hours_start_minute": "must be an integer, 0..1439",
        "quiet_hours_mode": "must be one of reject, defer",
        "freq_cap_window_minutes": "must be an integer, 1..525600",
        "freq_cap_max_in_window": "must be an integer, 1..1000",
        "consent_freshness_max_age_days": "must be an integer, 1..36500",
        "autostamp_cadence": "must be one of every, first, daily",
        "source": "is not a known field",
    }
    assert details(partial) == {
        "quiet_hours_start_minute": "is required when quiet_hours_disabled is false",
        "quiet_hours_end_minute": "is required when quiet_hours_disabled is false",
    }


async def test_the_same_idempotency_key_gives_the_original_back(api: Client) -> None:
    key = {"idempotency-key": "night-rest-1"}

    first = await api.post(PROFILES, {"name": "Night rest"}, headers=key)
    again = await api.post(PROFILES, {"name": "Night rest"}, headers=key)

    assert again.json == first.json
    assert len((await api.get(PROFILES)).data) == 1


@pytest.mark.covers("listGuardrailProfiles", 200)
async def test_200_profiles_are_listed_newest_first_and_in_pages(api: Client, db: CellDb, stranger: Account) -> None:
    made = [(await create(api, name=f"p{place}"))["id"] for place in range(5)]
    await insert_profile(db, stranger.org_id)

    first = await api.get(f"{PROFILES}?limit=3")
    second = await api.get(f"{PROFILES}?limit=3&cursor={first.json['meta']['next_cursor']}")

    assert [row["id"] for row in first.data + second.data] == made[::-1]
    assert first.json["meta"]["limit"] == 3
    assert second.json["meta"]["next_cursor"] is None
    assert (await api.get(PROFILES)).json["meta"]["limit"] == 50


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=x", "brand=x"])
@pytest.mark.parametrize("path", [PROFILES, BINDINGS, POOLS])
@pytest.mark.covers("listGuardrailProfiles", 422)
@pytest.mark.covers("listGuardrailBindings", 422)
@pytest.mark.covers("listGuardrailPools", 422)
async def test_422_a_page_that_cannot_be(api: Client, path: str, query: str) -> None:
    assert query.partition("=")[0] in details(await api.get(f"{path}?{query}"))


@pytest.mark.covers("getGuardrailProfile", 200)
async def test_200_a_profile_is_read_as_it_was_made(api: Client) -> None:
    made = await create(api, **CAP)

    assert (await api.get(f"{PROFILES}/{made['id']}")).data == made


@pytest.mark.covers("updateGuardrailProfile", 200)
async def test_200_a_patch_sets_clears_and_leaves(api: Client) -> None:
    made = await create(api, **CAP, suppression_disabled=True)

    reply = await api.patch(f"{PROFILES}/{made['id']}", {"freq_cap_disabled": None, "freq_cap_max_in_window": 5})
    again = await api.patch(f"{PROFILES}/{made['id']}", {"freq_cap_max_in_window": 5})

    assert reply.status == 200
    changed = {"freq_cap_disabled": None, "freq_cap_max_in_window": 5, "updated_at": reply.data["updated_at"]}
    assert reply.data == made | changed
    assert reply.data["updated_at"] > made["updated_at"]
    assert again.data == reply.data == (await api.get(f"{PROFILES}/{made['id']}")).data
    (act,) = await acts(api, "guardrail_profile.update")
    assert act["payload"] == {
        "before": {"freq_cap_disabled": False, "freq_cap_max_in_window": 3},
        "after": {"freq_cap_disabled": None, "freq_cap_max_in_window": 5},
    }


@pytest.mark.covers("updateGuardrailProfile", 422)
async def test_422_a_patch_may_not_take_away_what_a_tool_needs(api: Client) -> None:
    made = await create(api, **CAP)

    reply = await api.patch(f"{PROFILES}/{made['id']}", {"freq_cap_window_minutes": None})
    nameless = await api.patch(f"{PROFILES}/{made['id']}", {"name": None})

    assert details(reply) == {"freq_cap_window_minutes": "is required when freq_cap_disabled is false"}
    assert set(details(nameless)) == {"name"}
    assert (await api.get(f"{PROFILES}/{made['id']}")).data == made


@pytest.mark.covers("deleteGuardrailProfile", 204)
async def test_204_a_profile_that_is_not_bound_is_deleted(api: Client) -> None:
    made = await create(api)

    reply = await api.delete(f"{PROFILES}/{made['id']}")

    assert (reply.status, reply.body) == (204, b"")
    assert (await api.get(f"{PROFILES}/{made['id']}")).status == 404
    assert len(await acts(api, "guardrail_profile.delete")) == 1


@pytest.mark.covers("deleteGuardrailProfile", 409)
async def test_409_a_profile_that_is_bound_stays(api: Client) -> None:
    made = await create(api)
    await bind(api, made["id"])

    reply = await api.delete(f"{PROFILES}/{made['id']}")

    assert (reply.status, reply.error["code"], reply.error["message"]) == (409, "CONFLICT", "profile is bound")
    assert (await api.get(f"{PROFILES}/{made['id']}")).status == 200


@pytest.mark.covers("getGuardrailProfile", 404)
@pytest.mark.covers("updateGuardrailProfile", 404)
@pytest.mark.covers("deleteGuardrailProfile", 404)
@pytest.mark.covers("deleteGuardrailBinding", 404)
@pytest.mark.covers("getGuardrailPool", 404)
@pytest.mark.covers("updateGuardrailPool", 404)
@pytest.mark.covers("deleteGuardrailPool", 404)
@pytest.mark.covers("listGuardrailPoolMembers", 404)
@pytest.mark.covers("replaceGuardrailPoolMembers", 404)
async def test_404_what_is_not_there_and_what_is_a_strangers_are_one(
    api: Client, db: CellDb, stranger: Account
) -> None:
    brand = await insert_brand(db, stranger.org_id)
    profile = await insert_profile(db, stranger.org_id)
    theirs = {
        PROFILES: profile,
        BINDINGS: await insert_binding(db, stranger.org_id, profile, "brand", brand),
        POOLS: await insert_pool(db, stranger.org_id, brand),
    }
    asked = [
        ("GET", PROFILES, "", None), ("PATCH", PROFILES, "", {"name": "q"}), ("DELETE", PROFILES, "", None),
        ("DELETE", BINDINGS, "", {}), ("GET", POOLS, "", None), ("PATCH", POOLS, "", {"name": "q"}),
        ("DELETE", POOLS, "", None), ("GET", POOLS, "/members", None),
        ("PUT", POOLS, "/members", {"phone_number_ids": []}),
    ]  # fmt: skip

    for method, path, rest, body in asked:
        answers = [await api.request(method, f"{path}/{some}{rest}", body) for some in (theirs[path], NOWHERE)]
        assert [(reply.status, reply.error["code"]) for reply in answers] == [(404, "NOT_FOUND")] * 2, (method, path)


@pytest.mark.covers("getGuardrailProfile", 422)
@pytest.mark.covers("updateGuardrailPool", 422)
@pytest.mark.covers("getGuardrailPool", 422)
@pytest.mark.covers("deleteGuardrailProfile", 422)
@pytest.mark.covers("deleteGuardrailPool", 422)
@pytest.mark.covers("listGuardrailPoolMembers", 422)
async def test_422_an_id_that_is_none_is_told_as_a_fault_of_the_request(api: Client) -> None:
    asked = [
        ("GET", PROFILES, "", None), ("PATCH", POOLS, "", {"name": "q"}), ("GET", POOLS, "", None),
        ("DELETE", PROFILES, "", None), ("DELETE", POOLS, "", None), ("GET", POOLS, "/members", None),
    ]  # fmt: skip

    for method, path, rest, body in asked:
        reply = await api.request(method, f"{path}/{MALFORMED}{rest}", body)
        assert details(reply) == {"id": "must be a UUID"}, (method, path)


@pytest.mark.covers("upsertGuardrailBinding", 200)
async def test_200_a_binding_names_its_scope_and_replaces_the_one_before(
    api: Client, db: CellDb, account: Account
) -> None:
    brand = await insert_brand(db, account.org_id)
    campaign = await insert_campaign(db, account.org_id, brand_id=brand)
    number = await insert_number(db, account.org_id, campaign)
    pool = await insert_pool(db, account.org_id, brand)
    first, second = (await create(api))["id"], (await create(api))["id"]
    targets = {"brand_id": brand, "campaign_id": campaign, "phone_number_id": number, "pool_id": pool}
    nowhere = dict.fromkeys(targets)

    made = [await bind(api, first, **nowhere)]
    made += [await bind(api, first, **{name: str(target)}) for name, target in targets.items()]
    replaced = await bind(api, second, brand_id=str(brand))
    same = await bind(api, second, brand_id=str(brand))

    kinds = ["use_case_default", "brand", "campaign", "phone_number", "pool"]
    assert [binding["scope_kind"] for binding in made] == kinds
    assert {name: made[0][name] for name in nowhere} == nowhere
    for binding, (name, target) in zip(made[1:], targets.items(), strict=True):
        assert {n: binding[n] for n in nowhere} == nowhere | {name: str(target)}
    assert (replaced["id"], replaced["profile_id"]) == (made[1]["id"], second)
    assert replaced["created_at"] == made[1]["created_at"]
    assert same == replaced
    assert len(await acts(api, "guardrail_binding.put")) == 6


@pytest.mark.covers("upsertGuardrailBinding", 422)
async def test_422_a_binding_has_one_target_at_most(api: Client) -> None:
    made = await create(api)

    reply = await api.request(
        "PUT", BINDINGS, {"profile_id": made["id"], "brand_id": str(NOWHERE), "pool_id": str(NOWHERE)}
    )

    assert details(reply) == {"brand_id": "must be the only target", "pool_id": "must be the only target"}
    assert (await api.get(BINDINGS)).data == []


@pytest.mark.covers("upsertGuardrailBinding", 404)
async def test_404_neither_a_strangers_profile_nor_a_strangers_target_is_bound(
    api: Client, db: CellDb, stranger: Account
) -> None:
    mine, theirs = (await create(api))["id"], await insert_profile(db, stranger.org_id)
    brand = await insert_brand(db, stranger.org_id)
    campaign = await insert_campaign(db, stranger.org_id, brand_id=brand)
    targets = {
        "brand_id": brand,
        "campaign_id": campaign,
        "phone_number_id": await insert_number(db, stranger.org_id, campaign),
        "pool_id": await insert_pool(db, stranger.org_id, brand),
    }

    replies = [await api.request("PUT", BINDINGS, {"profile_id": str(theirs)})]
    replies += [
        await api.request("PUT", BINDINGS, {"profile_id": mine, name: str(target)}) for name, target in targets.items()
    ]

    assert [reply.status for reply in replies] == [404] * 5
    assert (await api.get(BINDINGS)).data == []


@pytest.mark.covers("listGuardrailBindings", 200)
async def test_200_bindings_are_listed_newest_first_and_in_pages(api: Client, db: CellDb, account: Account) -> None:
    profile = (await create(api))["id"]
    made = [(await bind(api, profile, brand_id=str(await insert_brand(db, account.org_id))))["id"] for _ in range(3)]

    first = await api.get(f"{BINDINGS}?limit=2")
    second = await api.get(f"{BINDINGS}?limit=2&cursor={first.json['meta']['next_cursor']}")

    assert [row["id"] for row in first.data + second.data] == made[::-1]


@pytest.mark.covers("deleteGuardrailBinding", 204)
async def test_204_a_binding_that_holds_no_more_than_the_default_goes_without_a_word(
    api: Client, db: CellDb, account: Account
) -> None:
    brand = str(await insert_brand(db, account.org_id))
    await bind(api, (await create(api, **CAP))["id"])
    binding = await bind(api, (await create(api, **CAP | {"freq_cap_max_in_window": 4}))["id"], brand_id=brand)

    reply = await api.delete(f"{BINDINGS}/{binding['id']}")

    assert (reply.status, reply.body) == (204, b"")
    assert [row["scope_kind"] for row in (await api.get(BINDINGS)).data] == ["use_case_default"]
    (act,) = await acts(api, "guardrail_binding.delete")
    assert (act["reason"], act["payload"]["loosened"]) == (None, [])


@pytest.mark.covers("deleteGuardrailBinding", 422)
async def test_422_loosening_without_an_attestation_changes_nothing(api: Client, db: CellDb, account: Account) -> None:
    """ATTESTATION_REQUIRED; against the organization's default, and for the default against its own quiet hours."""
    brand = str(await insert_brand(db, account.org_id))
    on_brand = await bind(api, (await create(api, **CAP))["id"], brand_id=brand)
    default = await bind(
        api, (await create(api, consent_freshness_disabled=False, consent_freshness_max_age_days=9))["id"]
    )

    replies = [await api.delete(f"{BINDINGS}/{on_brand['id']}")]
    replies += [
        await api.delete(f"{BINDINGS}/{on_brand['id']}", json_body=body)
        for body in ({}, {"attestation": None}, {"attestation": ""}, {"attestation": " \n"})
    ]
    of_default = await api.delete(f"{BINDINGS}/{default['id']}")

    assert {(reply.status, reply.error["code"]) for reply in replies} == {(422, "ATTESTATION_REQUIRED")}
    assert {(reply.error["details"]["tool"], reply.error["details"]["scope_kind"]) for reply in replies} == {
        ("freq_cap", "brand")
    }
    assert of_default.error["details"] == {
        "attestation": "is required to loosen a guardrail",
        "tool": "consent_freshness",
        "scope_kind": "use_case_default",
    }
    assert len((await api.get(BINDINGS)).data) == 2
    assert await acts(api, "guardrail_binding.delete") == []


async def test_an_attestation_is_kept_word_for_word(api: Client) -> None:
    words = " Our ward staff asked for this, in writing.\n"
    binding = await bind(api, (await create(api, **CAP))["id"])

    reply = await api.delete(f"{BINDINGS}/{binding['id']}", json_body={"attestation": words})

    assert reply.status == 204
    (act,) = await acts(api, "guardrail_binding.delete")
    assert (act["reason"], act["payload"]["loosened"]) == (words, ["freq_cap"])
    assert act["payload"]["before"]["profile_id"] == binding["profile_id"]


async def test_the_organizations_own_quiet_hours_count_as_what_is_left(api: Client) -> None:
    night = {"quiet_hours_disabled": False, "quiet_hours_start_minute": 1260, "quiet_hours_end_minute": 480}
    binding = await bind(api, (await create(api, **night))["id"])

    before = await api.delete(f"{BINDINGS}/{binding['id']}")
    await api.patch("/v1/organization", {"quiet_hours": {"enabled": True}})
    after = await api.delete(f"{BINDINGS}/{binding['id']}")

    assert (before.status, before.error["details"]["tool"]) == (422, "quiet_hours")
    assert after.status == 204


@pytest.mark.covers("createGuardrailPool", 201)
async def test_201_a_pool_begins_empty(api: Client, db: CellDb, account: Account) -> None:
    brand = str(await insert_brand(db, account.org_id))

    reply = await api.post(POOLS, {"brand_id": brand, "name": "West coast", "slug": "west-coast"})

    assert reply.status == 201
    shown = dict(reply.data)
    assert shown.pop("created_at") == shown.pop("updated_at")
    assert UUID(shown.pop("id"))
    assert shown == {"org_id": str(account.org_id), "brand_id": brand, "name": "West coast", "slug": "west-coast"}
    assert (await api.get(f"{POOLS}/{reply.data['id']}/members")).data == []
    assert len(await acts(api, "guardrail_pool.create")) == 1


@pytest.mark.covers("createGuardrailPool", 422)
async def test_422_a_pool_needs_brand_name_and_slug(api: Client) -> None:
    empty = await api.post(POOLS, {})
    wrong = await api.post(POOLS, {"brand_id": "x", "name": "", "slug": "West Coast"})

    assert details(empty) == {"brand_id": "is required", "name": "is required", "slug": "is required"}
    assert set(details(wrong)) == {"brand_id", "name", "slug"}


@pytest.mark.covers("createGuardrailPool", 404)
async def test_404_a_pool_of_a_strangers_brand(api: Client, db: CellDb, stranger: Account) -> None:
    brand = str(await insert_brand(db, stranger.org_id))

    assert (await api.post(POOLS, {"brand_id": brand, "name": "West", "slug": "west"})).status == 404


@pytest.mark.covers("createGuardrailPool", 409)
async def test_409_a_slug_names_one_pool_of_an_organization(
    api: Client, db: CellDb, account: Account, stranger: Account
) -> None:
    brand = await insert_brand(db, account.org_id)
    await insert_pool(db, stranger.org_id, await insert_brand(db, stranger.org_id), slug="west")
    pool = {"brand_id": str(brand), "name": "West", "slug": "west"}

    replies = await asyncio.gather(*[api.post(POOLS, pool) for _ in range(4)])

    assert sorted(reply.status for reply in replies) == [201, 409, 409, 409]
    refused = next(reply for reply in replies if reply.status == 409)
    assert (refused.error["code"], refused.error["details"]) == ("CONFLICT", {"slug": "is taken"})


@pytest.mark.covers("getGuardrailPool", 200)
@pytest.mark.covers("listGuardrailPools", 200)
async def test_200_pools_are_read_and_listed_by_brand_and_in_pages(api: Client, db: CellDb, account: Account) -> None:
    brand, other = await insert_brand(db, account.org_id), await insert_brand(db, account.org_id)
    made = [str(await insert_pool(db, account.org_id, brand, slug=f"p{place}")) for place in range(3)]
    lonely = str(await insert_pool(db, account.org_id, other, slug="lonely"))

    first = await api.get(f"{POOLS}?brand_id={brand}&limit=2")
    second = await api.get(f"{POOLS}?brand_id={brand}&limit=2&cursor={first.json['meta']['next_cursor']}")

    assert [row["id"] for row in first.data + second.data] == made[::-1]
    assert [row["id"] for row in (await api.get(POOLS)).data] == [lonely, *made[::-1]]
    assert (await api.get(f"{POOLS}/{lonely}")).data["slug"] == "lonely"


@pytest.mark.covers("updateGuardrailPool", 200)
async def test_200_a_pool_is_renamed(api: Client, db: CellDb, account: Account) -> None:
    pool = await insert_pool(db, account.org_id, await insert_brand(db, account.org_id))

    reply = await api.patch(f"{POOLS}/{pool}", {"name": "East", "slug": "east"})
    again = await api.patch(f"{POOLS}/{pool}", {"slug": "east"})

    assert (reply.status, reply.data["name"], reply.data["slug"]) == (200, "East", "east")
    assert again.data == reply.data == (await api.get(f"{POOLS}/{pool}")).data
    assert len(await acts(api, "guardrail_pool.update")) == 1


@pytest.mark.covers("updateGuardrailPool", 409)
async def test_409_a_pool_does_not_take_the_slug_of_another(api: Client, db: CellDb, account: Account) -> None:
    brand = await insert_brand(db, account.org_id)
    await insert_pool(db, account.org_id, brand, slug="west")
    east = await insert_pool(db, account.org_id, brand, slug="east")

    reply = await api.patch(f"{POOLS}/{east}", {"slug": "west"})

    assert (reply.status, reply.error["code"]) == (409, "CONFLICT")
    assert (await api.get(f"{POOLS}/{east}")).data["slug"] == "east"


async def test_the_brand_of_a_pool_is_fixed(api: Client, db: CellDb, account: Account) -> None:
    brand = await insert_brand(db, account.org_id)
    pool = await insert_pool(db, account.org_id, brand)

    assert details(await api.patch(f"{POOLS}/{pool}", {"brand_id": str(brand)})) == {"brand_id": "is not a known field"}


@pytest.mark.covers("deleteGuardrailPool", 204)
async def test_204_a_pool_goes_with_its_members_and_its_binding(api: Client, db: CellDb, account: Account) -> None:
    brand = await insert_brand(db, account.org_id)
    number = await insert_number(db, account.org_id, await insert_campaign(db, account.org_id, brand_id=brand))
    pool = await insert_pool(db, account.org_id, brand)
    profile = (await create(api, **CAP))["id"]
    binding = await bind(api, profile, pool_id=str(pool))
    await api.request("PUT", f"{POOLS}/{pool}/members", {"phone_number_ids": [str(number)]})

    reply = await api.delete(f"{POOLS}/{pool}")

    assert (reply.status, reply.body) == (204, b"")
    assert (await api.get(BINDINGS)).data == []
    assert await db.value("SELECT count(*) FROM guardrail_pool_members WHERE org_id = $1", account.org_id) == 0
    assert (await api.delete(f"{PROFILES}/{profile}")).status == 204
    (act,) = await acts(api, "guardrail_pool.delete")
    assert act["payload"]["before"]["binding"]["id"] == binding["id"]
    assert act["payload"]["before"]["phone_number_ids"] == [str(number)]


class Numbers:
    """Two brands of one organization, numbers of each, and a pool of each."""

    def __init__(self, **ids: Any) -> None:
        self.brand: UUID = ids["brand"]
        self.ours: list[str] = ids["ours"]
        self.other_brands: str = ids["other_brands"]
        self.bare: str = ids["bare"]
        self.pool: str = ids["pool"]
        self.second_pool: str = ids["second_pool"]


@pytest.fixture
async def numbers(db: CellDb, account: Account) -> Numbers:
    """See Numbers."""
    brand, other = await insert_brand(db, account.org_id), await insert_brand(db, account.org_id)
    campaigns = [await insert_campaign(db, account.org_id, brand_id=some) for some in (brand, brand, other)]
    made = [
        str(await insert_number(db, account.org_id, campaign, number=f"+1415555{place:04}"))
        for place, campaign in enumerate([*campaigns, campaigns[0], None])
    ]
    return Numbers(
        brand=brand,
        ours=[made[0], made[1], made[3]],
        other_brands=made[2],
        bare=made[4],
        pool=str(await insert_pool(db, account.org_id, brand, slug="a")),
        second_pool=str(await insert_pool(db, account.org_id, brand, slug="b")),
    )


async def put(api: Client, pool: str, members: list[str]) -> Reply:
    """Ask for exactly these members."""
    return await api.request("PUT", f"{POOLS}/{pool}/members", {"phone_number_ids": members})


async def members(api: Client, pool: str) -> list[str]:
    """Who is in a pool."""
    return [row["phone_number_id"] for row in (await api.get(f"{POOLS}/{pool}/members")).data]


@pytest.mark.covers("replaceGuardrailPoolMembers", 200)
@pytest.mark.covers("listGuardrailPoolMembers", 200)
async def test_200_members_are_replaced_exactly_and_pulled_out_of_other_pools(
    api: Client, numbers: Numbers, account: Account
) -> None:
    one, two, three = numbers.ours
    await put(api, numbers.second_pool, [two, three])

    first = await put(api, numbers.pool, [one, two])
    second = await put(api, numbers.pool, [two, three])

    assert [set(row) for row in first.data] == [{"pool_id", "phone_number_id", "org_id", "added_at"}] * 2
    assert {row["phone_number_id"] for row in first.data} == {one, two}
    assert {(row["pool_id"], row["org_id"]) for row in second.data} == {(numbers.pool, str(account.org_id))}
    assert await members(api, numbers.pool) == [two, three]
    assert await members(api, numbers.second_pool) == []
    kept = {row["phone_number_id"]: row["added_at"] for row in first.data}
    assert {row["phone_number_id"]: row["added_at"] for row in second.data}[two] == kept[two]


async def test_the_same_members_again_write_nothing(api: Client, numbers: Numbers) -> None:
    first = await put(api, numbers.pool, numbers.ours)
    again = await put(api, numbers.pool, numbers.ours[::-1])
    emptied = await put(api, numbers.pool, [])

    assert again.data == first.data
    assert emptied.data == []
    said = [act["payload"] for act in await acts(api, "guardrail_pool.members")]
    assert [sorted(payload["after"]) for payload in said] == [[], sorted(numbers.ours)]
    assert sorted(said[0]["before"]) == sorted(numbers.ours)


@pytest.mark.covers("replaceGuardrailPoolMembers", 422)
async def test_422_members_are_all_of_the_brand_and_none_twice_or_nothing_changes(
    api: Client, numbers: Numbers
) -> None:
    one, two, _ = numbers.ours
    await put(api, numbers.pool, [one])

    replies = [
        await put(api, numbers.pool, [two, numbers.other_brands]),
        await put(api, numbers.pool, [two, numbers.bare]),
        await put(api, numbers.pool, [two, two]),
        await put(api, numbers.pool, [str(uuid4()) for _ in range(1001)]),
        await put(api, numbers.pool, ["x"]),
        await api.request("PUT", f"{POOLS}/{numbers.pool}/members", {}),
        await put(api, MALFORMED, []),
    ]

    assert [next(iter(details(reply))) for reply in replies] == ["phone_number_ids"] * 6 + ["id"]
    assert await members(api, numbers.pool) == [one]


async def test_unknown_and_released_numbers_are_no_members(
    api: Client, db: CellDb, numbers: Numbers, stranger: Account
) -> None:
    one, two, _ = numbers.ours
    await put(api, numbers.pool, [one, two])
    theirs = str(await insert_number(db, stranger.org_id, number="+14155550199"))

    refused = [(await put(api, numbers.pool, [one, some])).status for some in (theirs, str(NOWHERE))]
    await db.run("UPDATE phone_numbers SET state = 'quarantined', campaign_id = NULL WHERE id = $1", UUID(two))

    assert refused == [404, 404]
    assert await members(api, numbers.pool) == [one]


async def test_a_number_that_comes_from_a_former_holder_leaves_their_pool(
    api: Client, db: CellDb, numbers: Numbers, stranger: Account
) -> None:
    theirs = await insert_pool(db, stranger.org_id, await insert_brand(db, stranger.org_id))
    one = numbers.ours[0]
    await db.run(
        "INSERT INTO guardrail_pool_members (phone_number_id, pool_id, org_id, added_at) VALUES ($1, $2, $3, $4)",
        UUID(one),
        theirs,
        stranger.org_id,
        db.now,
    )

    assert await members(api.using(stranger.key), str(theirs)) == []
    assert (await put(api, numbers.pool, [one])).status == 200
    assert await members(api, numbers.pool) == [one]


async def test_two_pools_that_want_the_same_numbers_at_once_never_share_one(api: Client, numbers: Numbers) -> None:
    one, two, three = numbers.ours
    wishes = [(numbers.pool, [one, two, three]), (numbers.second_pool, [three, two, one])] * 8

    replies = await asyncio.gather(*[put(api, pool, wish) for pool, wish in wishes])

    assert {reply.status for reply in replies} == {200}
    held = await members(api, numbers.pool) + await members(api, numbers.second_pool)
    assert sorted(held) == sorted(numbers.ours)


async def test_a_profile_is_never_deleted_under_a_binding(api: Client) -> None:
    """Whichever comes first wins; the other is refused in order."""
    for _ in range(8):
        profile = (await create(api))["id"]
        bound, deleted = await asyncio.gather(
            api.request("PUT", BINDINGS, {"profile_id": profile}), api.delete(f"{PROFILES}/{profile}")
        )

        assert (bound.status, deleted.status) in {(200, 409), (404, 204)}


@pytest.mark.parametrize("scope", ["org:read", "org:admin:write"])
async def test_reading_and_writing_have_scopes_of_their_own(
    api: Client, cells: Cells, account: Account, scope: str
) -> None:
    limited = api.using(await key_with(cells, account.tenant, [scope]))

    read = await limited.get(PROFILES)
    written = await limited.post(PROFILES, {"name": "p"})

    assert (read.status, written.status) == ((200, 403) if scope == "org:read" else (403, 201))
