"""What a number says of its holder, against the data of libphonenumber."""

import random
import re
import zoneinfo

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import geocoder, timezone

from agentmessage.sms import numbers
from tests.sms.nanpa import IN_SERVICE

NAMES = {
    "Alabama": "AL", "Alaska": "AK", "Arizona": "AZ", "Arkansas": "AR", "California": "CA", "Colorado": "CO",
    "Connecticut": "CT", "Delaware": "DE", "Florida": "FL", "Georgia": "GA", "Hawaii": "HI", "Idaho": "ID",
    "Illinois": "IL", "Indiana": "IN", "Iowa": "IA", "Kansas": "KS", "Kentucky": "KY", "Louisiana": "LA", "Maine": "ME",
    "Maryland": "MD", "Massachusetts": "MA", "Michigan": "MI", "Minnesota": "MN", "Mississippi": "MS", "Missouri": "MO",
    "Montana": "MT", "Nebraska": "NE", "Nevada": "NV", "New Hampshire": "NH", "New Jersey": "NJ", "New Mexico": "NM",
    "New York": "NY", "North Carolina": "NC", "North Dakota": "ND", "Ohio": "OH", "Oklahoma": "OK", "Oregon": "OR",
    "Pennsylvania": "PA", "Rhode Island": "RI", "South Carolina": "SC", "South Dakota": "SD", "Tennessee": "TN",
    "Texas": "TX", "Utah": "UT", "Vermont": "VT", "Virginia": "VA", "Washington State": "WA", "Washington D.C.": "DC",
    "West Virginia": "WV", "Wisconsin": "WI", "Wyoming": "WY", "Puerto Rico": "PR", "Guam": "GU",
    "U.S. Virgin Islands": "VI", "American Samoa": "AS", "Northern Mariana Islands": "MP",
}  # fmt: skip
SEED = 20_261_123


def valid_numbers(count: int) -> list[phonenumbers.PhoneNumber]:
    """As many numbers of the plan as are valid among `count` drawn."""
    dice = random.Random(SEED)
    drawn = (phonenumbers.parse(f"+1{dice.randint(2_012_000_000, 9_899_999_999)}") for _ in range(count))
    return [number for number in drawn if phonenumbers.is_valid_number(number)]


def e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def informative(zones: tuple[str, ...]) -> tuple[str, ...]:
    return () if len(zones) > numbers.VAGUE_ZONES or "Etc/Unknown" in zones else zones


@pytest.mark.parametrize("text", ["+12025550123", "+4479111234", "+123456789012345", "+1234567"])
def test_a_plus_and_seven_to_fifteen_digits_are_e164(text: str) -> None:
    assert numbers.is_e164(text)


@pytest.mark.parametrize(
    "text",
    ["", "+", "12025550123", "+02025550123", "+123456", "+1234567890123456", "+1 202 555 0123", "+1202555012a",
     "+12025550123\n", " +12025550123", "+1\u0662025550123", "tel:+12025550123"],
)  # fmt: skip
def test_anything_else_is_not_e164(text: str) -> None:
    assert not numbers.is_e164(text)


def test_us_numbers_are_in_the_zones_that_libphonenumber_says() -> None:
    american = [number for number in valid_numbers(20_000) if numbers.country(e164(number)) == "US"]

    told = {e164(number): informative(timezone.time_zones_for_number(number)) for number in american}

    assert len(told) > 5_000
    assert {number: numbers.zones(number) for number in told} == told


def test_foreign_numbers_are_in_the_zones_that_libphonenumber_says() -> None:
    examples = [
        number
        for region in phonenumbers.SUPPORTED_REGIONS
        if phonenumbers.country_code_for_region(region) != 1 and (number := phonenumbers.example_number(region))
    ]

    told = {e164(number): informative(timezone.time_zones_for_number(number)) for number in examples}

    assert len(told) > 180
    assert {number: numbers.zones(number) for number in told} == told


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+12025550123", ("America/New_York",)),
        ("+12085550100", ("America/Boise", "America/Los_Angeles")),
        ("+16025550100", ("America/Phoenix",)),
        ("+18085550100", ("Pacific/Honolulu",)),
        ("+16845550100", ("Pacific/Pago_Pago",)),
        ("+18005550100", ()),
        ("+15005550006", ()),
        ("+12", ()),
        ("", ()),
        ("hello", ()),
        ("+999123456789", ()),
        ("+79123456789", ()),
    ],
)
def test_a_number_without_a_place_is_in_no_zone_rather_than_in_all(number: str, zones: tuple[str, ...]) -> None:
    assert numbers.zones(number) == zones


