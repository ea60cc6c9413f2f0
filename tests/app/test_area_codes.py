"""Area codes by settings."""

import pytest

from agentmessage.app.area_codes import use_area_codes
from agentmessage.settings import BadSetting, Settings, read_settings
from agentmessage.sms import numbers


def test_an_operator_adds_area_codes_by_a_setting() -> None:
    try:
        use_area_codes(read_settings({"AGENTMESSAGE_AREA_CODES": "685=440,687=423"}))

        assert (numbers.state("+16855550143"), numbers.state("+16875550143")) == ("OH", "TN")
    finally:
        use_area_codes(Settings())
    assert numbers.state("+16855550143") is None


def test_a_code_that_shares_the_area_of_none_is_refused_with_a_sentence() -> None:
    with pytest.raises(BadSetting, match="AGENTMESSAGE_AREA_CODES is '685=299': 299: no area code that is known"):
        use_area_codes(Settings(area_codes="685=299"))


@pytest.mark.parametrize("text", ["436", "436=OH", "436=440,", "136=440", "436=440\n"])
def test_what_is_no_list_of_pairs_is_refused(text: str) -> None:
    with pytest.raises(BadSetting, match="AGENTMESSAGE_AREA_CODES"):
        read_settings({"AGENTMESSAGE_AREA_CODES": text})
