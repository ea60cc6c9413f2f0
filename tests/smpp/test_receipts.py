"""Receipts as carriers write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.smpp.pdu import DataSm, DeliverSm, Tag, Tlv
from agentmessage.smpp.receipts import Receipt, State, is_receipt, parameters, read, write

BY_THE_BOOK = (
    b"id:0123456789 sub:001 dlvrd:001 submit date:2611230905 done date:2611230906 stat:DELIVRD err:000 text:hello"
)
TOLD = BY_THE_BOOK.partition(b" text:")[0].decode()
NINE_SIX = datetime(2026, 11, 23, 9, 6, tzinfo=UTC)


def receipt(text: bytes, *tlvs: Tlv) -> DeliverSm:
    return DeliverSm(esm_class=0x04, short_message=text, tlvs=tlvs)


def test_a_receipt_by_the_book_is_read_whole() -> None:
    submitted_at = NINE_SIX.replace(minute=5)
    assert read(receipt(BY_THE_BOOK)) == Receipt(
        "0123456789", State.DELIVERED, "000", NINE_SIX, TOLD, submitted_at=submitted_at, excerpt="hello"
    )


@pytest.mark.parametrize(
    ("text", "message_id", "state", "error"),
    [
        (b"id:7 stat:UNDELIV", "7", State.UNDELIVERABLE, ""),
        (b"ID:7 Stat:undeliv ERR:04B", "7", State.UNDELIVERABLE, "04B"),
        (b"  id: 7  sub: 001   stat: EXPIRED  err: 12 ", "7", State.EXPIRED, "12"),
        (b"id:7 done  date:26 stat:DELIVERED", "7", State.DELIVERED, ""),
        (b"stat:REJECTD id:a-b_c.9@x", "a-b_c.9@x", State.REJECTED, ""),
        (b"id:7,stat:ACCEPTD;err:1", "7", State.ACCEPTED, "1"),
        (b"id:7 stat:WHATEVER", "7", State.UNRECOGNIZED, ""),
        (b"id:7 stat:BUFFRED", "7", State.ENROUTE, ""),
        (b"id:7 stat:buffered", "7", State.ENROUTE, ""),
        (b"id:7 stat:ACKED", "7", State.ACCEPTED, ""),
        (b"id:7 stat:EN_ROUTE", "7", State.ENROUTE, ""),
        (b"id:7 stat:DELIVER", "7", State.DELIVERED, ""),
        (b"id:7 stat:DELIVERING", "7", State.UNRECOGNIZED, ""),
        (b"id:7 stat:UNKNOWN", "7", State.UNKNOWN, ""),
        (b"id:7 stat:02", "7", State.DELIVERED, ""),
        (b"id:7 stat:11", "7", State.UNRECOGNIZED, ""),
        (b"id:7 stat:2", "7", State.DELIVERED, ""),
        (b"id:7 stat:FAILED err: text:x", "7", State.UNDELIVERABLE, ""),
    ],
)
def test_a_receipt_is_read_however_it_is_written(text: bytes, message_id: str, state: State, error: str) -> None:
    found = read(receipt(text))

    assert found is not None
    assert (found.message_id, found.state, found.error) == (message_id, state, error)


@pytest.mark.parametrize(
    ("digits", "done_at"),
    [
        (b"2611230906", NINE_SIX),
        (b"261123090659", NINE_SIX.replace(second=59)),
        (b"20261123090659", NINE_SIX.replace(second=59)),
        (b"2613990906", None),
        (b"tomorrow", None),
    ],
)
def test_a_date_that_is_none_does_not_cost_the_receipt(digits: bytes, done_at: datetime | None) -> None:
    found = read(receipt(b"id:7 done date:" + digits + b" stat:DELIVRD"))

    assert found is not None
    assert found.done_at == done_at


def test_what_stands_in_the_words_of_the_text_says_nothing() -> None:
    """A subscriber chooses the words: they must not turn a failure into a delivery."""
    found = read(receipt(b"id:7 text:http://x id:8 stat:DELIVRD err:9"))

    assert found is None


@pytest.mark.parametrize(
    "text", [BY_THE_BOOK, b"Hi Ann, call 555", b"text:Hi Ann", b"id:7 stat:UNDELIV TEXT: Hi Ann text:x"]
)
def test_nothing_is_kept_of_what_a_receipt_repeats(text: bytes) -> None:
    """The text may be erased later, and its receipt must not bring it back."""
    found = read(receipt(text, Tlv(Tag.RECEIPTED_MESSAGE_ID, b"0a\0"), Tlv(Tag.MESSAGE_STATE, b"\5")))

    assert found is not None
    assert found.told == (TOLD if text is BY_THE_BOOK else "id:7 stat:UNDELIV" if b"stat" in text else "")


def test_parameters_are_believed_before_the_text() -> None:
    found = read(receipt(b"id:7 stat:UNDELIV", Tlv(Tag.RECEIPTED_MESSAGE_ID, b"0a\0"), Tlv(Tag.MESSAGE_STATE, b"\2")))

    assert found is not None
    assert (found.message_id, found.state) == ("0a", State.DELIVERED)


def test_an_end_is_believed_before_what_is_none() -> None:
    found = read(receipt(b"id:7 stat:DELIVRD", Tlv(Tag.MESSAGE_STATE, b"\1")))
    strange = read(receipt(b"id:7 stat:UNDELIV", Tlv(Tag.MESSAGE_STATE, b"\x63")))

    assert found is not None
    assert strange is not None
    assert (found.state, strange.state) == (State.DELIVERED, State.UNDELIVERABLE)


def test_a_state_that_no_table_knows_keeps_its_word_and_is_no_end() -> None:
    word, number = read(receipt(b"id:7 stat:PARKED")), read(receipt(b"id:7", Tlv(Tag.MESSAGE_STATE, b"\x63")))

    assert word is not None
    assert number is not None
    assert (word.word, number.word) == ("PARKED", "message_state 99")
    assert not State.UNRECOGNIZED.is_final


def test_a_receipt_may_say_all_in_parameters() -> None:
    tlvs = (
        Tlv(Tag.RECEIPTED_MESSAGE_ID, b"0a"),
        Tlv(Tag.MESSAGE_STATE, b"\5"),
        Tlv(Tag.NETWORK_ERROR_CODE, b"\3\1\4"),
    )

    assert read(DeliverSm(tlvs=tlvs)) == Receipt("0a", State.UNDELIVERABLE, "260")
    assert read(DataSm(tlvs=tlvs)) == Receipt("0a", State.UNDELIVERABLE, "260")


def test_a_receipt_is_found_in_the_payload() -> None:
    found = read(DeliverSm(esm_class=0x04, tlvs=(Tlv(Tag.MESSAGE_PAYLOAD, BY_THE_BOOK),)))

    assert found is not None
    assert found.message_id == "0123456789"


@pytest.mark.parametrize("esm_class", [0x00, 0x40, 0x03, 0x08, 0x10])
def test_a_handset_cannot_write_a_receipt(esm_class: int) -> None:
    """A text that reads like one, and a handset's own acknowledgement (0x08, 0x10), are no receipts."""
    pdu = DeliverSm(esm_class=esm_class, short_message=BY_THE_BOOK)

    assert (is_receipt(pdu), read(pdu)) == (False, None)


