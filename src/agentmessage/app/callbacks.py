"""Where carriers and the registry call us: verify, store raw, turn into hints, answer. Nothing is believed here.

A hint only makes the subject due; the reconciler and the registration jobs then read the truth for themselves. The
path carries the account, the credentials or the signature carry the proof.

What is told of texts is no hint: nobody could be asked again. It is answered when it is kept, so that it is repeated
until it is.
"""

from collections.abc import Mapping, Sequence

import structlog
from prometheus_client import CollectorRegistry, Counter

from agentmessage.app import callback_queries
from agentmessage.app.providers.carriers import CarrierSet
from agentmessage.brands import operations as brands
from agentmessage.campaigns import operations as campaigns
from agentmessage.carriers.bandwidth import BandwidthTextCallbacks
from agentmessage.carriers.callbacks import CallbackProof
from agentmessage.carriers.messaging import Hear
from agentmessage.carriers.protocols import (
    BrandHint,
    Callback,
    CampaignHint,
    ForgedCallback,
    Hint,
    OrderHint,
    OrderKind,
    UnreadableCallback,
)
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.errors import NotFound, PayloadTooLarge
from agentmessage.kernel.ids import new_id
from agentmessage.numbers.binding import carrier_order_queries
from agentmessage.numbers.orders import queries as order_queries
from agentmessage.numbers.orders import rules as order_rules
from agentmessage.outbox.events import enqueue
from agentmessage.outbox.notifications import Ring
from agentmessage.web.request import read_headers
from agentmessage.web.responses import HttpResponse, Receive, Scope, receive_chunk

log = structlog.get_logger("agentmessage.callbacks")

PREFIX = "/callbacks/"
SOURCES = frozenset({"carrier", "registry", "messages"})
KEPT = "kept"
"""The outcome of what the rooms themselves have kept: it needs no second copy."""

MAX_LENGTH_DIGITS = 10
PASSED_OVER_BYTES = 64 * 1024
KEPT_BODY_CHARS = 65_536
CHALLENGE = HttpResponse(401, b"", {"WWW-Authenticate": 'Basic realm="agentmessage"'}, content_type="text/plain")
"""Bandwidth sends credentials only after this challenge (docs/carriers/bandwidth.md, section 6)."""


class Callbacks:
    """Receives `POST /callbacks/{carrier|registry|messages}/{account}`."""

    def __init__(
        self,
        cells: Cells,
        carriers: Mapping[str, CarrierSet],
        *,
        public_url: str,
        ring: Ring,
        hear: Hear,
        registry: CollectorRegistry,
    ) -> None:
        self._cells = cells
        self._carriers = carriers
        self._public_url = public_url
        self._ring = ring
        self._hear = hear
        self._counted = Counter(
            "agentmessage_callbacks",
            "Callbacks from carriers and the registry, by source and outcome.",
            ["source", "outcome"],
            registry=registry,
        )

    async def receive(self, scope: Scope, receive: Receive) -> HttpResponse:
        """Answer one callback: 204 read, 202 authentic but not understood, 401 not authentic."""
        source, _, account = scope["path"].removeprefix(PREFIX).partition("/")
        carrier = self._carriers.get(account)
        if carrier is None or source not in SOURCES or scope["method"] != "POST":
            raise NotFound
        headers = read_headers(scope["headers"])
        reader = _reader(carrier, source)
        try:
            reader.admit(headers)
            body = await _read(scope, receive, reader)
        except ForgedCallback:
            self._counted.labels(source, "forged").inc()
            await pass_over(receive)
            return CHALLENGE
        directory = await self._cells.directory()
        callback = Callback(headers, self._public_url + scope["path"], body, directory.now)
        try:
            outcome = await self._take(carrier, source, account, callback)
        except ForgedCallback:
            self._counted.labels(source, "forged").inc()
            return CHALLENGE
        except UnreadableCallback as error:
            log.warning("callback not parsed", source=source, account=account, reason=str(error))
            outcome = "unreadable"
        self._counted.labels(source, outcome).inc()
        if outcome != KEPT:
            text = body.decode("utf-8", "replace").replace("\x00", "")[:KEPT_BODY_CHARS]
            await callback_queries.insert_callback(
                directory, new_id(), source=source, account=account, body=text, outcome=outcome
            )
        return HttpResponse(202, b"{}") if outcome == "unreadable" else HttpResponse(204, b"")

    async def _take(self, carrier: CarrierSet, source: str, account: str, callback: Callback) -> str:
        """What became of a callback. Raises ForgedCallback, UnreadableCallback."""
        match source:
            case "messages":
                return await self._take_texts(carrier.text_callbacks, account, callback)
            case "carrier":
                hints = carrier.carrier_callbacks.read(callback)
            case _:
                hints = carrier.registry_callbacks.read(callback)
        return "read" if await self._tell(account, hints) else "unknown_subject"

    async def _take_texts(self, reader: BandwidthTextCallbacks, account: str, callback: Callback) -> str:
        """Returns when what was told is kept; raises what the database raises, and then the carrier tells it again."""
        told = reader.read(callback)
        if told.heard:
            await self._hear(account, told.heard)
        return "unreadable" if told.odd else KEPT

    async def _tell(self, account: str, hints: Sequence[Hint]) -> bool:
        """Make the subjects due, in whichever cell has them; False when no cell knows one."""
        known = False
        for name in await self._cells.names():
            cell = await self._cells.cell(name)
            for hint in hints:
                if await _make_due(cell, account, hint):
                    self._ring(name, _bell(hint))
                    known = True
        return known