def test_every_zone_is_known_to_zoneinfo() -> None:
    told = {zone for code in range(200, 1000) for zone in numbers.zones(f"+1{code}2345678")}

    assert told
    assert told <= zoneinfo.available_timezones()


def test_the_states_are_those_of_libphonenumber() -> None:
    wrong: dict[str, tuple[str, str | None]] = {}
    for number in valid_numbers(20_000):
        described = geocoder.description_for_number(number, "en", region="US")
        city = re.search(r", ([A-Z]{2})$", described)
        told = city[1] if city else NAMES.get(described)
        if told and numbers.state(e164(number)) != told:
            wrong[e164(number)] = told, numbers.state(e164(number))

    assert wrong == {}


def test_every_area_code_in_service_is_in_its_state() -> None:
    """By NANPA's own report: libphonenumber is years behind some overlays."""
    found = {str(code): numbers.state(f"+1{code}2345678") for code in range(200, 1000)}

    assert {code: state for code, state in found.items() if state} == IN_SERVICE
    assert len(IN_SERVICE) == 378
    assert numbers.AREA_CODES.as_of.isoformat() == "2026-07-01"
    assert "NANPA" in numbers.AREA_CODES.source


def test_every_area_code_in_service_is_in_a_zone() -> None:
    assert [code for code in IN_SERVICE if not numbers.zones(f"+1{code}2345678")] == []


@pytest.mark.parametrize(
    ("code", "state", "zones"),
    [
        ("436", "OH", ("America/New_York",)),
        ("621", "TX", ("America/Chicago",)),
        ("679", "MI", ("America/New_York",)),
        ("729", "TN", ("America/Chicago", "America/New_York")),  # it may be anywhere in the area of 423
        ("837", "CA", ("America/Los_Angeles",)),
    ],
)
def test_a_new_overlay_is_where_the_code_is_whose_area_it_shares(code: str, state: str, zones: tuple[str, ...]) -> None:
    assert (numbers.state(f"+1{code}5550143"), numbers.zones(f"+1{code}5550143")) == (state, zones)


def test_the_operator_adds_what_is_newer_than_the_table() -> None:
    assert numbers.state("+12355550143") == "MO"
    assert numbers.state("+16855550143") is None
    try:
        numbers.use_overlays({"685": "436", "687": "423"})

        assert (numbers.state("+16855550143"), numbers.zones("+16855550143")) == ("OH", ("America/New_York",))
        assert numbers.zones("+16875550143") == ("America/Chicago", "America/New_York")
        with pytest.raises(ValueError, match="299"):
            numbers.use_overlays({"685": "299"})
    finally:
        numbers.use_overlays({})
    assert numbers.state("+16855550143") is None


def test_fifty_states_the_capital_and_five_territories_have_area_codes() -> None:
    found = {numbers.state(f"+1{code}2345678") for code in range(200, 1000)} - {None}

    assert found == set(NAMES.values())


@pytest.mark.parametrize(
    "number", ["+18005550100", "+14165550100", "+18765550100", "+442079460000", "+1202555012", "x"]
)
def test_a_number_of_no_us_area_code_has_no_state(number: str) -> None:
    assert numbers.state(number) is None


@pytest.mark.parametrize(
    ("number", "country"),
    [("+12025550123", "US"), ("+14165550100", "CA"), ("+17872345678", "PR"), ("+442079460000", "GB"), ("x", None)],
)
def test_a_number_belongs_to_a_country(number: str, country: str | None) -> None:
    assert numbers.country(number) == country


@pytest.mark.parametrize(
    ("number", "is_fictional"),
    [
        ("+12025550100", True),
        ("+19895550199", True),
        ("+12025550200", False),
        ("+12025550099", False),
        ("+12025551234", False),
        ("+442025550100", False),
        ("+1202555010", False),
        ("+11025550100", False),
    ],
)
def test_only_555_01xx_is_fictional(number: str, is_fictional: bool) -> None:  # noqa: FBT001 - a column of the table
    assert numbers.is_fictional(number) is is_fictional


@given(st.text(max_size=20))
def test_any_text_is_looked_up_without_harm(text: str) -> None:
    assert numbers.area_code(text) is None or numbers.is_e164(text)
    assert isinstance(numbers.zones(text), tuple)
    assert numbers.state(text) is None or numbers.area_code(text)
