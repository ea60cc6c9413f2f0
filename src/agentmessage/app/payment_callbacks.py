"""Callbacks of the payment provider: `POST /callbacks/stripe`."""

import structlog
from prometheus_client import CollectorRegistry, Counter

from agentmessage.app.callbacks import pass_over, read_body
from agentmessage.billing.payments import provider_events
from agentmessage.billing.payments.provider import NoticeReader
from agentmessage.carriers.protocols import ForgedCallback, Unknown, UnreadableCallback
from agentmessage.kernel.db import Cells
from agentmessage.kernel.errors import NotFound
from agentmessage.outbox.unparsed_responses import store_if_unparsed
from agentmessage.web.request import read_headers
from agentmessage.web.responses import HttpResponse, Receive, Scope

log = structlog.get_logger("agentmessage.payments")


PATH = "/callbacks/stripe"


MAX_BODY_BYTES = 1024 * 1024


MAX_SIGNATURE_CHARS = 2048


FORGED = HttpResponse(400, b"", content_type="text/plain")


HEARD = HttpResponse(200, b"{}")


class PaymentNotices:
    """Receives what the card processor tells. Answered 200 when it is applied and committed, or never will be."""

    def __init__(self, cells: Cells, reader: NoticeReader | None, registry: CollectorRegistry) -> None:
        self._cells = cells
        self._reader = reader
        self._counted = Counter(
            "agentmessage_payment_events",
            "Events received from the payment provider, by outcome.",
            ["outcome"],
            registry=registry,
        )

    async def receive(self, scope: Scope, receive: Receive) -> HttpResponse:
        """Answer one notice: 200 heard, 400 not authentic. Raises NotFound, PayloadTooLarge."""
        if self._reader is None or scope["path"] != PATH or scope["method"] != "POST":
            raise NotFound
        signature = read_headers(scope["headers"]).get("stripe-signature", "")
        if not 0 < len(signature) <= MAX_SIGNATURE_CHARS:
            self._counted.labels("forged").inc()
            await pass_over(receive)
            return FORGED
        body = await read_body(scope, receive, most=MAX_BODY_BYTES)
        outcome = await self._take(self._reader, body, signature)
        self._counted.labels(outcome).inc()
        return FORGED if outcome == "forged" else HEARD

    async def _take(self, reader: NoticeReader, body: bytes, signature: str) -> str:
        try:
            return await provider_events.take(self._cells, reader.read(body, signature))
        except ForgedCallback:
            return "forged"
        except (UnreadableCallback, provider_events.UnrecognizedEvent) as error:
            log.warning("payment event not recognized", reason=str(error))
            odd = Unknown(str(error), body.decode("utf-8", "replace"))
            await store_if_unparsed(await self._cells.directory(), odd, account="live", operation="payments.notice")
            return "unrecognized"
