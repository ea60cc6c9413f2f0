"""Words that the project has retired do not come back into the rooms that are free of them.

A room joins the list when `python tools/retired_words.py src/agentmessage/<room>` finds nothing in it.
"""

import pytest

from tools import retired_words

CLEAN = ("billing", "brands", "campaigns", "demo", "migrations", "registration")


@pytest.mark.parametrize("room", CLEAN)
def test_a_clean_room_has_no_retired_word(room: str) -> None:
    assert retired_words.find_all([f"src/agentmessage/{room}"]) == []


@pytest.mark.parametrize(
    "line", ["lane_id = 1", "class TextLane(Struct):", "MAX_LANES = 3", "# told twice", "SELECT wish"]
)
def test_a_retired_word_is_found_in_code_prose_and_sql(line: str) -> None:
    assert list(retired_words.find("file.py", line)) != []


@pytest.mark.parametrize("line", ["planes = 1", "a string", "the storing", "class Plane:", "message_queue"])
def test_other_words_are_left_alone(line: str) -> None:
    assert list(retired_words.find("file.py", line)) == []
