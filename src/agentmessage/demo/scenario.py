"""The story of the demo: a number is bought and put on a campaign, texts go both ways, the campaign comes off again.

Every state is required, from the API and from the simulator alike; a state that does not come within the patience ends
the story (StoryBroke).
"""

from agentmessage.demo.client import Stage
from agentmessage.demo.console import Screen
from agentmessage.demo.messages import Texts
from agentmessage.demo.numbers import Numbers
from agentmessage.demo.registration import Registered, register
from agentmessage.demo.steps import Telling, require


class Story:
    """Tells the story on a stage, once. `patience_s` is how long any one state may take to come."""

    def __init__(self, stage: Stage, screen: Screen, *, patience_s: float) -> None:
        self._telling = Telling(stage, screen, patience_s=patience_s)
        self._numbers = Numbers(self._telling)

    async def tell(self) -> None:
        """All of it, in order. Raises StoryBroke at the first thing that is not as it must be."""
        await self._numbers.buy()
        campaign = await register(self._telling)
        await self._numbers.attach(campaign)
        texts = Texts(self._telling, self._numbers.mine)
        await texts.tell()
        await self._numbers.detach()
        await self._check_events(campaign, texts.events())

    async def _check_events(self, campaign: Registered, of_texts: dict[str, list[str]]) -> None:
        mine = self._numbers.mine
        wanted = {
            campaign.brand_id: ["brand.created", "brand.vetted"],
            campaign.id: ["campaign.created", "campaign.shared", "campaign.approved"],
            mine["id"]: [
                "phone_number.ordered",
                "phone_number.campaign.attached",
                "phone_number.campaign.assigned",
                "phone_number.campaign.detached",
                "phone_number.campaign.unassigned",
            ],
            **of_texts,
        }
        with self._telling.step("Read the events") as step:
            path = f"/v1/events?since={mine['created_at']}&limit=200"
            listed = await self._telling.api.call("GET", path, expect=200)
            for resource_id, types in wanted.items():
                told = [event["type"] for event in listed.data if event["data"].get("id") == resource_id]
                missing = [kind for kind in types if kind not in told]
                require(not missing, f"no event {', '.join(missing)}; there are {told}")
                require([kind for kind in told if kind in types] == types, f"the events are out of order: {told}")
            step.shows(listed)
            step.says(f"all {sum(map(len, wanted.values()))} of the story, in order")
