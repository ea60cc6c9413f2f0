"""The simulated carrier: messages are accepted or rejected, carried, delivered and stored."""

from pathlib import Path

import pytest
from customer import LIVE, SANDBOX
from messaging_customer import HANDSET, SENDER, MessagingCustomer, handset

from agentmessage.simulator.core.http_types import Breakage
from agentmessage.simulator.messaging.magic_numbers import MAGIC_OUTCOMES, MagicOutcome
from agentmessage.simulator.messaging.model import ReceiptDelivery, Stat, Via
from agentmessage.simulator.storage import Storage
from agentmessage.smpp.pdu import Status

MANUAL = (Path(__file__).parents[2] / "docs" / "reference" / "simulator.md").read_text()
FAILING = sorted(
    suffix for suffix, outcome in MAGIC_OUTCOMES.items() if outcome.final_status.stat is not Stat.DELIVERED
)


def test_a_message_reaches_its_handset_and_has_a_receipt() -> None:
    customer = MessagingCustomer(profile="demo")

    outcome = customer.send(HANDSET, "hello")
    before = customer.inbox()
    customer.wait(5)

    assert before == []
    assert [(message["sender"], message["text"], message["ids"]) for message in customer.inbox()] == [
        (SENDER, "hello", [outcome.id])
    ]
    assert customer.receipts() == [(outcome.id, "DELIVRD")]
    assert customer.counts()["open"] == 0


def test_every_operator_takes_its_own_time() -> None:
    customer = MessagingCustomer(profile="demo")
    for suffix in range(40):
        customer.send(handset(suffix))

    customer.wait(0.19)
    none_yet = customer.receipts()
    customer.wait(0.82)

    slow = {f"+121255501{suffix:02}" for suffix in range(40) if int(f"{suffix:02}"[-1]) % 4 == 2}
    rest = {
        message["recipient"]
        for message in customer.control("messages?limit=100")["messages"]
        if message["state"] == "accepted"
    }
    assert none_yet == []
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
def test_parts_in_any_order_become_one_message(parts: list[tuple[int, str]], expected: str) -> None:
    customer = MessagingCustomer()

    for part, piece in parts:
        customer.send(text=piece, group=7, parts=len(parts), part=part)
        customer.wait(1)

    assert [(message["text"], message["parts"]) for message in customer.inbox()] == [(expected, len(parts))]
    assert customer.counts()["segments"] == len(parts)


def test_a_message_with_a_missing_part_is_listed_but_in_no_inbox() -> None:
    customer = MessagingCustomer()

    customer.send(text="one", group=7, parts=2, part=1)
    customer.wait(1)

    assert customer.inbox() == []
    assert [(message["text"], message["parts_here"]) for message in customer.control("messages")["messages"]] == [
        (None, 1)
    ]


def test_repeated_messages_are_shown() -> None:
    customer = MessagingCustomer()
    for text in ("once", "twice", "twice"):
        customer.send(text=text)
    customer.wait(1)

    seen = customer.control("messages?repeated=true")

    assert seen["counts"]["repeated"] == 1
    assert {message["text"]: message["times"] for message in seen["messages"]} == {"twice": 2}


def test_a_repeated_part_is_counted() -> None:
    customer = MessagingCustomer()
    for part in (1, 1, 2):
        customer.send(text=str(part), group=7, parts=2, part=part)
    customer.wait(1)

    assert customer.counts()["repeated_parts"] == 1
    assert customer.control("messages?repeated=true")["messages"][0]["text"] == "12"


# ── who may send ────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_sender_is_rejected() -> None:
    outcome = MessagingCustomer().send(sender="+14155550199")

    assert outcome.error is not None
    assert outcome.error.status == Status.INVALID_SOURCE


def test_a_sender_without_a_campaign_fails_later() -> None:
    customer = MessagingCustomer(is_registered=False)

    outcome = customer.send()
    customer.wait(1)

    assert customer.receipts() == [(outcome.id, "REJECTD")]
    assert customer.control("messages")["messages"][0]["code"] == "4476"


def test_a_suspended_campaign_fails_later() -> None:
    customer = MessagingCustomer()
    customer.control("campaigns/CTEST01", {"status": "SUSPENDED"})

    customer.send()
    customer.wait(1)

    assert customer.control("messages")["messages"][0]["code"] in ("4476", "4773")


def test_an_operator_that_has_not_followed_rejects() -> None:
    customer = MessagingCustomer(profile="demo", is_registered=False)
    customer.have_campaign()
    customer.submit("k", ("CTEST01", [SENDER]))
    customer.wait(2.4)

    for suffix in range(4):
        customer.send(handset(suffix))
    customer.wait(3)

    states = {message["recipient"][-1]: message["state"] for message in customer.control("messages")["messages"]}
    assert set(states.values()) == {"DELIVRD", "REJECTD"}
    assert states["0"] == "DELIVRD"


