"""The accounts' rooms behind one edge."""

import pytest

from agentmessage.events.routes import routes as event_routes
from agentmessage.kernel.db import Cells
from agentmessage.keys.routes import routes as key_routes
from agentmessage.organizations.routes import routes as organization_routes
from tests.make.rooms import RoomsApp


@pytest.fixture
def app(cells: Cells) -> RoomsApp:
    """Organizations, keys and events, as served."""
    return RoomsApp(cells, organization_routes, key_routes, event_routes)
