"""Money's own routes behind one edge."""

import pytest

from agentmessage.billing.routes import routes as billing_routes
from agentmessage.kernel.db import Cells
from agentmessage.settings import Settings
from tests.make.rooms import RoomsApp


@pytest.fixture
def app(cells: Cells, settings: Settings) -> RoomsApp:
    """What can be read about money, as served."""
    return RoomsApp(cells, billing_routes, services={"settings": settings})