def test_checking_senders_is_a_setting() -> None:
    customer = MessagingCustomer(is_registered=False)
    customer.set(checks_senders=False)

    customer.send(sender="+14155550199")
    customer.wait(1)

    assert len(customer.inbox()) == 1


# ── magic numbers ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("suffix", FAILING)
def test_a_magic_number_decides_the_final_status(suffix: str) -> None:
    customer, magic = MessagingCustomer(), MAGIC_OUTCOMES[suffix]

    outcome = customer.send(handset(int(suffix)))
    customer.wait(1)

    assert customer.receipts() == [(outcome.id, magic.final_status.stat.value)]
    assert customer.inbox(handset(int(suffix))) == []
    assert customer.control("messages")["messages"][0]["code"] == str(magic.final_status.code)


@pytest.mark.parametrize(
    ("suffix", "status"),
    [(60, Status.INVALID_DESTINATION), (72, Status.SYSTEM_ERROR), (82, Status.THROTTLED), (83, Status.QUEUE_FULL)],
)
def test_a_magic_number_rejects(suffix: int, status: Status) -> None:
    customer = MessagingCustomer()

    first, second = customer.send(handset(suffix)), customer.send(handset(suffix))

    assert first.error is not None
    assert first.error.status == status
    assert (second.error is None) == (suffix in {82, 83})


def test_a_magic_number_counts_only_within_fiction() -> None:
    customer = MessagingCustomer()

    assert customer.send("+12125560160").error is None
    assert customer.send("+44205550160").error is None


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
def test_a_magic_number_decides_the_receipts(suffix: int, expected: list[str]) -> None:
    customer = MessagingCustomer()

    customer.send(handset(suffix))
    customer.wait(2)

    assert [stat for _, stat in customer.receipts()] == expected
    assert len(customer.inbox(handset(suffix))) == (0 if suffix == 85 else 1)


def test_a_magic_number_may_be_slow() -> None:
    customer = MessagingCustomer()
    customer.send(handset(81))

    customer.wait(29)
    early = customer.receipts()
    customer.wait(2)

    assert early == []
    assert len(customer.receipts()) == 1


def test_a_magic_number_may_have_its_receipt_before_the_response() -> None:
    customer = MessagingCustomer(profile="demo")

    outcome = customer.send(handset(80))

    assert outcome.is_early
    assert customer.receipts() == [(outcome.id, "DELIVRD")]


@pytest.mark.parametrize(
    ("suffix", "text"), [(86, "STOP"), (87, "YES"), (88, "HELP"), (89, "please stop messaging me")]
)
def test_a_magic_number_may_reply(suffix: int, text: str) -> None:
    customer = MessagingCustomer()

    customer.send(handset(suffix))
    customer.wait(1)

    assert customer.inbound() == [(handset(suffix), text)]


@pytest.mark.parametrize("suffix", MAGIC_OUTCOMES)
def test_the_manual_has_every_magic_number(suffix: str) -> None:
    outcome: MagicOutcome = MAGIC_OUTCOMES[suffix]
    row = next(line for line in MANUAL.splitlines() if line.startswith("| ") and suffix in line.split("|")[1])

    if outcome.final_status.stat is not Stat.DELIVERED:
        assert f"| {outcome.final_status.stat} {outcome.final_status.err} | {outcome.final_status.code} |" in row
    if outcome.error is not None:
        assert f"| 0x{outcome.error.status:02X} | {outcome.error.http_status} |" in row


# ── receipts ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("requested", "suffix", "count"), [(0, 12, 0), (0, 66, 0), (1, 12, 1), (1, 66, 1), (2, 12, 0), (2, 66, 1)]
)
def test_only_the_requested_receipts_are_sent(requested: int, suffix: int, count: int) -> None:
    customer = MessagingCustomer()

    customer.send(handset(suffix), receipts=requested)
    customer.wait(1)

    assert len(customer.receipts()) == count
    assert customer.counts()["open"] == 0


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("receipt_lost", []),
        ("receipt_duplicated", ["DELIVRD"] * 3),
        ("receipt_reordered", ["DELIVRD", "ENROUTE"]),
        ("message_failed", ["REJECTD"]),
    ],
)
def test_receipts_have_faults(fault: str, expected: list[str]) -> None:
    customer = MessagingCustomer()
    customer.inject(**{fault: 1.0})

    customer.send()
    customer.wait(2)

    assert [stat for _, stat in customer.receipts()] == expected


