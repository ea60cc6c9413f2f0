"""The demo's chapters of numbers: two are bought, one is put on a campaign and taken off, and the carrier follows.

Beside it somebody meddles in the carrier's portal with the other, and the reconciler puts that right meanwhile.
"""

import re

from agentmessage.demo.client import Exchange, StoryBroke
from agentmessage.demo.console import Step
from agentmessage.demo.registration import Registered
from agentmessage.demo.steps import Telling, Thing, require

AREA_CODES = ("415", "628", "212", "646", "312", "206", "512", "305", "617", "702")
FICTION = re.compile(r"^\+1\d{3}55501\d\d\Z")
"""The numbers that the North American plan sets aside for fiction: 555-0100 to 555-0199 of every area code."""


class Numbers:
    """The number that the story is about, and the one that is meddled with; known after `buy`."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self._api = telling.api
        self.mine: Thing = {}
        self.other: Thing = {}

    async def buy(self) -> None:
        """Search and order. Raises StoryBroke, also where numbers are real and cost money."""
        numbers = await self._search()
        with self._telling.step("Order both") as step:
            sent = {"numbers": numbers, "label": "demo"}
            ordered = await self._api.call("POST", "/v1/phone-numbers/orders", sent, expect=201)
            by_number = {item["number"]: item for item in ordered.data}
            require(sorted(by_number) == sorted(numbers), f"ordered {numbers}, got {sorted(by_number)}")
            step.shows(ordered)
            step.says(f"they are ours; the story is about {numbers[0]}")
            self.mine, self.other = by_number[numbers[0]], by_number[numbers[1]]

    async def attach(self, campaign: Registered) -> None:
        """Put the number on the campaign until every operator has it, while the other is meddled with."""
        await self._meddle(campaign)
        await self._attach(campaign)
        await self._propagate(campaign)
        await self._explain(campaign)

    async def detach(self) -> None:
        """Take the campaign off again, until no operator has it, on the other number neither."""
        await self._detach()
        await self._unbind()
        await self._healed()

    async def _search(self) -> list[str]:
        with self._telling.step("Search for numbers") as step:
            for area_code in AREA_CODES:
                sent = {"area_code": area_code, "quantity": 2}
                found = await self._api.call("POST", "/v1/phone-numbers/search", sent, expect=200)
                numbers = [item["number"] for item in found.data]
                if len(numbers) == 2:  # noqa: PLR2004 - one for the story, one to meddle with
                    require_fiction(numbers)
                    step.shows(found)
                    step.says(f"for sale: {' and '.join(numbers)}")
                    return numbers
            raise StoryBroke(
                "Nowhere are two numbers for sale", "Start on a fresh --data-dir: this one bought them all."
            )

    async def _meddle(self, campaign: Registered) -> None:
        stage, number = self._telling.stage, self.other["number"]
        with self._telling.step("Somebody meddles in the carrier's portal") as step:
            sent = {"number": number, "campaign": campaign.tcr_id, "account": stage.account}
            step.shows(await stage.simulator.call("POST", "/_control/drift", sent, expect=200))
            truth = await stage.binding(number)
            require(truth.get("campaign") == campaign.tcr_id, "the simulator did not take the change")
            step.says(f"{number} is on the campaign at the carrier, which nobody asked us for")

    async def _attach(self, campaign: Registered) -> None:
        with self._telling.step("Attach the campaign") as step:
            sent = {"campaign_id": campaign.id}
            attached = await self._api.call("POST", f"/v1/phone-numbers/{self.mine['id']}/campaign", sent, expect=200)
            require(attached.data["campaign_id"] == campaign.id, "the attached number does not name its campaign")
            _require_status(attached, "pending")
            step.shows(attached)
            step.says(f"{self.mine['number']} is attached, carrier side pending")

    async def _propagate(self, campaign: Registered) -> None:
        await self._reach_phase("propagating", "The carrier takes the order", "the operators follow one by one")
        with self._telling.step("Every operator has it") as step:
            seen = await self._reach_status(step, "propagated")
            require(seen.data["carrier_line_option_propagated_at"] is not None, "propagated, but nobody says when")
            await self.agree(step, self.mine["number"], campaign.tcr_id)
            step.shows(seen)
            step.says(f"propagated; the oracle agrees: {campaign.tcr_id} at every operator")

    async def _explain(self, campaign: Registered) -> None:
        with self._telling.step("Ask why") as step:
            told = await self._line_option(self.mine)
            require(told.data["can_send"] is True, f"the number cannot send: {told.data['reason']}")
            require(told.data["observed_tcr_campaign_id"] == campaign.tcr_id, "what was seen is not what is wanted")
            step.shows(told)
            phases = dict.fromkeys(item["phase"] for item in reversed(told.data["transitions"]))
            step.says(f"{' → '.join(phases)}. {told.data['reason']}")

    async def _detach(self) -> None:
        path = f"/v1/phone-numbers/{self.mine['id']}/campaign"
        with self._telling.step("Detach the campaign") as step:
            detached = await self._api.call("DELETE", path, expect=200)
            require(detached.data["campaign_id"] is None, "the detached number still names a campaign")
            _require_status(detached, "pending")
            step.shows(detached)
            step.says("campaign_id is null at once, carrier side pending")
        with self._telling.step("Detach it again") as step:
            again = await self._api.call("DELETE", path, expect=200)
            require(again.data["updated_at"] == detached.data["updated_at"], "the second detach wrote something")
            step.shows(again)
            step.says("200 with the same number, and nothing is written")

    async def _unbind(self) -> None:
        await self._reach_phase("unbinding", "The carrier takes it off", "the operators follow")
        with self._telling.step("No operator has it any more") as step:
            seen = await self._reach_status(step, None)
            await self.agree(step, self.mine["number"], None)
            step.shows(seen)
            step.says("carrier side null; the oracle agrees: no campaign at any operator")

    async def _healed(self) -> None:
        with self._telling.step("The meddling is put right") as step:
            told = await self._telling.until(
                step,
                lambda: self._line_option(self.other),
                lambda found: _phases(found) >= {"unbinding", "unbound"} and found.data["status"] is None,
                lambda found: f"the meddled number is {found.data['phase']}",
            )
            drift = [item["note"] for item in told.data["transitions"] if "drift" in item["note"]]
            require(bool(drift), "the meddled number's history says nothing of drift")
            await self.agree(step, self.other["number"], None)
            step.shows(told)
            step.says(f"{self.other['number']} was healed meanwhile ({drift[-1]})")

    async def _reach_phase(self, phase: str, title: str, then: str) -> None:
        """Wait until the carrier side has been in a phase: its history tells also of one that was short."""
        with self._telling.step(title) as step:
            told = await self._telling.until(
                step,
                lambda: self._line_option(self.mine),
                lambda found: phase in _phases(found),
                lambda found: f"the carrier side is {found.data['phase']}. {found.data['reason']}",
            )
            step.shows(told)
            step.says(f"{phase}: {then}")

    async def _reach_status(self, step: Step, status: str | None) -> Exchange:
        return await self._telling.until(
            step,
            lambda: self._api.call("GET", f"/v1/phone-numbers/{self.mine['id']}", expect=200),
            lambda found: found.data["carrier_line_option_status"] == status,
            lambda found: f"the carrier side is {found.data['carrier_line_option_status']}",
        )

    async def agree(self, step: Step, number: str, campaign: str | None) -> None:
        """Raises StoryBroke unless carrier and every operator have the number as the platform says."""
        truth = await self._telling.stage.binding(number)
        step.waits("asking the oracle")
        has_all = truth.get("campaign") == campaign and set(truth.get("operators", {}).values()) <= {campaign}
        require(has_all, f"the API says that {number} is settled, but the carrier has {dict(truth)}")

    async def _line_option(self, number: Thing) -> Exchange:
        return await self._api.call("GET", f"/v1/phone-numbers/{number['id']}/carrier-line-option", expect=200)


def _phases(told: Exchange) -> set[str]:
    return {item["phase"] for item in told.data["transitions"]}


def _require_status(exchange: Exchange, status: str) -> None:
    seen = exchange.data["carrier_line_option_status"]
    require(seen == status, f"the carrier side is {seen} right after the change, not {status}")


def require_fiction(numbers: list[str]) -> None:
    """Raises StoryBroke where a number could be somebody's."""
    if not all(FICTION.match(number) for number in numbers):
        raise StoryBroke(
            f"{numbers[0]} is a real number, and the demo spends no real money",
            "Use the sandbox, whose carrier is always simulated: --sandbox, or an --api-key that begins with am_test_.",
        )
