"""Words of strangers are shown to people, and command no terminal; programs get them as they are."""

import json

import pytest
from msgspec import Struct

from agentmessage.cli.doctor_report import Diagnosis, bad
from agentmessage.cli.errors import give_up
from agentmessage.cli.output import Card, Sentence, Shown, Table
from agentmessage.cli.tables import print_json_line

HOSTILE = "a\x1b]0;owned\x07\r\x7f\x9b2J\u202eb\u2066c\u2069 ümläut \u65e5 \U0001f600"
HARMLESS = r"a\x1b]0;owned\x07\r\x7f\x9b2J\u202eb\u2066c\u2069 ümläut" + " \u65e5 \U0001f600"


class Labeled(Struct, frozen=True):
    label: str
    tags: list[str] = []


ROW = Labeled(HOSTILE, [HOSTILE])
WAYS: dict[str, Shown] = {
    "rows": Table(rows=[ROW], columns=["label", "tags"], title="Rows"),
    "title": Table(rows=[], columns=["label"], title=HOSTILE),
    "one thing": Card(thing=ROW, fields=["label"], title="Thing"),
    "sentence": Sentence(words=HOSTILE, value=HOSTILE),
    "findings": Diagnosis(number="+14155550123", to=None, findings=[bad(HOSTILE, HOSTILE, HOSTILE)]),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_a_stranger_wrote_commands_no_terminal(way: str, capsys: pytest.CaptureFixture[str]) -> None:
    WAYS[way].print(as_json=False)

    shown = capsys.readouterr().out
    assert HARMLESS in shown
    assert not {"\x1b", "\x07", "\r", "\x7f", "\x9b", "\u202e", "\u2066", "\u2069"} & set(shown)


def test_a_refusal_commands_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        give_up(HOSTILE)

    assert capsys.readouterr().err == f"agentmessage: {HARMLESS}\n"


def test_programs_get_the_words_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    WAYS["one thing"].print(as_json=True)

    shown = capsys.readouterr().out
    assert json.loads(shown)["label"] == HOSTILE
    assert not {"\x1b", "\x07", "\x7f", "\x9b", "\u202e", "\u2066", "\u2069"} & set(shown)
    assert "ümläut" in shown


def test_programs_that_read_lines_get_them_as_they_are_too(capsys: pytest.CaptureFixture[str]) -> None:
    print_json_line(ROW)

    shown = capsys.readouterr().out
    assert json.loads(shown)["label"] == HOSTILE
    assert not {"\x9b", "\x7f", "\u202e"} & set(shown)
