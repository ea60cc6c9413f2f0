"""What kind of line a number is, by Bandwidth's Phone Number Lookup (its OpenAPI document, `createSyncLookup`).

The route lives on the platform's host under `/v2`, beside the JSON routes under `/api/v2`.
"""

import msgspec
from msgspec import Struct

from agentmessage.carriers.bandwidth.account import BandwidthAccount
from agentmessage.carriers.bandwidth.client import BandwidthClient
from agentmessage.carriers.bandwidth.codes import Operation
from agentmessage.carriers.http import HttpTransport
from agentmessage.carriers.http_request import Misunderstood, decode_json
from agentmessage.carriers.lookups import LineFacts, LineType, Unlisted
from agentmessage.carriers.protocols import E164, Answer

LINE_TYPES = {
    "MOBILE": LineType.MOBILE,
    "FIXED": LineType.FIXED,
    "VOIP": LineType.VOIP,
    "VOIP-FIXED": LineType.FIXED_VOIP,
}
"""`lineTypeEnum` of the vendor's document."""

MAX_WORDS = 500


class _Result(Struct, rename="camel"):
    phone_number: str
    line_type: str = ""
    messaging_provider: str | None = None
    voice_provider: str | None = None
    country_code_a3: str | None = None


class _Data(Struct):
    results: list[_Result] = []


class _Error(Struct):
    code: str = ""
    description: str = ""


class _Answer(Struct):
    data: _Data | None = None
    errors: list[_Error] = []


class BandwidthLookups:
    """LineTypeSource over the synchronous lookup of one number."""

    def __init__(self, account: BandwidthAccount, transport: HttpTransport) -> None:
        self._client = BandwidthClient(account, transport)

    async def look_up(self, number: E164) -> Answer[LineFacts | Unlisted]:
        """Ask about one number now."""
        return await self._client.ask_json(
            "/phoneNumberLookup",
            msgspec.json.encode({"phoneNumbers": [number]}),
            lambda body: read_lookup(body, number),
            operation=Operation.LOOK_UP,
        )


def read_lookup(body: bytes, number: E164) -> LineFacts | Unlisted:
    """What an answer says of the number that was asked for. Raises Misunderstood."""
    answer = decode_json(body, _Answer)
    results = answer.data.results if answer.data else []
    found = next((result for result in results if result.phone_number == number), None)
    if found is not None:
        if found.line_type not in LINE_TYPES:
            raise Misunderstood(f"line type {found.line_type!r}")
        return LineFacts(
            LINE_TYPES[found.line_type], found.messaging_provider, found.voice_provider, found.country_code_a3
        )
    if not answer.errors:
        raise Misunderstood("neither a result nor an error")
    return Unlisted(answer.errors[0].code[:40], answer.errors[0].description[:MAX_WORDS])
