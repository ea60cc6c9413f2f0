"""A worker asks carriers and registry to call it."""

from agentmessage.app.maintenance import subscribe_all
from agentmessage.app.providers.carriers import carrier_sets
from agentmessage.settings import Settings
from tests.numbers.harness import Wire


async def test_a_carrier_that_cannot_be_reached_is_asked_again_soon_and_not_when_it_took_it(settings: Settings) -> None:
    wire = Wire("instant")
    carriers = carrier_sets(settings, wire)

    wire.is_down = True
    assert await subscribe_all(carriers, settings) is False

    wire.is_down = False
    assert await subscribe_all(carriers, settings) is True