def _bell(hint: Hint) -> str:
    """Who is to look: the reconciler for line options, the jobs for everything else."""
    is_line = isinstance(hint, OrderHint) and hint.kind is OrderKind.LINE_OPTIONS
    return "numbers" if is_line else "jobs"


async def _make_due(cell: CellDb, account: str, hint: Hint) -> bool:
    match hint:
        case OrderHint():
            return await hint_order(cell, account=account, hint=hint)
        case BrandHint(tcr_brand_id):
            return await brands.hint(cell, tcr_brand_id)
        case CampaignHint(tcr_campaign_id):
            return await campaigns.hint(cell, tcr_campaign_id)


def _reader(carrier: CarrierSet, source: str) -> CallbackProof:
    match source:
        case "messages":
            return carrier.text_callbacks
        case "carrier":
            return carrier.carrier_callbacks
        case _:
            return carrier.registry_callbacks


async def _read(scope: Scope, receive: Receive, reader: CallbackProof) -> bytes:
    """The body. One that is too long to be checked is not authentic. Raises ForgedCallback, PayloadTooLarge."""
    try:
        return await read_body(scope, receive, most=reader.max_body_bytes)
    except PayloadTooLarge as error:
        if reader.is_proven_by_headers:
            raise
        raise ForgedCallback("longer than any event") from error


async def read_body(scope: Scope, receive: Receive, *, most: int) -> bytes:
    """The body of a callback. Raises PayloadTooLarge, at once where its length is declared; InvalidInput."""
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    if declared.isdigit() and (len(declared) > MAX_LENGTH_DIGITS or int(declared) > most):
        raise PayloadTooLarge
    body = bytearray()
    while True:
        message = await receive_chunk(receive)
        body += message.get("body", b"")
        if len(body) > most:
            raise PayloadTooLarge
        if not message.get("more_body"):
            return bytes(body)


async def pass_over(receive: Receive) -> None:
    """Let a short body go by unread, so that its sender hears the refusal and can ask again on the same connection."""
    passed = 0
    while passed <= PASSED_OVER_BYTES:
        message = await receive()
        passed += len(message.get("body", b""))
        if not message.get("more_body"):
            return


async def hint_order(cell: CellDb, *, account: str, hint: OrderHint) -> bool:
    """Make the order that a callback is about due. False: this cell has no such order."""
    match hint.kind:
        case OrderKind.LINE_OPTIONS:
            return await carrier_order_queries.make_order_due(cell, account, hint.carrier_order_id, hint.order_key)
        case OrderKind.PURCHASE | OrderKind.DISCONNECTION:
            return await hint_number_order(cell, account=account, hint=hint)


async def hint_number_order(cell: CellDb, *, account: str, hint: OrderHint) -> bool:
    """Bring the job of a purchase or a disconnection forward. False: this cell has no such open order."""
    found = await order_queries.find_orders_hinted(cell, account, hint.carrier_order_id, hint.order_key)
    for kind, org_id, order_id in found:
        arguments = order_rules.job_arguments(org_id, order_id)
        await enqueue(cell, order_rules.job_of(kind), str(order_id), arguments)
    return bool(found)
