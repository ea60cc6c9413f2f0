"""What the carrier does with texts: takes them or not, carries them, tells of them, and remembers all."""

from pathlib import Path

import pytest
from customer import LIVE, SANDBOX
from texting import HANDSET, SENDER, Texter, handset

from agentmessage.simulator.core.http_types import Breakage
from agentmessage.simulator.messaging.magic_numbers import FATES, Fate
from agentmessage.simulator.messaging.model import Receipt, Stat, Via
from agentmessage.simulator.storage import Storage
from agentmessage.smpp.pdu import Status

MANUAL = (Path(__file__).parents[2] / "docs" / "reference" / "simulator.md").read_text()
ENDINGS = sorted(suffix for suffix, fate in FATES.items() if fate.ending.stat is not Stat.DELIVERED)


def test_a_text_reaches_its_handset_and_is_told_of() -> None:
    texter = Texter(profile="demo")

    verdict = texter.text(HANDSET, "hello")
    before = texter.inbox()
    texter.wait(5)

    assert before == []
    assert [(text["sender"], text["text"], text["ids"]) for text in texter.inbox()] == [(SENDER, "hello", [verdict.id])]
    assert texter.receipts() == [(verdict.id, "DELIVRD")]
    assert texter.counts()["open"] == 0


def test_every_operator_takes_its_own_time() -> None:
    texter = Texter(profile="demo")
    for suffix in range(40):
        texter.text(handset(suffix))

    texter.wait(0.19)
    nobody = texter.receipts()
    texter.wait(0.82)

    slow = {f"+121255501{suffix:02}" for suffix in range(40) if int(f"{suffix:02}"[-1]) % 4 == 2}
    rest = {text["recipient"] for text in texter.control("texts?limit=100")["texts"] if text["state"] == "accepted"}
    assert nobody == []
    assert rest
    assert rest <= slow


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(1, "one "), (2, "two")], "one two"),
        ([(3, "c"), (1, "a"), (2, "b")], "abc"),
        ([(1, "\ud83d"), (2, "\ude00")], "😀"),
    ],
)
def test_parts_become_one_text_whatever_their_order(parts: list[tuple[int, str]], expected: str) -> None:
    texter = Texter()

    for part, piece in parts:
        texter.text(text=piece, joint=7, parts=len(parts), part=part)
        texter.wait(1)

    assert [(text["text"], text["parts"]) for text in texter.inbox()] == [(expected, len(parts))]
    assert texter.counts()["segments"] == len(parts)


def test_a_text_with_a_part_missing_is_in_no_inbox_but_in_the_truth() -> None:
    texter = Texter()

    texter.text(text="one", joint=7, parts=2, part=1)
    texter.wait(1)

    assert texter.inbox() == []
    assert [(text["text"], text["parts_here"]) for text in texter.control("texts")["texts"]] == [(None, 1)]


def test_what_came_twice_is_shown_as_such() -> None:
    texter = Texter()
    for words in ("once", "twice", "twice"):
        texter.text(text=words)
    texter.wait(1)

    seen = texter.control("texts?repeated=true")

    assert seen["counts"]["repeated"] == 1
    assert {text["text"]: text["times"] for text in seen["texts"]} == {"twice": 2}


def test_a_part_that_comes_again_is_counted() -> None:
    texter = Texter()
    for part in (1, 1, 2):
        texter.text(text=str(part), joint=7, parts=2, part=part)
    texter.wait(1)

    assert texter.counts()["repeated_parts"] == 1
    assert texter.control("texts?repeated=true")["texts"][0]["text"] == "12"


# ── who may send ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_number_that_is_not_ours_is_refused_at_once() -> None:
    verdict = Texter().text(sender="+14155550199")

    assert verdict.refusal is not None
    assert verdict.refusal.status == Status.INVALID_SOURCE


def test_a_number_without_a_campaign_fails_later() -> None:
    texter = Texter(is_registered=False)

    verdict = texter.text()
    texter.wait(1)

    assert texter.receipts() == [(verdict.id, "REJECTD")]
    assert texter.control("texts")["texts"][0]["code"] == "4476"


def test_a_suspended_campaign_fails_later() -> None:
    texter = Texter()
    texter.control("campaigns/CTEST01", {"status": "SUSPENDED"})

    texter.text()
    texter.wait(1)

    assert texter.control("texts")["texts"][0]["code"] in ("4476", "4773")


def test_an_operator_that_has_not_followed_rejects() -> None:
    texter = Texter(profile="demo", is_registered=False)
    texter.have_campaign()
    texter.submit("k", ("CTEST01", [SENDER]))
    texter.wait(2.4)

    for suffix in range(4):
        texter.text(handset(suffix))
    texter.wait(3)

    states = {text["recipient"][-1]: text["state"] for text in texter.control("texts")["texts"]}
    assert set(states.values()) == {"DELIVRD", "REJECTD"}
    assert states["0"] == "DELIVRD"


