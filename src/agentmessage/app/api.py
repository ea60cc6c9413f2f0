"""The ASGI application: health, the contract, callbacks, media, and the API behind the edge."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping

import structlog
from prometheus_client import CollectorRegistry

from agentmessage.app.area_codes import use_area_codes
from agentmessage.app.callbacks import PREFIX as CALLBACKS
from agentmessage.app.callbacks import Callbacks
from agentmessage.app.carrier_events import Hearing
from agentmessage.app.docs_pages import Reference
from agentmessage.app.guide import PREFIX as GUIDE
from agentmessage.app.guide import Guide
from agentmessage.app.monitoring import health
from agentmessage.app.monitoring.counters import TextCounts
from agentmessage.app.monitoring.health import Health
from agentmessage.app.payment_callbacks import PATH as PAYMENT_NOTICES
from agentmessage.app.payment_callbacks import PaymentNotices
from agentmessage.app.providers.carriers import CarrierSet, carrier_sets
from agentmessage.app.providers.media import media_links, media_store
from agentmessage.app.providers.message_carriers import layouts
from agentmessage.app.providers.payments import close_providers, notice_reader, payment_providers
from agentmessage.app.routes import Services, bound_routes
from agentmessage.campaigns.page_checks import PageChecker
from agentmessage.carriers.http import AiohttpTransport
from agentmessage.events.stream import MAX_STREAMS_PER_KEY, MAX_STREAMS_PER_ORGANIZATION
from agentmessage.events.tails import Tails
from agentmessage.inbound.long_poll import Waits
from agentmessage.kernel.clock import Clock
from agentmessage.kernel.db import DATABASE_UNAVAILABLE, Cells
from agentmessage.kernel.encryption import parse_keys
from agentmessage.kernel.errors import ApiError, Internal, MethodNotAllowed, Unavailable
from agentmessage.kernel.ids import new_ulid
from agentmessage.kernel.names import Names
from agentmessage.kernel.release import commit
from agentmessage.kernel.tasks import require_not_cancelled
from agentmessage.media.endpoints import MediaPages
from agentmessage.media.model import PREFIX as MEDIA
from agentmessage.messages.routes import AdmissionRegistry
from agentmessage.optin import tokens
from agentmessage.optin.hosted_form import PREFIX as CONSENT_FORMS
from agentmessage.optin.hosted_form import ConsentPage
from agentmessage.outbox.notifications import Bells, Ringer
from agentmessage.settings import Settings
from agentmessage.web import queries as web_queries
from agentmessage.web.asgi import ApiApp
from agentmessage.web.auth_failure_limits import AuthFailureLimits
from agentmessage.web.authentication import Authenticator
from agentmessage.web.cors import Cors
from agentmessage.web.metrics import RequestMetrics
from agentmessage.web.open_requests import OpenRequests
from agentmessage.web.responses import HttpResponse, Receive, Scope, Send, error_response, send_response
from agentmessage.web.router import Router
from agentmessage.webhooks.http_sender import Sender

log = structlog.get_logger("agentmessage.web")

TOUCH_EVERY_S = 5.0


class Api:
    """One API process. `async with Api(...)` runs its background tasks; calling it answers a request."""

    def __init__(
        self,
        settings: Settings,
        *,
        cells: Cells | None = None,
        clock: Clock | None = None,
        carriers: Mapping[str, CarrierSet] | None = None,
    ) -> None:
        use_area_codes(settings)
        self.cells = cells or Cells(
            settings.database_url,
            pool_size=settings.api_pool_size,
            clock=clock,
            statement_s=settings.statement_timeout_seconds,
        )
        self.registry = CollectorRegistry()
        self.bells = Bells(self.cells)
        self._authenticator = Authenticator(self.cells, time.monotonic)
        self._ringer = Ringer(self.cells)
        self._health = Health(self.cells, self.registry)
        self._transport = AiohttpTransport()
        self.carriers = carriers = carriers or carrier_sets(settings, self._transport, clock=self.cells.clock)
        public_url = settings.public_url or f"http://{settings.host}:{settings.port}"
        self._media_store = media_store(settings)
        self._payments = payment_providers(settings)
        self._names = Names()
        self._webhook_sender = Sender(
            allow_private=settings.webhook_allow_private, names=self._names, clock=self.cells.clock
        )
        self._beside = self._open_beside(settings, carriers, public_url)
        self._admissions = AdmissionRegistry(
            requires_propagation=settings.require_propagation, layouts=layouts(settings)
        )
        self.services = self._services(settings, carriers, public_url)
        self._observer = RequestMetrics(self.registry)
        self._text_counts = TextCounts(self.registry, self._admissions)
        self._reference = Reference(public_url)
        self.api_app = ApiApp(
            router=Router(bound_routes(self.services)),
            cells=self.cells,
            authenticator=self._authenticator,
            clock=clock or self.cells.clock,
            secret_box=self.services.secret_box,
            ring=self._ringer.ring,
            metrics=self._observer,
            auth_failures=AuthFailureLimits(trusted_proxy_count=settings.trusted_proxy_count, monotonic=time.monotonic),
        )
        self._v1 = Cors(self.api_app, settings.cors_origin) if settings.cors_origin else self.api_app
        self._tasks: list[asyncio.Task[None]] = []
        self._is_stopped = False

    def _services(self, settings: Settings, carriers: Mapping[str, CarrierSet], public_url: str) -> Services:
        """What handlers need besides the database."""
        return Services(
            settings=settings,
            authenticator=self._authenticator,
            bells=self.bells,
            carriers=carriers,
            admissions=self._admissions,
            event_streams=OpenRequests(per_key=MAX_STREAMS_PER_KEY, per_organization=MAX_STREAMS_PER_ORGANIZATION),
            form_signer=tokens.signer(settings.encryption_key, life_s=settings.consent_form_link_seconds),
            is_draining=lambda: self.api_app.is_draining,
            layouts=layouts(settings),
            media_links=media_links(settings),
            pages=PageChecker(allow_private=settings.page_check_allow_private, names=self._names),
            payments=self._payments,
            public_url=public_url,
            secret_box=parse_keys(settings.encryption_key),
            tails=Tails(self.bells, lambda: self.api_app.is_draining),
            waits=Waits(),
            webhook_sender=self._webhook_sender,
        )

    def _open_beside(
        self, settings: Settings, carriers: Mapping[str, CarrierSet], public_url: str
    ) -> Mapping[str, Callable[[Scope, Receive], Awaitable[HttpResponse]]]:
        """What is served beside the API without a key, by how its paths begin."""
        hearing = Hearing(
            self.cells,
            ring=self._ringer.ring,
            requires_propagation=settings.require_propagation,
            floor_cents=settings.wallet_floor_cents,
        )
        callbacks = Callbacks(
            self.cells,
            carriers,
            public_url=public_url,
            ring=self._ringer.ring,
            hear=hearing.hear,
            registry=self.registry,
        )
        form_signer = tokens.signer(settings.encryption_key, life_s=settings.consent_form_link_seconds)
        consent_page = ConsentPage(
            self.cells, form_signer, public_url=public_url, trusted_proxy_count=settings.trusted_proxy_count
        )
        media = MediaPages(self.cells, self._media_store, media_links(settings))
        payment_notices = PaymentNotices(self.cells, notice_reader(settings), self.registry)
        return {
            PAYMENT_NOTICES: payment_notices.receive,
            CALLBACKS: callbacks.receive,
            MEDIA: media.answer,
            CONSENT_FORMS: consent_page.answer,
            GUIDE: Guide().answer,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI event."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            path: str = scope["path"]
            if path.startswith("/v1/"):
                await self._v1(scope, receive, send)
            else:
                await self._outside(path, scope, receive, send)

    async def _outside(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """What is not the API: health, metrics, the contract, callbacks, media."""
        is_head = scope["method"] == "HEAD"
        request_id = new_ulid()
        try:
            reply = await self._page(path, scope, receive)
        except ApiError as error:
            reply = error_response(error, request_id)
        except DATABASE_UNAVAILABLE:
            reply = error_response(Unavailable(retry_after_s=1), request_id)
        except Exception:
            log.exception("request failed", request_id=request_id, method=scope["method"], path=path)
            reply = error_response(Internal(), request_id)
        if reply is None:
            await self.api_app(scope, receive, send)
            return
        await send_response(send, reply, request_id, head_only=is_head)

    async def _page(self, path: str, scope: Scope, receive: Receive) -> HttpResponse | None:
        for prefix, answer in self._beside.items():
            if path.startswith(prefix):
                return await answer(scope, receive)
        if path not in PAGES and not path.startswith("/docs"):
            return None
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed("GET, HEAD")
        match path:
            case "/healthz":
                return health.alive()
            case "/readyz":
                return await self._health.ready()
            case "/metrics":
                self._observer.flush()
                self._text_counts.flush()
                return await health.metrics(self.registry, self.cells)
            case _:
                return self._reference.page(path, scope["headers"], scope["query_string"])

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def start(self) -> None:
        """Start listening to bells, writing key uses, and looking after the parts that readiness hangs on."""
        await asyncio.to_thread(commit)  # asks git once, in a checkout: no request shall wait for it
        background = (self.bells.listen(), self._touch_keys(), self._health.watch())
        self._tasks = [asyncio.create_task(task) for task in background]

    async def stop(self) -> None:
        """Refuse what is new, end what runs in the background, close the pools. Stopping twice does no harm."""
        if self._is_stopped:
            return
        self._is_stopped = True
        self.api_app.is_draining = True
        self.bells.strike_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._transport.close()
        await self._media_store.close()
        await close_providers(self._payments)
        await self._webhook_sender.close()
        await self._ringer.close()
        await self._health.close()
        await self.cells.close()

    async def _touch_keys(self) -> None:
        while True:
            require_not_cancelled()
            await asyncio.sleep(TOUCH_EVERY_S)
            for cell, uses in self._authenticator.drain_last_used().items():
                with contextlib.suppress(*DATABASE_UNAVAILABLE):
                    db = await self.cells.cell(cell)
                    ids, organizations, moments = zip(*uses, strict=True)
                    await web_queries.touch_keys(db, list(ids), list(organizations), list(moments))


PAGES = frozenset({"/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/llms.txt"})
