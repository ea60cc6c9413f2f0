"""Browsers: off unless configured, and then for one origin."""

from typing import Any

import pytest
from msgspec.structs import replace

from agentmessage.app.api import Api
from agentmessage.kernel.db import Cells
from agentmessage.settings import Settings
from tests.conftest import Client

ASKS = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}


@pytest.fixture
def open_app(settings: Settings, cells: Cells) -> Any:
    """The API with one origin let in."""
    return Api(replace(settings, cors_origin="https://app.example"), cells=cells)


async def test_without_a_configured_origin_no_page_is_let_in(app: Any) -> None:
    preflight = await Client(app).request("OPTIONS", "/v1/phone-numbers", headers=ASKS)
    answer = await Client(app).get("/v1/phone-numbers", headers=ASKS)

    assert preflight.status == 405
    assert "access-control-allow-origin" not in preflight.headers
    assert "access-control-allow-origin" not in answer.headers


async def test_a_configured_origin_passes_its_preflight_and_may_read_answers(open_app: Any) -> None:
    preflight = await Client(open_app).request("OPTIONS", "/v1/phone-numbers", headers=ASKS)
    answer = await Client(open_app).get("/v1/phone-numbers", headers=ASKS)

    assert preflight.status == 204
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert answer.status == 401
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert "x-request-id" in answer.headers["access-control-expose-headers"]
