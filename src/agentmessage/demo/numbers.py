"""The numbers of the demo: buy two, attach a campaign to one and detach it; the carrier follows.

The other one is changed in the carrier portal, and the reconciler repairs that in the meantime.
"""

import re

from agentmessage.demo.client import DemoFailed, Exchange
from agentmessage.demo.console import Step
from agentmessage.demo.registration import Registered
from agentmessage.demo.steps import StepRunner, Thing, require

AREA_CODES = ("415", "628", "212", "646", "312", "206", "512", "305", "617", "702")
FICTION = re.compile(r"^\+1\d{3}55501\d\d\Z")
"""Numbers that the North American plan reserves for fiction: 555-0100 to 555-0199 of every area code."""


class NumberSteps:
    """The number of the scenario, and the number that is changed in the portal; both known after `buy`."""

    def __init__(self, steps: StepRunner) -> None:
        self._steps = steps
        self._api = steps.api
        self.first: Thing = {}
        self.second: Thing = {}

    async def buy(self) -> None:
        """Search and order two numbers. Raises DemoFailed, also if numbers are real and cost money."""
        numbers = await self._search()
        with self._steps.step("Order both") as step:
            sent = {"numbers": numbers, "label": "demo"}
            ordered = await self._api.call("POST", "/v1/phone-numbers/orders", sent, expect=201)
            by_number = {item["number"]: item for item in ordered.data}
            require(sorted(by_number) == sorted(numbers), f"ordered {numbers}, got {sorted(by_number)}")
            step.shows(ordered)
            step.says(f"assigned; the next steps use {numbers[0]}")
            self.first, self.second = by_number[numbers[0]], by_number[numbers[1]]

    async def attach(self, campaign: Registered) -> None:
        """Attach the campaign until every operator has it; change the other number in the portal before that."""
        await self._change_in_portal(campaign)
        await self._attach(campaign)
        await self._propagate(campaign)
        await self._explain(campaign)

    async def detach(self) -> None:
        """Detach the campaign until no operator has it, and require the same of the other number."""
        await self._detach()
        await self._unbind()
        await self._repaired()

    async def _search(self) -> list[str]:
        with self._steps.step("Search for numbers") as step:
            for area_code in AREA_CODES:
                sent = {"area_code": area_code, "quantity": 2}
                found = await self._api.call("POST", "/v1/phone-numbers/search", sent, expect=200)
                numbers = [item["number"] for item in found.data]
                if len(numbers) == 2:  # noqa: PLR2004 - one to attach, one to change in the portal
                    require_fiction(numbers)
                    step.shows(found)
                    step.says(f"for sale: {' and '.join(numbers)}")
                    return numbers
            raise DemoFailed(
                "No area code has two numbers for sale", "Use a new --data-dir: all numbers of this one are sold."
            )

    async def _change_in_portal(self, campaign: Registered) -> None:
        target, number = self._steps.target, self.second["number"]
        with self._steps.step("Change a binding in the carrier portal") as step:
            sent = {"number": number, "campaign": campaign.tcr_id, "account": target.account}
            step.shows(await target.simulator.call("POST", "/_control/drift", sent, expect=200))
            truth = await target.binding(number)
            require(truth.get("campaign") == campaign.tcr_id, "the simulator did not accept the change")
            step.says(f"{number} is on the campaign at the carrier, but should not be")

    async def _attach(self, campaign: Registered) -> None:
        with self._steps.step("Attach the campaign") as step:
            sent = {"campaign_id": campaign.id}
            attached = await self._api.call("POST", f"/v1/phone-numbers/{self.first['id']}/campaign", sent, expect=200)
            require(attached.data["campaign_id"] == campaign.id, "the attached number does not name its campaign")
            _require_status(attached, "pending")
            step.shows(attached)
            step.says(f"{self.first['number']} is attached; the carrier side is pending")

    async def _propagate(self, campaign: Registered) -> None:
        await self._reach_phase("propagating", "The carrier accepts the order", "the operators follow one by one")
        with self._steps.step("Every operator has it") as step:
            seen = await self._reach_status(step, "propagated")
            require(seen.data["carrier_line_option_propagated_at"] is not None, "propagated, but without a time")
            await self.agree(step, self.first["number"], campaign.tcr_id)
            step.shows(seen)
            step.says(f"propagated; the oracle agrees: {campaign.tcr_id} at every operator")

    async def _explain(self, campaign: Registered) -> None:
        with self._steps.step("Read the carrier line option") as step:
            found = await self._line_option(self.first)
            require(found.data["can_send"] is True, f"the number cannot send: {found.data['reason']}")
            require(
                found.data["observed_tcr_campaign_id"] == campaign.tcr_id,
                "the observed campaign is not the desired one",
            )
            step.shows(found)
            phases = dict.fromkeys(item["phase"] for item in reversed(found.data["transitions"]))
            step.says(f"{' → '.join(phases)}. {found.data['reason']}")

    async def _detach(self) -> None:
        path = f"/v1/phone-numbers/{self.first['id']}/campaign"
        with self._steps.step("Detach the campaign") as step:
            detached = await self._api.call("DELETE", path, expect=200)
            require(detached.data["campaign_id"] is None, "the detached number still names a campaign")
            _require_status(detached, "pending")
            step.shows(detached)
            step.says("campaign_id is null at once, carrier side pending")
        with self._steps.step("Detach it again") as step:
            again = await self._api.call("DELETE", path, expect=200)
            require(again.data["updated_at"] == detached.data["updated_at"], "the second detach wrote something")
            step.shows(again)
            step.says("200 with the same number, and nothing is written")

    async def _unbind(self) -> None:
        await self._reach_phase("unbinding", "The carrier accepts the unbind order", "the operators follow")
        with self._steps.step("No operator has the number") as step:
            seen = await self._reach_status(step, None)
            await self.agree(step, self.first["number"], None)
            step.shows(seen)
            step.says("carrier side null; the oracle agrees: no campaign at any operator")

    async def _repaired(self) -> None:
        with self._steps.step("The changed binding is repaired") as step:
            found = await self._steps.until(
                step,
                lambda: self._line_option(self.second),
                lambda found: _phases(found) >= {"unbinding", "unbound"} and found.data["status"] is None,
                lambda found: f"the changed number is {found.data['phase']}",
            )
            drift = [item["note"] for item in found.data["transitions"] if "drift" in item["note"]]
            require(bool(drift), "the history of the changed number does not name drift")
            await self.agree(step, self.second["number"], None)
            step.shows(found)
            step.says(f"{self.second['number']} was repaired in the meantime ({drift[-1]})")

    async def _reach_phase(self, phase: str, title: str, then: str) -> None:
        """Wait until the carrier side has been in a phase; the history also has a short one."""
        with self._steps.step(title) as step:
            found = await self._steps.until(
                step,
                lambda: self._line_option(self.first),
                lambda found: phase in _phases(found),
                lambda found: f"the carrier side is {found.data['phase']}. {found.data['reason']}",
            )
            step.shows(found)
            step.says(f"{phase}: {then}")

    async def _reach_status(self, step: Step, status: str | None) -> Exchange:
        return await self._steps.until(
            step,
            lambda: self._api.call("GET", f"/v1/phone-numbers/{self.first['id']}", expect=200),
            lambda found: found.data["carrier_line_option_status"] == status,
            lambda found: f"the carrier side is {found.data['carrier_line_option_status']}",
        )

    async def agree(self, step: Step, number: str, campaign: str | None) -> None:
        """Raises DemoFailed unless carrier and operators have the campaign that the platform reports."""
        truth = await self._steps.target.binding(number)
        step.waits("asking the oracle")
        has_all = truth.get("campaign") == campaign and set(truth.get("operators", {}).values()) <= {campaign}
        require(has_all, f"the API says that {number} is settled, but the carrier has {dict(truth)}")

    async def _line_option(self, number: Thing) -> Exchange:
        return await self._api.call("GET", f"/v1/phone-numbers/{number['id']}/carrier-line-option", expect=200)


def _phases(found: Exchange) -> set[str]:
    return {item["phase"] for item in found.data["transitions"]}


def _require_status(exchange: Exchange, status: str) -> None:
    seen = exchange.data["carrier_line_option_status"]
    require(seen == status, f"the carrier side is {seen} right after the change, not {status}")


def require_fiction(numbers: list[str]) -> None:
    """Raises DemoFailed if a number could be a real one."""
    if not all(FICTION.match(number) for number in numbers):
        raise DemoFailed(
            f"{numbers[0]} is a real number, and the demo spends no real money",
            "Use the sandbox, whose carrier is always the simulator: --sandbox, or an --api-key with am_test_.",
        )