def test_a_receipt_may_be_late() -> None:
    customer = MessagingCustomer()
    customer.inject(receipt_late={"probability": 1, "seconds": 60})
    customer.send()

    customer.wait(59)
    early = customer.receipts()
    customer.wait(2)

    assert early == []
    assert len(customer.receipts()) == 1


def test_a_message_fails_with_the_code_of_the_fault() -> None:
    customer = MessagingCustomer()
    customer.control("faults", {"once": [{"fault": "message_failed", "code": "4770", "number": HANDSET}]})

    customer.send(handset(0))
    customer.send(HANDSET)
    customer.wait(1)

    assert [message["code"] for message in customer.control("messages")["messages"]] == ["", "4770"]


def test_a_receipt_that_is_not_acknowledged_is_repeated_with_growing_delays() -> None:
    customer = MessagingCustomer()
    customer.send()
    customer.wait(0.01)
    pauses: list[float] = []

    for _ in range(4):
        receipt = customer.carrier.waiting[LIVE, Via.SMPP].popleft()
        customer.carrier.redeliver(receipt, at=customer.now.timestamp())
        pause_s = 0.0
        while not customer.carrier.waiting[LIVE, Via.SMPP]:
            customer.wait(0.5)
            pause_s += 0.5
        pauses.append(pause_s)

    assert pauses == [0.5, 1.0, 2.0, 4.0]
    assert customer.counts()["open"] == 1


# ── limits and broken connections ─────────────────────────────────────────────────────────────────────────────────


def test_messages_above_the_rate_are_throttled() -> None:
    customer = MessagingCustomer()
    customer.set(max_messages_per_second=10)

    outcomes = [customer.send() for _ in range(15)]
    customer.wait(0.5)
    later = [customer.send() for _ in range(8)]

    assert [outcome.error is None for outcome in outcomes] == [True] * 10 + [False] * 5
    assert sum(outcome.error is None for outcome in later) == 5


def test_a_queue_is_full_until_receipts_are_acknowledged() -> None:
    customer = MessagingCustomer()
    customer.set(max_open_parts=2)
    customer.send()
    customer.send()

    full = customer.send()
    customer.wait(1)
    customer.receipts()

    assert full.error is not None
    assert full.error.status == Status.QUEUE_FULL
    assert customer.send().error is None


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
def test_the_connection_breaks_before_or_after_a_message_is_accepted(
    fault: str,
    breakage: Breakage | None,
    status: int | None,
    arrives: bool,  # noqa: FBT001
) -> None:
    customer = MessagingCustomer()
    customer.inject(**{fault: {"probability": 1, "operation": "smpp"}})

    outcome = customer.send()
    customer.wait(1)

    assert outcome.breakage == breakage
    assert (None if outcome.error is None else outcome.error.status) == status
    assert len(customer.inbox()) == int(arrives)


@pytest.mark.parametrize("how", ["hang", "error"])
def test_an_outage_ends(how: str) -> None:
    customer = MessagingCustomer()
    customer.control("faults", {"outage": {"length_s": 10, "how": how, "operation": "smpp"}})

    during = customer.send()
    customer.wait(11)
    after = customer.send()

    assert during.id == ""
    assert after.id


# ── handsets ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_handset_sends_to_a_number() -> None:
    customer = MessagingCustomer()

    ids = customer.control(f"handsets/{HANDSET}/send", {"to": SENDER, "text": "hi there"})["ids"]

    assert len(ids) == 1
    assert customer.inbound() == [(HANDSET, "hi there")]
    assert customer.counts()["open"] == 0


def test_a_long_message_of_a_handset_has_parts() -> None:
    customer = MessagingCustomer()

    ids = customer.control(f"handsets/{HANDSET}/send", {"to": SENDER, "text": "ж" * 100})["ids"]
    deliveries = customer.take_deliveries()

    assert len(ids) == len(set(ids)) == len(deliveries) == 2


def test_a_handset_replies_by_its_script() -> None:
    customer = MessagingCustomer()
    customer.control(f"handsets/{HANDSET}/script", {"replies": ["YES", "", "STOP"]})

    for _ in range(4):
        customer.send()
        customer.wait(1)

    assert [text for _, text in customer.inbound()] == ["YES", "STOP"]


@pytest.mark.parametrize("via", Via)
def test_a_message_of_a_handset_takes_the_protocol_of_its_numbers_last_message(via: Via) -> None:
    customer = MessagingCustomer()
    customer.set(via=via.value)

    customer.control(f"handsets/{HANDSET}/send", {"to": SENDER, "text": "first"})
    customer.send()
    customer.wait(1)
    first = customer.inbound(via)
    customer.control(f"handsets/{HANDSET}/send", {"to": SENDER, "text": "second"})

    assert first == [(HANDSET, "first")]
    assert [text for _, text in customer.inbound(Via.SMPP)] == ["second"]


