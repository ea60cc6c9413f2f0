"""The scenario of the demo: buy a number, attach a campaign, exchange messages, detach the campaign.

Every state is checked at the API and at the simulator. A state that does not come within the timeout ends the scenario
with DemoFailed.
"""

from agentmessage.demo.client import DemoTarget
from agentmessage.demo.console import Screen
from agentmessage.demo.messages import MessageSteps
from agentmessage.demo.numbers import NumberSteps
from agentmessage.demo.registration import Registered, register
from agentmessage.demo.steps import StepRunner, require


class Scenario:
    """Runs the scenario on a target, once. `timeout_s` limits the wait for each state."""

    def __init__(self, target: DemoTarget, screen: Screen, *, timeout_s: float) -> None:
        self._steps = StepRunner(target, screen, timeout_s=timeout_s)
        self._numbers = NumberSteps(self._steps)

    async def run(self) -> None:
        """Run all steps in order. Raises DemoFailed at the first unexpected state."""
        await self._numbers.buy()
        campaign = await register(self._steps)
        await self._numbers.attach(campaign)
        messages = MessageSteps(self._steps, self._numbers.first)
        await messages.run()
        await self._numbers.detach()
        await self._check_events(campaign, messages.events())

    async def _check_events(self, campaign: Registered, of_messages: dict[str, list[str]]) -> None:
        number = self._numbers.first
        wanted = {
            campaign.brand_id: ["brand.created", "brand.vetted"],
            campaign.id: ["campaign.created", "campaign.shared", "campaign.approved"],
            number["id"]: [
                "phone_number.ordered",
                "phone_number.campaign.attached",
                "phone_number.campaign.assigned",
                "phone_number.campaign.detached",
                "phone_number.campaign.unassigned",
            ],
            **of_messages,
        }
        with self._steps.step("Read the events") as step:
            path = f"/v1/events?since={number['created_at']}&limit=200"
            listed = await self._steps.api.call("GET", path, expect=200)
            for resource_id, types in wanted.items():
                seen = [event["type"] for event in listed.data if event["data"].get("id") == resource_id]
                missing = [kind for kind in types if kind not in seen]
                require(not missing, f"no event {', '.join(missing)}; the events are {seen}")
                require([kind for kind in seen if kind in types] == types, f"the events are out of order: {seen}")
            step.shows(listed)
            step.says(f"all {sum(map(len, wanted.values()))} of the scenario, in order")