@pytest.mark.parametrize("esm_class", [0x04, 0x20, 0x44, 0x07])
def test_other_bits_do_not_hide_a_receipt(esm_class: int) -> None:
    assert is_receipt(DeliverSm(esm_class=esm_class))


@given(
    state=st.sampled_from([state for state in State if state is not State.UNRECOGNIZED]),
    number=st.integers(min_value=0, max_value=2**64),
)
def test_what_we_write_we_read(state: State, number: int) -> None:
    written = Receipt(f"{number:x}", state, "012", NINE_SIX)
    text = write(written, submitted_at=NINE_SIX, text=b"stat:DELIVRD and more than twenty octets")

    found = read(receipt(text, *parameters(written)))

    told, _, excerpt = text.decode().partition(" text:")
    assert found == Receipt(
        written.message_id, state, "012", NINE_SIX, told, submitted_at=NINE_SIX, excerpt="stat:DELIVRD and mor"
    )
    assert excerpt == found.excerpt
    assert read(receipt(text)) == found


@given(st.binary(max_size=300), st.lists(st.tuples(st.sampled_from(Tag), st.binary(max_size=70)), max_size=4))
def test_no_receipt_is_too_odd_to_be_looked_at(text: bytes, parameters: list[tuple[Tag, bytes]]) -> None:
    found = read(receipt(text, *(Tlv(tag, value) for tag, value in parameters)))

    assert found is None or isinstance(found.state, State)
