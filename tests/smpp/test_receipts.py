"""Receipts as carriers write them."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.smpp.pdu import DataSm, DeliverSm, Tag, Tlv
from agentmessage.smpp.receipts import WORDS, Receipt, State, is_receipt, parameters, read, write
from agentmessage.sms import gsm

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


CODINGS: dict[str, Callable[[str], bytes]] = {
    "latin-1": lambda text: text.encode("latin-1"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "with a mark": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "with a mark, other order": lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
    "septets, packed": lambda text: gsm.pack(gsm.encode_unpacked(text)),
    "cut in half a character": lambda text: text.encode("utf-16-be") + b"\0",
}
HEADERS = [b"", b"\x05\x00\x03\x07\x02\x01", b"\x06\x08\x04\x00\x07\x02\x01", b"\x06\x05\x04\x0b\x84\x23\xf0"]


@pytest.mark.parametrize("header", HEADERS, ids=["alone", "8-bit", "16-bit", "ports"])
@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("data_coding", [0, 3, 4, 8])
@pytest.mark.parametrize("is_payload", [False, True])
def test_a_receipt_is_read_in_whatever_coding(header: bytes, coding: str, data_coding: int, is_payload: bool) -> None:  # noqa: FBT001
    """data_coding often says another one than the octets are in."""
    octets = header + CODINGS[coding](BY_THE_BOOK.decode())
    pdu = DeliverSm(
        esm_class=0x44 if header else 0x04,
        data_coding=data_coding,
        short_message=b"" if is_payload else octets[:254],
        tlvs=(Tlv(Tag.MESSAGE_PAYLOAD, octets),) if is_payload else (),
    )

    found = read(pdu)

    assert found is not None
    assert (found.message_id, found.state, found.error) == ("0123456789", State.DELIVERED, "000")
    assert found.done_at == NINE_SIX
    assert (found.told, found.excerpt[:5]) == (TOLD, "hello")


@pytest.mark.parametrize("header", HEADERS[1:3], ids=["8-bit", "16-bit"])
def test_a_header_that_nobody_announced_is_none_of_the_text(header: bytes) -> None:
    found = read(receipt(header + b"id:7 stat:DELIVRD"))

    assert found is not None
    assert found.told == "id:7 stat:DELIVRD"


def test_a_payload_beside_other_words_is_read() -> None:
    found = read(receipt(b"delivery report", Tlv(Tag.MESSAGE_PAYLOAD, BY_THE_BOOK)))

    assert found is not None
    assert found.message_id == "0123456789"


@pytest.mark.parametrize(
    ("text", "message_id", "state", "error"),
    [
        ("id:7 status:DELIVRD error:000 text:x", "7", State.DELIVERED, "000"),
        ("ID: 7; Status: Delivered; Err: 0;", "7", State.DELIVERED, "0"),
        ("id=7&stat=UNDELIV&err=12", "7", State.UNDELIVERABLE, "12"),
        ("id:7|sub:001|dlvrd:001|stat:DELIVRD|err:000|text:", "7", State.DELIVERED, "000"),
        ("id:12:34:56 sub:001 stat:DELIVRD err:000", "12:34:56", State.DELIVERED, "000"),
        ("id:a:id:9 stat:EXPIRED", "a:id:9", State.EXPIRED, ""),
        ("id:urn:uuid:6e8bc430-9c3a stat:DELIVRD", "urn:uuid:6e8bc430-9c3a", State.DELIVERED, ""),
        ("id:sip:7@smsc.example:5060 stat:DELIVRD", "sip:7@smsc.example:5060", State.DELIVERED, ""),
        ("message_id:7 message_state:DELIVRD", "7", State.DELIVERED, ""),
        ("Message ID: 7\r\nStatus: EXPIRED\r\nError code: 0x22", "7", State.EXPIRED, "0x22"),
        ('{"id":"7","stat":"DELIVRD","err":"000"}', "7", State.DELIVERED, "000"),
        ("id:7\tstat:DELIVRD\x00", "7", State.DELIVERED, ""),
        ("stat:DELIVRD id:7", "7", State.DELIVERED, ""),
        ("id:7 sub: dlvrd: submit date: done date: stat:DELIVRD err: text:", "7", State.DELIVERED, ""),
        ("id:7 stat:DELIVRD err:000 Text:id:8 stat:UNDELIV", "7", State.DELIVERED, "000"),
        ("id:7 stat:DELIVRD msg:id:8 stat:UNDELIV", "7", State.DELIVERED, ""),
        ("id:7 stat: DELIVRD", "7", State.DELIVERED, ""),
        ("id:7 stat : DELIVRD", "7", State.DELIVERED, ""),
        ("id:7,,stat:DELIVRD,,", "7", State.DELIVERED, ""),
    ],
)
def test_names_separators_and_colons_may_be_any(text: str, message_id: str, state: State, error: str) -> None:
    for octets in (text.encode("latin-1"), text.encode("utf-16-be")):
        found = read(receipt(octets))

        assert found is not None
        assert (found.message_id, found.state, found.error) == (message_id, state, error)


def test_what_is_repeated_in_another_coding_says_nothing() -> None:
    """Whoever wrote the message must not make a delivery of its failure."""
    repeated = "id:7 stat:DELIVRD err:000 sub:001 dlvrd:001".encode("utf-16-be")

    found = read(receipt(b"id:7 stat:UNDELIV text:" + repeated))

    assert found is not None
    assert found.state is State.UNDELIVERABLE


@pytest.mark.parametrize(
    "written", ["2611230906", "26-11-23 09:06", "2026-11-23 09:06:00", "2026/11/23T09:06:00Z", " 20261123090600"]
)
def test_a_date_is_its_digits(written: str) -> None:
    found = read(receipt(f"id:7 done date:{written} stat:DELIVRD".encode()))

    assert found is not None
    assert found.done_at == NINE_SIX


NAMES = {
    "id": ["id", "ID", "Id", "message_id", "msgid", "MsgId"],
    "stat": ["stat", "STAT", "status", "Status", "message_state"],
    "err": ["err", "ERR", "error", "error_code"],
    "sub": ["sub", "Sub"],
}
ID_CHARACTERS = "abcdefXYZ0123456789-_.:@/+"


@given(
    message_id=st.text(ID_CHARACTERS, min_size=1, max_size=60).filter(lambda text: text[0] != ":" and text[-1] != ":"),
    state=st.sampled_from([State.DELIVERED, State.UNDELIVERABLE, State.EXPIRED, State.REJECTED, State.ENROUTE]),
    error=st.text("0123456789ABCDEF", min_size=1, max_size=5),
    order=st.permutations(["id", "stat", "err", "sub"]),
    between=st.sampled_from([" ", "  ", ";", ", ", "\n", "|", "\t", " ; "]),
    colon=st.sampled_from([":", ": ", "=", " : "]),
    coding=st.sampled_from([coding for coding in CODINGS if coding != "septets, packed"]),
    header=st.sampled_from(HEADERS),
    words=st.text(max_size=30),
    data=st.data(),
)
def test_a_receipt_in_any_form_is_read(  # noqa: PLR0917 - as many ways to differ
    message_id: str,
    state: State,
    error: str,
    order: list[str],
    between: str,
    colon: str,
    coding: str,
    header: bytes,
    words: str,
    data: st.DataObject,
) -> None:
    values = {"id": message_id, "stat": WORDS[state].decode(), "err": error, "sub": "001"}
    fields = [f"{data.draw(st.sampled_from(NAMES[name]))}{colon}{values[name]}" for name in order]
    text = between.join(fields)
    if data.draw(st.booleans()):
        text += f"{between}text:{words.encode('latin-1', 'ignore').decode('latin-1')}"

    pdu = DeliverSm(
        esm_class=0x44 if header else 0x04, tlvs=(Tlv(Tag.MESSAGE_PAYLOAD, header + CODINGS[coding](text)),)
    )
    found = read(pdu)

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


@pytest.mark.parametrize("esm_class", [0x04, 0x20, 0x24, 0x44, 0x07])
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
