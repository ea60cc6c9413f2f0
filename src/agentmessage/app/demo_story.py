"""The story of the demo: a number is bought, a campaign attached and detached, and the carrier follows.

Every state is required, from the API and from the simulator's oracle alike; a state that does not come within the
patience ends the story (StoryBroke). Beside it somebody meddles in the carrier's portal with a second number, and the
reconciler puts that right while the story goes on.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from msgspec import Struct

from agentmessage.app.demo_http import Exchange, Stage, StoryBroke
from agentmessage.app.demo_screen import Screen, Step

T = TypeVar("T")
Thing = Mapping[str, Any]

POLL_S = 0.1
AREA_CODES = ("415", "628", "212", "646", "312", "206", "512", "305", "617", "702")
FICTION = re.compile(r"^\+1\d{3}55501\d\d$")
"""The numbers that the North American plan sets aside for fiction: 555-0100 to 555-0199 of every area code."""

BRAND = {
    "entity_type": "PRIVATE_PROFIT",
    "brand_relationship": "BASIC_ACCOUNT",
    "display_name": "Harbor Dental",
    "company_name": "Harbor Dental Inc",
    "ein": "123456789",
    "email": "office@harbor-dental.example",
    "phone": "+14155550199",
    "street": "1 Pier Street",
    "city": "San Francisco",
    "state": "CA",
    "postal_code": "94105",
    "country": "US",
    "vertical": "HEALTHCARE",
    "website": "https://harbor-dental.example",
}
CAMPAIGN = {
    "usecase": "CUSTOMER_CARE",
    "description": "Appointment times and answers for patients who asked our assistant to text them.",
    "message_flow": "Patients tick a box on the appointment form at harbor-dental.example and agree to texts from us.",
    "sample1": "Harbor Dental: your appointment is on Monday at 9:30. Reply STOP to opt out.",
    "sample2": "Harbor Dental: Dr. Lee can see you on Friday at 2 pm instead. Reply STOP to opt out.",
    "subscriber_optin": True,
    "optin_keywords": "START",
    "optin_message": "Harbor Dental: you will get texts about your appointments. Reply STOP to opt out.",
    "subscriber_optout": True,
    "optout_keywords": "STOP",
    "optout_message": "Harbor Dental: you are unsubscribed and will get no more texts.",
    "subscriber_help": True,
    "help_keywords": "HELP",
    "help_message": "Harbor Dental: write to office@harbor-dental.example for help.",
}


class Registered(Struct, frozen=True):
    """An approved campaign, by our id and by the registry's."""

    id: str
    tcr_id: str