def test_senders_are_not_checked_when_told_so() -> None:
    texter = Texter(is_registered=False)
    texter.set(checks_senders=False)

    texter.text(sender="+14155550199")
    texter.wait(1)

    assert len(texter.inbox()) == 1


# ── magic numbers ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("suffix", ENDINGS)
def test_a_magic_number_decides_how_a_text_ends(suffix: str) -> None:
    texter, fate = Texter(), FATES[suffix]

    verdict = texter.text(handset(int(suffix)))
    texter.wait(1)

    assert texter.receipts() == [(verdict.id, fate.ending.stat.value)]
    assert texter.inbox(handset(int(suffix))) == []
    assert texter.control("texts")["texts"][0]["code"] == str(fate.ending.code)


@pytest.mark.parametrize(
    ("suffix", "status"),
    [(60, Status.INVALID_DESTINATION), (72, Status.SYSTEM_ERROR), (82, Status.THROTTLED), (83, Status.QUEUE_FULL)],
)
def test_a_magic_number_refuses(suffix: int, status: Status) -> None:
    texter = Texter()

    first, second = texter.text(handset(suffix)), texter.text(handset(suffix))

    assert first.refusal is not None
    assert first.refusal.status == status
    assert (second.refusal is None) == (suffix in {82, 83})


def test_a_magic_number_counts_only_within_fiction() -> None:
    texter = Texter()

    assert texter.text("+12125560160").refusal is None
    assert texter.text("+44205550160").refusal is None


@pytest.mark.parametrize(
    ("suffix", "expected"),
    [
        (74, []),
        (77, ["ENROUTE", "ACCEPTD", "DELIVRD"]),
        (78, ["DELIVRD"] * 3),
        (79, ["DELIVRD", "ACCEPTD", "ENROUTE"]),
        (84, ["DELIVRD"]),
        (85, []),
    ],
)
def test_a_magic_number_decides_what_is_told(suffix: int, expected: list[str]) -> None:
    texter = Texter()

    texter.text(handset(suffix))
    texter.wait(2)

    assert [stat for _, stat in texter.receipts()] == expected
    assert len(texter.inbox(handset(suffix))) == (0 if suffix == 85 else 1)


def test_a_magic_number_is_slow_by_the_world_s_clock() -> None:
    texter = Texter()
    texter.text(handset(81))

    texter.wait(29)
    early = texter.receipts()
    texter.wait(2)

    assert early == []
    assert len(texter.receipts()) == 1


def test_a_magic_number_is_told_of_before_the_answer() -> None:
    texter = Texter(profile="demo")

    verdict = texter.text(handset(80))

    assert verdict.is_early
    assert texter.receipts() == [(verdict.id, "DELIVRD")]


@pytest.mark.parametrize(("suffix", "words"), [(86, "STOP"), (87, "YES"), (88, "HELP"), (89, "please stop texting me")])
def test_a_magic_handset_answers(suffix: int, words: str) -> None:
    texter = Texter()

    texter.text(handset(suffix))
    texter.wait(1)

    assert texter.answers() == [(handset(suffix), words)]


@pytest.mark.parametrize("suffix", FATES)
def test_the_manual_has_every_magic_number(suffix: str) -> None:
    fate: Fate = FATES[suffix]
    row = next(line for line in MANUAL.splitlines() if line.startswith("| ") and suffix in line.split("|")[1])

    if fate.ending.stat is not Stat.DELIVERED:
        assert f"| {fate.ending.stat} {fate.ending.err} | {fate.ending.code} |" in row
    if fate.refusal is not None:
        assert f"| 0x{fate.refusal.status:02X} | {fate.refusal.http_status} |" in row


# ── receipts ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("wanted", "suffix", "told"), [(0, 12, 0), (0, 66, 0), (1, 12, 1), (1, 66, 1), (2, 12, 0), (2, 66, 1)]
)
def test_only_the_receipts_that_were_asked_for_are_sent(wanted: int, suffix: int, told: int) -> None:
    texter = Texter()

    texter.text(handset(suffix), receipts=wanted)
    texter.wait(1)

    assert len(texter.receipts()) == told
    assert texter.counts()["open"] == 0


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("receipt_lost", []),
        ("receipt_duplicated", ["DELIVRD"] * 3),
        ("receipt_reordered", ["DELIVRD", "ENROUTE"]),
        ("text_failed", ["REJECTD"]),
    ],
)
def test_receipts_go_wrong_when_told_so(fault: str, expected: list[str]) -> None:
    texter = Texter()
    texter.break_(**{fault: 1.0})

    texter.text()
    texter.wait(2)

    assert [stat for _, stat in texter.receipts()] == expected


