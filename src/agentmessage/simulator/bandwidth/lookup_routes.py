"""The carrier's lookup of line types: a function of the number, so that every world agrees.

The last four digits decide (docs/reference/simulator.md): 0190 is a fixed line, 0191 internet telephony, 0192 fixed
internet telephony, 0193 an unknown number; every other number is a mobile.
"""

import re
from uuid import UUID

import msgspec
from msgspec import Struct

from agentmessage.simulator.core.http_types import HttpResponse, json_response
from agentmessage.simulator.core.routing import ApiCall, VendorRoute

MAX_NUMBERS = 100
KINDS = {"0190": "FIXED", "0191": "VOIP", "0192": "VOIP-FIXED"}
UNKNOWN_SUFFIX = "0193"
MOBILE_PROVIDERS = ("T-Mobile USA", "Verizon Wireless", "AT&T Mobility", "US Cellular")
FIXED_PROVIDER = "Pacific Bell"
CANADA = frozenset({"204", "226", "236", "416", "514", "604", "647", "780", "902"})
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")


class _LookupRequest(Struct, rename="camel"):
    phone_numbers: list[str]


class LookupRoutes:
    """HTTP for the synchronous lookup."""

    def routes(self) -> list[VendorRoute]:
        """The only operation."""
        return [VendorRoute("POST", "/v2/accounts/*/phoneNumberLookup", "lookups.create", self.look_up)]

    def look_up(self, call: ApiCall) -> HttpResponse:
        """The line types of up to 100 numbers; unknown numbers are listed as errors."""
        try:
            numbers = msgspec.json.decode(call.request.body, type=_LookupRequest).phone_numbers
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _invalid("the body is not the JSON expected")
        if not 0 < len(numbers) <= MAX_NUMBERS or not all(_E164.fullmatch(number) for number in numbers):
            return _invalid("phoneNumbers must be 1 to 100 numbers in E.164 format")
        unknown = [number for number in numbers if number.endswith(UNKNOWN_SUFFIX)]
        results = [_result(number) for number in numbers if number not in unknown]
        status = ("PARTIAL_COMPLETE" if results else "FAILED") if unknown else "COMPLETE"
        serial = call.account.count("lookup")
        request_id = str(UUID(int=int(call.account.id) << 64 | serial))
        data = {"requestId": request_id, "status": status, "results": results}
        return json_response(200, {"links": [], "data": data, "errors": [_no_match(unknown)] if unknown else []})


def _result(number: str) -> dict[str, str]:
    kind = KINDS.get(number[-4:], "MOBILE")
    provider = FIXED_PROVIDER if kind != "MOBILE" else MOBILE_PROVIDERS[int(number[-1]) % len(MOBILE_PROVIDERS)]
    return {
        "phoneNumber": number,
        "lineType": kind,
        "messagingProvider": provider,
        "voiceProvider": provider,
        "countryCodeA3": "CAN" if number[2:5] in CANADA else "USA",
    }


def _no_match(numbers: list[str]) -> dict[str, object]:
    return {
        "code": "NO-MATCH",
        "type": "NumberInventory",
        "description": "The following TNs could not be found in the Number Industry data",
        "meta": {"phoneNumbers": numbers, "message": "Invalid TNs", "code": 1001},
    }


def _invalid(description: str) -> HttpResponse:
    error = {"code": "VALIDATION", "type": "validation", "description": description}
    return json_response(400, {"links": [], "data": {}, "errors": [error]})
