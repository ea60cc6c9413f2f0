"""The carrier's lookup of what kind of line a number is: told from the number alone, so that every world agrees.

The last four digits decide (docs/reference/simulator.md): 0190 is a fixed line, 0191 internet telephony, 0192 fixed
internet telephony, 0193 a number that nobody knows; every other number is a mobile's.
"""

import re
from uuid import UUID

import msgspec
from msgspec import Struct

from agentmessage.simulator.core.http_types import Reply, json_reply
from agentmessage.simulator.core.routing import Call, Route

MOST = 100
KINDS = {"0190": "FIXED", "0191": "VOIP", "0192": "VOIP-FIXED"}
NOBODYS = "0193"
MOBILE_PROVIDERS = ("T-Mobile USA", "Verizon Wireless", "AT&T Mobility", "US Cellular")
FIXED_PROVIDER = "Pacific Bell"
CANADA = frozenset({"204", "226", "236", "416", "514", "604", "647", "780", "902"})
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")


class _Question(Struct, rename="camel"):
    phone_numbers: list[str]


class LookupRoutes:
    """Answers the synchronous lookup."""

    def routes(self) -> list[Route]:
        """The one operation."""
        return [Route("POST", "/v2/accounts/*/phoneNumberLookup", "lookups.ask", self.ask)]

    def ask(self, call: Call) -> Reply:
        """Everything that is known of up to 100 numbers; those that nobody knows are named as errors."""
        try:
            numbers = msgspec.json.decode(call.request.body, type=_Question).phone_numbers
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _refusal("the body is not the JSON expected")
        if not 0 < len(numbers) <= MOST or not all(_E164.fullmatch(number) for number in numbers):
            return _refusal("phoneNumbers must be 1 to 100 numbers in E.164 format")
        unknown = [number for number in numbers if number.endswith(NOBODYS)]
        results = [_result(number) for number in numbers if number not in unknown]
        status = ("PARTIAL_COMPLETE" if results else "FAILED") if unknown else "COMPLETE"
        asked = call.account.count("lookup")
        request_id = str(UUID(int=int(call.account.id) << 64 | asked))
        data = {"requestId": request_id, "status": status, "results": results}
        return json_reply(200, {"links": [], "data": data, "errors": [_no_match(unknown)] if unknown else []})


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


def _refusal(words: str) -> Reply:
    error = {"code": "VALIDATION", "type": "validation", "description": words}
    return json_reply(400, {"links": [], "data": {}, "errors": [error]})