class Story:
    """Tells the story on a stage, once. `patience_s` is how long any one state may take to come."""

    def __init__(self, stage: Stage, screen: Screen, *, patience_s: float) -> None:
        self._stage = stage
        self._api = stage.api
        self._screen = screen
        self._patience_s = patience_s

    async def tell(self) -> None:
        """All of it, in order. Raises StoryBroke at the first thing that is not as it must be."""
        numbers = await self._search()
        mine, other = await self._order(numbers)
        await self._make_room()
        brand_id = await self._register_brand()
        campaign = await self._register_campaign(brand_id)
        await self._meddle(other, campaign)
        await self._attach(mine, campaign)
        await self._propagate(mine, campaign)
        await self._explain(mine, campaign)
        await self._detach(mine)
        await self._unbind(mine)
        await self._healed(other)
        await self._check_events(mine, brand_id, campaign.id)

    async def _search(self) -> list[str]:
        with self._screen.step("Search for numbers") as step:
            for area_code in AREA_CODES:
                sent = {"area_code": area_code, "quantity": 2}
                found = await self._api.call("POST", "/v1/phone-numbers/search", sent, expect=200)
                numbers = [item["number"] for item in found.data]
                if len(numbers) == 2:  # noqa: PLR2004 - one for the story, one to meddle with
                    _require_fiction(numbers)
                    step.shows(found)
                    step.says(f"for sale: {' and '.join(numbers)}")
                    return numbers
            raise StoryBroke(
                "Nowhere are two numbers for sale", "Start on a fresh --data-dir: this one bought them all."
            )

    async def _order(self, numbers: list[str]) -> tuple[Thing, Thing]:
        with self._screen.step("Order both") as step:
            sent = {"numbers": numbers, "label": "demo"}
            ordered = await self._api.call("POST", "/v1/phone-numbers/orders", sent, expect=201)
            by_number = {item["number"]: item for item in ordered.data}
            _require(sorted(by_number) == sorted(numbers), f"ordered {numbers}, got {sorted(by_number)}")
            step.shows(ordered)
            step.says(f"they are ours; the story is about {numbers[0]}")
            return by_number[numbers[0]], by_number[numbers[1]]

    async def _make_room(self) -> None:
        """An organization that has a brand already may file the story's only as a reseller."""
        brands = await self._api.call("GET", "/v1/brands?limit=1", expect=200)
        organization = await self._api.call("GET", "/v1/organization", expect=200)
        if not brands.data or organization.data["is_reseller"]:
            return
        with self._screen.step("Become a reseller") as step:
            step.shows(await self._api.call("PATCH", "/v1/organization", {"is_reseller": True}, expect=200))
            step.says("the organization has a brand already, and only resellers have two")

    async def _register_brand(self) -> str:
        with self._screen.step("File a brand") as step:
            filed = await self._api.call("POST", "/v1/brands", BRAND, expect=202)
            _require(filed.data["status"] == "PENDING", f"a new brand is {filed.data['status']}, not PENDING")
            step.shows(filed)
            step.says(f"{filed.data['display_name']} is PENDING; its tax id is shown as …{filed.data['ein_last4']}")
        brand_id = str(filed.data["id"])
        with self._screen.step("The registry verifies it") as step:
            seen = await self._until(
                step,
                lambda: self._api.call("GET", f"/v1/brands/{brand_id}", expect=200),
                lambda found: found.data["identity_status"] in ("VERIFIED", "VETTED_VERIFIED"),
                lambda found: f"the brand is {found.data['status']}, identity {found.data['identity_status']}",
            )
            _require(seen.data["status"] == "ACTIVE", f"a verified brand is {seen.data['status']}, not ACTIVE")
            step.shows(seen)
            step.says(f"ACTIVE and {seen.data['identity_status']}, known there as {seen.data['tcr_brand_id']}")
        return brand_id

    async def _register_campaign(self, brand_id: str) -> Registered:
        with self._screen.step("File a campaign") as step:
            filed = await self._api.call("POST", "/v1/campaigns", {"brand_id": brand_id, **CAMPAIGN}, expect=202)
            _require(filed.data["status"] == "PENDING", f"a new campaign is {filed.data['status']}, not PENDING")
            step.shows(filed)
            step.says(f"{filed.data['usecase']} is PENDING")
        campaign_id = str(filed.data["id"])
        with self._screen.step("Carrier and operators approve it") as step:
            seen = await self._until(
                step,
                lambda: self._api.call("GET", f"/v1/campaigns/{campaign_id}", expect=200),
                lambda found: found.data["status"] == "ACTIVE",
                lambda found: f"the campaign is {found.data['status']}",
            )
            operators = [facts["mno"] for facts in seen.data["mno_metadata"].values()]
            _require(bool(operators), "an ACTIVE campaign says nothing about the operators")
            step.shows(seen)
            step.says(f"ACTIVE as {seen.data['tcr_campaign_id']} at {', '.join(operators)}")
        return Registered(campaign_id, str(seen.data["tcr_campaign_id"]))

    async def _meddle(self, other: Thing, campaign: Registered) -> None:
        with self._screen.step("Somebody meddles in the carrier's portal") as step:
            sent = {"number": other["number"], "campaign": campaign.tcr_id, "account": self._stage.account}
            step.shows(await self._stage.simulator.call("POST", "/_control/drift", sent, expect=200))
            truth = await self._stage.binding(other["number"])
            _require(truth.get("campaign") == campaign.tcr_id, "the simulator did not take the change")
            step.says(f"{other['number']} is on the campaign at the carrier, which nobody asked us for")

    async def _attach(self, mine: Thing, campaign: Registered) -> None:
        with self._screen.step("Attach the campaign") as step:
            sent = {"campaign_id": campaign.id}
            attached = await self._api.call("POST", f"/v1/phone-numbers/{mine['id']}/campaign", sent, expect=200)
            _require(attached.data["campaign_id"] == campaign.id, "the attached number does not name its campaign")
            _require_status(attached, "pending")
            step.shows(attached)
            step.says(f"{mine['number']} is attached, carrier side pending")

    async def _propagate(self, mine: Thing, campaign: Registered) -> None:
        await self._reach_phase(mine, "propagating", "The carrier takes the order", "the operators follow one by one")
        with self._screen.step("Every operator has it") as step:
            seen = await self._reach_status(step, mine, "propagated")
            _require(seen.data["carrier_line_option_propagated_at"] is not None, "propagated, but nobody says when")
            await self._agree(step, mine["number"], campaign.tcr_id)
            step.shows(seen)
            step.says(f"propagated; the oracle agrees: {campaign.tcr_id} at every operator")

    async def _explain(self, mine: Thing, campaign: Registered) -> None:
        with self._screen.step("Ask why") as step:
            told = await self._line_option(mine)
            _require(told.data["can_send"] is True, f"the number cannot send: {told.data['reason']}")
            _require(told.data["observed_tcr_campaign_id"] == campaign.tcr_id, "what was seen is not what is wanted")
            step.shows(told)
            phases = dict.fromkeys(item["phase"] for item in reversed(told.data["transitions"]))
            step.says(f"{' → '.join(phases)}. {told.data['reason']}")

    async def _detach(self, mine: Thing) -> None:
        path = f"/v1/phone-numbers/{mine['id']}/campaign"
        with self._screen.step("Detach the campaign") as step:
            detached = await self._api.call("DELETE", path, expect=200)
            _require(detached.data["campaign_id"] is None, "the detached number still names a campaign")
            _require_status(detached, "pending")
            step.shows(detached)
            step.says("campaign_id is null at once, carrier side pending")
        with self._screen.step("Detach it again") as step:
            again = await self._api.call("DELETE", path, expect=200)
            _require(again.data["updated_at"] == detached.data["updated_at"], "the second detach wrote something")
            step.shows(again)
            step.says("200 with the same number, and nothing is written")

    async def _unbind(self, mine: Thing) -> None:
        await self._reach_phase(mine, "unbinding", "The carrier takes it off", "the operators follow")
        with self._screen.step("No operator has it any more") as step:
            seen = await self._reach_status(step, mine, None)
            await self._agree(step, mine["number"], None)
            step.shows(seen)
            step.says("carrier side null; the oracle agrees: no campaign at any operator")

    async def _healed(self, other: Thing) -> None:
        with self._screen.step("The meddling is put right") as step:
            told = await self._until(
                step,
                lambda: self._line_option(other),
                lambda found: _phases(found) >= {"unbinding", "unbound"} and found.data["status"] is None,
                lambda found: f"the meddled number is {found.data['phase']}",
            )
            drift = [item["note"] for item in told.data["transitions"] if "drift" in item["note"]]
            _require(bool(drift), "the meddled number's history says nothing of drift")
            await self._agree(step, other["number"], None)
            step.shows(told)
            step.says(f"{other['number']} was healed meanwhile ({drift[-1]})")

    async def _check_events(self, mine: Thing, brand_id: str, campaign_id: str) -> None:
        wanted = {
            brand_id: ["brand.created", "brand.vetted"],
            campaign_id: ["campaign.created", "campaign.shared", "campaign.approved"],
            mine["id"]: [
                "phone_number.ordered",
                "phone_number.campaign.attached",
                "phone_number.campaign.assigned",
                "phone_number.campaign.detached",
                "phone_number.campaign.unassigned",
            ],
        }
        with self._screen.step("Read the events") as step:
            path = f"/v1/events?since={mine['created_at']}&limit=100"
            listed = await self._api.call("GET", path, expect=200)
            for resource_id, types in wanted.items():
                told = [event["type"] for event in listed.data if event["data"].get("id") == resource_id]
                missing = [kind for kind in types if kind not in told]
                _require(not missing, f"no event {', '.join(missing)}; there are {told}")
                _require([kind for kind in told if kind in types] == types, f"the events are out of order: {told}")
            step.shows(listed)
            step.says(f"all {sum(map(len, wanted.values()))} of the story, in order")

    async def _reach_phase(self, mine: Thing, phase: str, title: str, then: str) -> None:
        """Wait until the carrier side has been in a phase: its history tells also of one that was short."""
        with self._screen.step(title) as step:
            told = await self._until(
                step,
                lambda: self._line_option(mine),
                lambda found: phase in _phases(found),
                lambda found: f"the carrier side is {found.data['phase']}. {found.data['reason']}",
            )
            step.shows(told)
            step.says(f"{phase}: {then}")

    async def _reach_status(self, step: Step, mine: Thing, status: str | None) -> Exchange:
        return await self._until(
            step,
            lambda: self._api.call("GET", f"/v1/phone-numbers/{mine['id']}", expect=200),
            lambda found: found.data["carrier_line_option_status"] == status,
            lambda found: f"the carrier side is {found.data['carrier_line_option_status']}",
        )

    async def _agree(self, step: Step, number: str, campaign: str | None) -> None:
        """The platform was not told wrong: carrier and every operator have it so."""
        truth = await self._stage.binding(number)
        step.waits("asking the oracle")
        has_all = truth.get("campaign") == campaign and set(truth.get("operators", {}).values()) <= {campaign}
        _require(has_all, f"the API says that {number} is settled, but the carrier has {dict(truth)}")

    async def _line_option(self, number: Thing) -> Exchange:
        return await self._api.call("GET", f"/v1/phone-numbers/{number['id']}/carrier-line-option", expect=200)

    async def _until(
        self, step: Step, look: Callable[[], Awaitable[T]], is_done: Callable[[T], bool], tell: Callable[[T], str]
    ) -> T:
        """Look until it is done; what it was at last is what the failure tells."""
        deadline = time.monotonic() + self._patience_s
        while not is_done(found := await look()):
            step.waits(tell(found))
            if time.monotonic() > deadline:
                raise StoryBroke(
                    f"After {self._patience_s:g} s {tell(found)}",
                    "Is a fault switched on (POST /_control/reset), or the profile slow (--patience)? "
                    "`agentmessage admin reconcile status` and the worker's log tell more.",
                )
            await asyncio.sleep(POLL_S)
        return found


def _phases(told: Exchange) -> set[str]:
    return {item["phase"] for item in told.data["transitions"]}


def _require(is_so: bool, otherwise: str) -> None:  # noqa: FBT001 - the condition is the subject
    if not is_so:
        raise StoryBroke(otherwise[0].upper() + otherwise[1:], "This is a bug: please report it with these lines.")


def _require_status(exchange: Exchange, status: str) -> None:
    seen = exchange.data["carrier_line_option_status"]
    _require(seen == status, f"the carrier side is {seen} right after the change, not {status}")


def _require_fiction(numbers: list[str]) -> None:
    if not all(FICTION.match(number) for number in numbers):
        raise StoryBroke(
            f"{numbers[0]} is a real number, and the demo spends no real money",
            "Use the sandbox, whose carrier is always simulated: --sandbox, or an --api-key that begins with am_test_.",
        )