def test_a_receipt_is_late_when_told_so() -> None:
    texter = Texter()
    texter.break_(receipt_late={"probability": 1, "seconds": 60})
    texter.text()

    texter.wait(59)
    early = texter.receipts()
    texter.wait(2)

    assert early == []
    assert len(texter.receipts()) == 1


def test_a_text_fails_with_the_code_that_was_asked_for() -> None:
    texter = Texter()
    texter.control("faults", {"once": [{"fault": "text_failed", "code": "4770", "number": HANDSET}]})

    texter.text(handset(0))
    texter.text(HANDSET)
    texter.wait(1)

    assert [text["code"] for text in texter.control("texts")["texts"]] == ["", "4770"]


def test_a_receipt_that_nobody_takes_is_told_again_later_each_time() -> None:
    texter = Texter()
    texter.text()
    texter.wait(0.01)
    pauses: list[float] = []

    for _ in range(4):
        receipt = texter.desk.waiting[LIVE, Via.SMPP].popleft()
        texter.desk.give_back(receipt, at=texter.now.timestamp())
        pause_s = 0.0
        while not texter.desk.waiting[LIVE, Via.SMPP]:
            texter.wait(0.5)
            pause_s += 0.5
        pauses.append(pause_s)

    assert pauses == [0.5, 1.0, 2.0, 4.0]
    assert texter.counts()["open"] == 1


# ── limits and broken lines ─────────────────────────────────────────────────────────────────────────────────


def test_texts_beyond_the_rate_are_throttled() -> None:
    texter = Texter()
    texter.set(texts_per_s=10)

    verdicts = [texter.text() for _ in range(15)]
    texter.wait(0.5)
    later = [texter.text() for _ in range(8)]

    assert [verdict.refusal is None for verdict in verdicts] == [True] * 10 + [False] * 5
    assert sum(verdict.refusal is None for verdict in later) == 5


def test_a_queue_is_full_until_receipts_are_acknowledged() -> None:
    texter = Texter()
    texter.set(most_open=2)
    texter.text()
    texter.text()

    full = texter.text()
    texter.wait(1)
    texter.receipts()

    assert full.refusal is not None
    assert full.refusal.status == Status.QUEUE_FULL
    assert texter.text().refusal is None


@pytest.mark.parametrize(
    ("fault", "breakage", "status", "arrives"),
    [
        ("timeout_before", Breakage.HANG_BEFORE, None, False),
        ("error_before", None, Status.SYSTEM_ERROR, False),
        ("rate_limited", None, Status.THROTTLED, False),
        ("queue_full", None, Status.QUEUE_FULL, False),
        ("timeout_after", Breakage.HANG_AFTER, None, True),
        ("reset_after", Breakage.RESET, None, True),
    ],
)
def test_the_line_breaks_before_or_after_the_work(
    fault: str,
    breakage: Breakage | None,
    status: int | None,
    arrives: bool,  # noqa: FBT001
) -> None:
    texter = Texter()
    texter.break_(**{fault: {"probability": 1, "operation": "smpp"}})

    verdict = texter.text()
    texter.wait(1)

    assert verdict.breakage == breakage
    assert (None if verdict.refusal is None else verdict.refusal.status) == status
    assert len(texter.inbox()) == int(arrives)


@pytest.mark.parametrize("how", ["hang", "error"])
def test_an_outage_ends(how: str) -> None:
    texter = Texter()
    texter.control("faults", {"outage": {"length_s": 10, "how": how, "operation": "smpp"}})

    during = texter.text()
    texter.wait(11)
    after = texter.text()

    assert during.id == ""
    assert after.id


# ── handsets ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_handset_texts_a_number() -> None:
    texter = Texter()

    ids = texter.control(f"handsets/{HANDSET}/send", {"to": SENDER, "text": "hi there"})["ids"]

    assert len(ids) == 1
    assert texter.answers() == [(HANDSET, "hi there")]
    assert texter.counts()["open"] == 0


def test_a_long_text_of_a_handset_comes_in_parts() -> None:
    texter = Texter()

    ids = texter.control(f"handsets/{HANDSET}/send", {"to": SENDER, "text": "ж" * 100})["ids"]
    told = texter.told()

    assert len(ids) == len(set(ids)) == len(told) == 2


def test_a_handset_answers_by_its_script_one_reply_a_text() -> None:
    texter = Texter()
    texter.control(f"handsets/{HANDSET}/script", {"replies": ["YES", "", "STOP"]})

    for _ in range(4):
        texter.text()
        texter.wait(1)

    assert [words for _, words in texter.answers()] == ["YES", "STOP"]


