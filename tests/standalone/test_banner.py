"""The banner says what is real before anybody sends."""

from typing import Any

import pytest

from agentmessage.settings import Settings
from agentmessage.standalone.banner import carrier_lines
from agentmessage.standalone.processes import Place

PLACE = Place(
    base_url="http://127.0.0.1:8080",
    simulator_url="http://127.0.0.1:8090",
    simulator_smpp_port=2775,
    database_url="postgresql://localhost/x",
)
SMSC = "Live messages go to the SMSC at smsc.example:2776: real people get them."
BANDWIDTH = "Live keys use your Bandwidth account: numbers are real and cost money."
OVER_BANDWIDTH = "Live messages go through your Bandwidth account: real people get them."
SIMULATED = "Numbers, campaigns and sandbox keys use the simulator at http://127.0.0.1:8090."
SANDBOX = "Sandbox keys use the simulator at http://127.0.0.1:8090."


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        ({}, ["No carrier credentials are set: every carrier is the simulator at http://127.0.0.1:8090."]),
        ({"smpp_host": "smsc.example", "smpp_port": 2776}, [SMSC, SIMULATED]),
        ({"bandwidth_username": "u"}, [BANDWIDTH, OVER_BANDWIDTH, SANDBOX]),
        ({"bandwidth_username": "u", "smpp_host": "smsc.example", "smpp_port": 2776}, [BANDWIDTH, SMSC, SANDBOX]),
        (
            {"bandwidth_username": "u", "smpp_host": "smsc.example", "live_message_carrier": "bandwidth"},
            [BANDWIDTH, OVER_BANDWIDTH, SANDBOX],
        ),
        ({"bandwidth_username": "u", "live_message_carrier": "smpp"}, [BANDWIDTH, SANDBOX]),
        (
            {"stripe_secret_key": "sk_live_1"},
            ["Top-ups are paid through your Stripe account, with real money.", SIMULATED],
        ),
        (
            {"stripe_secret_key": "sk_test_1"},
            ["No carrier credentials are set: every carrier is the simulator at http://127.0.0.1:8090."],
        ),
    ],
)
def test_the_banner_says_which_carriers_are_real(settings: dict[str, Any], lines: list[str]) -> None:
    assert list(carrier_lines(Settings(**settings), PLACE, has_simulator=True)) == lines


def test_without_a_simulator_only_what_is_real_is_promised() -> None:
    assert list(carrier_lines(Settings(smpp_host="smsc.example", smpp_port=2776), PLACE, has_simulator=False)) == [SMSC]
    assert "no simulator was started" in carrier_lines(Settings(), PLACE, has_simulator=False)[0]