def test_media_of_a_handset_are_sent_over_http() -> None:
    customer = MessagingCustomer()

    customer.control(f"handsets/{HANDSET}/send", {"to": SENDER, "media": ["https://pictures.test/a.png"]})

    assert customer.inbound(Via.SMPP) == []
    assert customer.inbound(Via.BANDWIDTH) == [(HANDSET, "")]


def test_accounts_do_not_receive_each_others_messages() -> None:
    customer = MessagingCustomer()
    customer.control("numbers", {"numbers": ["+14155550150"], "account": SANDBOX})

    customer.control(f"handsets/{HANDSET}/send", {"to": "+14155550150", "text": "for the sandbox"})

    assert customer.inbound() == []
    assert len(customer.carrier.waiting[SANDBOX, Via.SMPP]) == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("handsets/12125550112/send", {"to": SENDER, "text": "x"}, 422),
        (f"handsets/{HANDSET}/send", {"to": "4155550100", "text": "x"}, 422),
        (f"handsets/{HANDSET}/send", {"to": SENDER}, 422),
        (f"handsets/{HANDSET}/send", {"to": SENDER, "text": "x", "account": "1"}, 404),
        (f"handsets/{HANDSET}/inbox", {}, 405),
        (f"handsets/{HANDSET}/call", {}, 404),
        ("messages/settings", {"max_messages_per_second": 0}, 422),
        ("messages/settings", {"colour": "red"}, 422),
        ("messages?limit=many", None, 422),
        ("applications", {"id": "a", "url": "ftp://us.test"}, 422),
    ],
)
def test_the_control_plane_rejects_invalid_requests(path: str, body: object, status: int) -> None:
    assert MessagingCustomer().control_response(path, body).status == status


def test_omitted_settings_stay_and_null_removes_a_limit() -> None:
    customer = MessagingCustomer()

    customer.set(max_messages_per_second=5, ids="decimal")
    customer.set(max_messages_per_second=None)

    settings = customer.control("messages/settings")
    assert (settings["max_messages_per_second"], settings["ids"]) == (None, "decimal")


# ── restarts ──────────────────────────────────────────────────────────────────────────────────────────


def _restarted(customer: MessagingCustomer, path: Path) -> MessagingCustomer:
    """A new world with what the old one has left on disk."""
    storage = Storage(path)
    storage.write_messages(customer.carrier.take_records())
    storage.close()
    again = MessagingCustomer(profile="demo")
    again.now = customer.now
    storage = Storage(path)
    again.carrier.restore(storage.message_records())
    storage.close()
    return again


def test_a_restart_loses_and_repeats_nothing(tmp_path: Path) -> None:
    customer = MessagingCustomer(profile="demo")
    acknowledged = customer.send(text="acknowledged")
    customer.wait(5)
    assert customer.receipts() == [(acknowledged.id, "DELIVRD")]
    unacknowledged = customer.send(text="unacknowledged")
    customer.wait(5)
    under_way = customer.send(text="under way")
    customer.send(text="half ", group=3, parts=2, part=1)
    customer.control(f"handsets/{HANDSET}/send", {"to": SENDER, "text": "hi"})

    again = _restarted(customer, tmp_path)
    first = [
        delivery.part.id for delivery in again.carrier.waiting[LIVE, Via.SMPP] if isinstance(delivery, ReceiptDelivery)
    ]
    again.send(text="a text", group=3, parts=2, part=2)
    again.wait(5)

    assert first == [unacknowledged.id]
    assert {message["text"] for message in again.inbox()} == {
        "acknowledged",
        "unacknowledged",
        "under way",
        "half a text",
    }
    deliveries = again.take_deliveries()
    receipts = [delivery.part.id for delivery in deliveries if isinstance(delivery, ReceiptDelivery)]
    assert receipts.count(unacknowledged.id) == receipts.count(under_way.id) == 1
    assert acknowledged.id not in receipts
    assert [delivery.text for delivery in deliveries if not isinstance(delivery, ReceiptDelivery)] == ["hi"]
    assert again.counts()["repeated"] == again.counts()["open"] == 0


def test_ids_are_new_after_a_restart(tmp_path: Path) -> None:
    customer = MessagingCustomer()
    before = {customer.send().id for _ in range(10)}

    again = _restarted(customer, tmp_path)

    assert before.isdisjoint(again.send().id for _ in range(10))


def test_the_same_seed_gives_the_same_delays() -> None:
    def story() -> list[tuple[str, str | None]]:
        customer = MessagingCustomer(profile="demo", seed=3)
        for suffix in range(30):
            customer.send(handset(suffix))
        customer.wait(5)
        return [(message["recipient"], message["delivered_at"]) for message in customer.control("messages")["messages"]]

    assert story() == story()
