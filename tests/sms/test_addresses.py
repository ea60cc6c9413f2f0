"""An address names whom it names, or nobody: never another country's subscriber."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.sms import gsm
from agentmessage.sms.addresses import read

OURS = "+14155550123"


@pytest.mark.parametrize(
    ("address", "ton", "npi", "number"),
    [
        # national
        ("3235550143", 2, 1, "+13235550143"),
        ("13235550143", 2, 1, "+13235550143"),
        ("3235550143", 2, 0, "+13235550143"),
        ("+3235550143", 2, 1, "+13235550143"),
        ("(323) 555-0143", 2, 1, "+13235550143"),
        ("3235550143", 0, 8, "+13235550143"),
        # unknown
        ("3235550143", 0, 0, "+13235550143"),
        ("3235550143", 0, 1, "+13235550143"),
        ("13235550143", 0, 1, "+13235550143"),
        ("+13235550143", 0, 1, "+13235550143"),
        ("323-555-0143", 0, 0, "+13235550143"),
        (" 3235550143", 0, 0, "+13235550143"),
        ("3235550143", 3, 0, "+13235550143"),
        ("3235550143", 4, 1, "+13235550143"),
        ("3235550143", 6, 0, "+13235550143"),
        ("3235550143", 7, 1, "+13235550143"),
        ("0013235550143", 0, 1, "+13235550143"),
        ("01113235550143", 0, 1, "+13235550143"),
        ("011447911123456", 0, 1, "+447911123456"),
        ("00447911123456", 0, 1, "+447911123456"),
        ("447911123456", 0, 1, "+447911123456"),
        ("+3235550143", 0, 1, "+3235550143"),  # a plus is believed
        # international
        ("13235550143", 1, 1, "+13235550143"),
        ("+13235550143", 1, 1, "+13235550143"),
        ("3235550143", 1, 1, "+13235550143"),  # in Belgium it would be a landline
        ("+3235550143", 1, 1, "+3235550143"),
        ("32470123456", 1, 1, "+32470123456"),
        ("6591234567", 1, 1, "+6591234567"),
        ("4522345678", 1, 1, "+4522345678"),  # ten digits, a Danish mobile
        ("447911123456", 1, 1, "+447911123456"),
        ("00447911123456", 1, 1, "+447911123456"),
        ("011447911123456", 1, 1, "+447911123456"),
        ("14365550143", 1, 1, "+14365550143"),  # newer than any table
        # short codes and names
        ("72345", 3, 0, "72345"),
        ("72345", 0, 1, "72345"),
        ("72345", 1, 1, "72345"),
        ("72345", 2, 1, "72345"),
        ("611611", 6, 0, "611611"),
        ("Support", 5, 0, "Support"),
        ("3235550143", 5, 0, "3235550143"),
        ("Caf\u00e9 24", 5, 0, "Caf\u00e9 24"),
        ("tel:+13235550143", 0, 0, "+13235550143"),
        ("+13235550143/TYPE=PLMN", 0, 0, "+13235550143"),
        ("3235550143;phone-context=+1", 0, 0, "+13235550143"),
        # what cannot be read
        ("5550143", 0, 1, "5550143"),
        ("1323555014", 0, 1, "1323555014"),
        ("1323555014", 1, 1, "1323555014"),
        ("6591234567", 0, 1, "6591234567"),
        ("6591234567", 2, 1, "6591234567"),
        ("0235550143", 2, 1, "0235550143"),
        ("99999999999", 0, 1, "99999999999"),
        ("310260123456789", 0, 6, "310260123456789"),
        ("13235550143", 1, 14, "13235550143"),
        ("1234567890123456", 1, 1, "1234567890123456"),
        ("", 0, 0, ""),
        ("+", 1, 1, "+"),
        ("323555O143", 2, 1, "323555O143"),
    ],
)
def test_an_address_that_texts_a_us_number(address: str, ton: int, npi: int, number: str) -> None:
    assert read(address, ton=ton, npi=npi, texted=OURS) == number


@pytest.mark.parametrize("texted", ["+14155550123", "+18005550123", "+17875550123", "72345", "3235550199", ""])
def test_ten_digits_are_at_home_whichever_of_ours_was_texted(texted: str) -> None:
    """A short code and a number that cannot be read are of the North American plan, as all that we lease."""
    assert read("3235550143", texted=texted) == "+13235550143"


@pytest.mark.parametrize(
    ("address", "ton", "number"),
    [
        ("07911123456", 0, "+447911123456"),
        ("7911123456", 2, "+447911123456"),
        ("447911123456", 0, "+447911123456"),
        ("00447911123456", 0, "+447911123456"),
        ("3235550143", 0, "3235550143"),
        ("13235550143", 1, "+13235550143"),
    ],
)
def test_a_national_number_belongs_to_the_plan_of_the_number_that_was_texted(
    address: str, ton: int, number: str
) -> None:
    assert read(address, ton=ton, npi=1, texted="+447400123456") == number


@given(
    st.text("0123456789", min_size=1, max_size=20),
    st.integers(0, 255).filter(lambda ton: ton != 1),
    st.integers(0, 255),
)
def test_no_unmarked_address_becomes_another_countrys_number(digits: str, ton: int, npi: int) -> None:
    """Ten digits or fewer are at home or nobody's; more are abroad only behind a prefix, or where they are a number."""
    found = read(digits, ton=ton, npi=npi, texted=OURS)

    if not found.startswith("+"):
        assert found == digits
    elif found.startswith("+1"):
        assert found[2:] == digits[-10:]
    else:
        assert digits.removeprefix("011").removeprefix("00") == found[1:]
        assert len(digits) > 10
        assert phonenumbers.is_valid_number(phonenumbers.parse(found))


@given(st.text(max_size=21), st.integers(0, 255), st.integers(0, 255), st.text("+0123456789", max_size=16))
def test_any_address_is_read(address: str, ton: int, npi: int, texted: str) -> None:
    found = read(address, ton=ton, npi=npi, texted=texted)

    assert bool(found) == bool(address)


@pytest.mark.parametrize("name", ["ACME", "Support", "InfoSMS 24", "A&B", "Caf\u00e9 Uno", "12345"])
def test_a_name_is_read_packed_or_not(name: str) -> None:
    """Support has seven letters: the seven bits left over are no eighth."""
    unpacked = gsm.encode_unpacked(name)

    for octets in (name.encode("latin-1"), unpacked, gsm.pack(unpacked)):
        if 0 not in octets:  # which would end the field on the wire
            assert read(octets.decode("latin-1"), ton=5) == name