@pytest.mark.parametrize("via", Via)
def test_a_text_of_a_handset_comes_the_way_its_number_last_sent(via: Via) -> None:
    texter = Texter()
    texter.set(via=via.value)

    texter.control(f"handsets/{HANDSET}/send", {"to": SENDER, "text": "first"})
    texter.text()
    texter.wait(1)
    first = texter.answers(via)
    texter.control(f"handsets/{HANDSET}/send", {"to": SENDER, "text": "second"})

    assert first == [(HANDSET, "first")]
    assert [words for _, words in texter.answers(Via.SMPP)] == ["second"]


def test_pictures_of_a_handset_come_over_http() -> None:
    texter = Texter()

    texter.control(f"handsets/{HANDSET}/send", {"to": SENDER, "media": ["https://pictures.test/a.png"]})

    assert texter.answers(Via.SMPP) == []
    assert texter.answers(Via.BANDWIDTH) == [(HANDSET, "")]


def test_accounts_do_not_hear_each_other() -> None:
    texter = Texter()
    texter.control("numbers", {"numbers": ["+14155550150"], "account": SANDBOX})

    texter.control(f"handsets/{HANDSET}/send", {"to": "+14155550150", "text": "for the sandbox"})

    assert texter.answers() == []
    assert len(texter.desk.waiting[SANDBOX, Via.SMPP]) == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("handsets/12125550112/send", {"to": SENDER, "text": "x"}, 422),
        (f"handsets/{HANDSET}/send", {"to": "4155550100", "text": "x"}, 422),
        (f"handsets/{HANDSET}/send", {"to": SENDER}, 422),
        (f"handsets/{HANDSET}/send", {"to": SENDER, "text": "x", "account": "1"}, 404),
        (f"handsets/{HANDSET}/inbox", {}, 405),
        (f"handsets/{HANDSET}/call", {}, 404),
        ("texts/settings", {"texts_per_s": 0}, 422),
        ("texts/settings", {"colour": "red"}, 422),
        ("texts?limit=many", None, 422),
        ("applications", {"id": "a", "url": "ftp://us.test"}, 422),
    ],
)
def test_the_control_plane_says_what_it_does_not_take(path: str, body: object, status: int) -> None:
    assert Texter().control_reply(path, body).status == status


def test_settings_keep_what_is_left_out_and_null_lifts_a_limit() -> None:
    texter = Texter()

    texter.set(texts_per_s=5, ids="decimal")
    texter.set(texts_per_s=None)

    settings = texter.control("texts/settings")
    assert (settings["texts_per_s"], settings["ids"]) == (None, "decimal")


# ── over a restart ──────────────────────────────────────────────────────────────────────────────────────────


def _restarted(texter: Texter, path: Path) -> Texter:
    """A new world with what the old one has left on disk."""
    storage = Storage(path)
    storage.write_messages(texter.desk.take_records())
    storage.close()
    again = Texter(profile="demo")
    again.now = texter.now
    storage = Storage(path)
    again.desk.restore(storage.message_records())
    storage.close()
    return again


def test_a_restart_loses_and_repeats_nothing(tmp_path: Path) -> None:
    texter = Texter(profile="demo")
    acknowledged = texter.text(text="acknowledged")
    texter.wait(5)
    assert texter.receipts() == [(acknowledged.id, "DELIVRD")]
    unacknowledged = texter.text(text="unacknowledged")
    texter.wait(5)
    under_way = texter.text(text="under way")
    texter.text(text="half ", joint=3, parts=2, part=1)
    texter.control(f"handsets/{HANDSET}/send", {"to": SENDER, "text": "hi"})

    again = _restarted(texter, tmp_path)
    first = [told.handed.id for told in again.desk.waiting[LIVE, Via.SMPP] if isinstance(told, Receipt)]
    again.text(text="a text", joint=3, parts=2, part=2)
    again.wait(5)

    assert first == [unacknowledged.id]
    assert {text["text"] for text in again.inbox()} == {"acknowledged", "unacknowledged", "under way", "half a text"}
    told = again.told()
    receipts = [one.handed.id for one in told if isinstance(one, Receipt)]
    assert receipts.count(unacknowledged.id) == receipts.count(under_way.id) == 1
    assert acknowledged.id not in receipts
    assert [one.text for one in told if not isinstance(one, Receipt)] == ["hi"]
    assert again.counts()["repeated"] == again.counts()["open"] == 0


def test_ids_are_new_after_a_restart(tmp_path: Path) -> None:
    texter = Texter()
    before = {texter.text().id for _ in range(10)}

    again = _restarted(texter, tmp_path)

    assert before.isdisjoint(again.text().id for _ in range(10))


def test_the_same_seed_gives_the_same_delays() -> None:
    def story() -> list[tuple[str, str | None]]:
        texter = Texter(profile="demo", seed=3)
        for suffix in range(30):
            texter.text(handset(suffix))
        texter.wait(5)
        return [(text["recipient"], text["delivered_at"]) for text in texter.control("texts")["texts"]]

    assert story() == story()
