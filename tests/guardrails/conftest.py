"""The room behind one edge."""

import pytest

from agentmessage.guardrails.routes import routes
from agentmessage.kernel.db import Cells
from agentmessage.organizations.routes import routes as organization_routes
from tests.make.rooms import RoomsApp


@pytest.fixture
async def app(cells: Cells) -> RoomsApp:
    """Guardrails, and the organization with its audit log."""
    return RoomsApp(cells, routes, organization_routes)
