"""Where carriers and the registry call us: verify, store raw, turn into hints, answer. Nothing is believed here.

A hint only makes the subject due; the reconciler and the registration jobs then read the truth for themselves. The
path carries the account, the credentials or the signature carry the proof.
"""

from collections.abc import Mapping, Sequence

import structlog
from prometheus_client import CollectorRegistry, Counter

from agentmessage.app import queries
from agentmessage.app.carriers import CarrierSet
from agentmessage.brands import operations as brands
from agentmessage.campaigns import operations as campaigns
from agentmessage.carriers.port import (
    BrandHint,
    Callback,
    CallbackReader,
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
from agentmessage.numbers import operations as numbers
from agentmessage.outbox.bells import Ring
from agentmessage.web.responses import Receive, Reply, Scope

log = structlog.get_logger("agentmessage.callbacks")

PREFIX = "/callbacks/"
MAX_BODY_BYTES = 1024 * 1024
KEPT_BODY_CHARS = 65_536
CHALLENGE = Reply(401, b"", {"WWW-Authenticate": 'Basic realm="agentmessage"'}, content_type="text/plain")
"""Bandwidth sends credentials only after this challenge (docs/carriers/bandwidth.md, section 6)."""


class Callbacks:
    """Receives `POST /callbacks/{carrier|registry}/{account}`."""

    def __init__(
        self,
        cells: Cells,
        carriers: Mapping[str, CarrierSet],
        *,
        public_url: str,
        ring: Ring,
        registry: CollectorRegistry,
    ) -> None:
        self._cells = cells
        self._carriers = carriers
        self._public_url = public_url
        self._ring = ring
        self._counted = Counter(
            "agentmessage_callbacks", "Callbacks received.", ["source", "outcome"], registry=registry
        )

    async def receive(self, scope: Scope, receive: Receive) -> Reply:
        """Answer one callback: 204 read, 202 authentic but not understood, 401 not authentic."""
        source, _, account = scope["path"].removeprefix(PREFIX).partition("/")
        reader = self._reader(source, account)
        if reader is None or scope["method"] != "POST":
            raise NotFound
        directory = await self._cells.directory()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = await _body(receive)
        callback = Callback(headers, self._public_url + scope["path"], body, directory.now)
        text = body.decode("utf-8", "replace").replace("\x00", "")[:KEPT_BODY_CHARS]
        try:
            hints = reader.read(callback)
        except ForgedCallback:
            self._counted.labels(source, "forged").inc()
            return CHALLENGE
        except UnreadableCallback as error:
            self._counted.labels(source, "unreadable").inc()
            log.warning("callback not understood", source=source, account=account, reason=str(error))
            await queries.insert_callback(
                directory, new_id(), source=source, account=account, body=text, outcome="unreadable"
            )
            return Reply(202, b"{}")
        is_known = await self._tell(account, hints)
        outcome = "read" if is_known else "unknown_subject"
        self._counted.labels(source, outcome).inc()
        await queries.insert_callback(directory, new_id(), source=source, account=account, body=text, outcome=outcome)
        return Reply(204, b"")

    def _reader(self, source: str, account: str) -> CallbackReader | None:
        carrier = self._carriers.get(account)
        if carrier is None:
            return None
        return {"carrier": carrier.carrier_callbacks, "registry": carrier.registry_callbacks}.get(source)

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
            return await numbers.hint_order(cell, account=account, hint=hint)
        case BrandHint(tcr_brand_id):
            return await brands.hint(cell, tcr_brand_id)
        case CampaignHint(tcr_campaign_id):
            return await campaigns.hint(cell, tcr_campaign_id)


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise PayloadTooLarge
        if not message.get("more_body"):
            return body
