"""The ASGI application in front of every route: who asks, may they, is it well formed; handler; envelope.

The order of checks is the contract's: 401, 403, path 400, body and query 422, the room's own.
"""

import contextlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import structlog
from msgspec import Struct

from agentmessage.kernel.clock import Clock
from agentmessage.kernel.db import DATABASE_UNAVAILABLE, Cells, Executor
from agentmessage.kernel.encryption import SecretBox
from agentmessage.kernel.errors import (
    ApiError,
    Forbidden,
    Internal,
    InvalidInput,
    MalformedPathId,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    Unavailable,
    UnsupportedMediaType,
    ValidationFailed,
)
from agentmessage.kernel.ids import new_ulid
from agentmessage.kernel.tenant import Tenant
from agentmessage.web import idempotency
from agentmessage.web.auth_failure_limits import AuthFailureLimits
from agentmessage.web.authentication import AuthenticatedKey, Authenticator
from agentmessage.web.fair_share import LARGE_BYTES, FairShare
from agentmessage.web.metrics import RequestMetrics
from agentmessage.web.negotiation import essence, require_plain
from agentmessage.web.request import Call, RawHeaders
from agentmessage.web.responses import (
    JSON,
    HttpResponse,
    Receive,
    Scope,
    Send,
    error_response,
    receive_chunk,
    send_response,
    success_response,
)
from agentmessage.web.route import BoundRoute, NoInput, Route
from agentmessage.web.router import Router, allowed_methods
from agentmessage.web.streams import LineStream, Stream
from agentmessage.web.validation import UNKNOWN_FIELD, read_body, read_query

log = structlog.get_logger("agentmessage.web")

MAX_QUERY_BYTES = 8 * 1024
UUID_LENGTH = 36
NO_INPUT = NoInput()
JSON_BYTES = JSON.encode()


class AuthorizedRequest(Struct, frozen=True):
    """A request whose route is found and whose caller may use it."""

    route: BoundRoute
    parameters: Sequence[str]
    raw_headers: RawHeaders
    headers: Mapping[bytes, bytes]
    """By lower-case name; the protocol lets none of those that are read here in twice (app/framing.py)."""
    tenant: Tenant
    path: bytes
    query_string: bytes


class ApiApp:
    """Serves the declared routes. `ring` tells workers of new work; `secret_box` encrypts stored secrets."""

    def __init__(
        self,
        *,
        router: Router,
        cells: Cells,
        authenticator: Authenticator,
        clock: Clock,
        secret_box: SecretBox,
        ring: Callable[[str, str], None],
        metrics: RequestMetrics,
        auth_failures: AuthFailureLimits | None = None,
        fair_share: FairShare | None = None,
    ) -> None:
        self._router = router
        self._cells = cells
        self._authenticator = authenticator
        self._clock = clock
        self._secret_box = secret_box
        self._ring = ring
        self._metrics = metrics
        self._auth_failures = auth_failures or AuthFailureLimits(trusted_proxy_count=0, monotonic=time.monotonic)
        self._fair_share = fair_share or FairShare()
        self.is_draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever happens, the answer is enveloped and carries a request id."""
        request_id = new_ulid()
        began = self._metrics.start()
        method: str = scope["method"]
        result: HttpResponse | Stream
        try:
            result = await self._answer(scope, receive, request_id)
        except ApiError as error:
            result = error_response(error, request_id)
        except DATABASE_UNAVAILABLE as error:
            log.warning("database unavailable", request_id=request_id, error=str(error) or type(error).__name__)
            result = error_response(Unavailable(retry_after_s=1), request_id)
        except Exception:
            log.exception("request failed", request_id=request_id, method=method, path=scope["path"])
            result = error_response(Internal(), request_id)
        if isinstance(result, Stream):
            await result.serve(receive, send, request_id, head_only=method == "HEAD")
            self._metrics.finish(began, method, 200)
            return
        await send_response(send, result, request_id, head_only=method == "HEAD")
        self._metrics.finish(began, method, result.status)

    async def _answer(self, scope: Scope, receive: Receive, request_id: str) -> HttpResponse | Stream:
        if self.is_draining:
            raise Unavailable(retry_after_s=1)
        route, parameters = self._find(scope["method"], scope["path"])
        raw_headers: RawHeaders = scope["headers"]
        headers = dict(raw_headers)
        tenant = await self._authorize(route, scope, headers.get(b"authorization"), request_id)
        query_string: bytes = scope["query_string"]
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        incoming = AuthorizedRequest(route, parameters, raw_headers, headers, tenant, path, query_string)
        self._fair_share.require(tenant.org_id)
        performed = self._fair_share.charged(tenant.org_id, self._perform(incoming, receive))
        if not (route.reads_body and _is_large(headers)):
            return await performed
        with self._fair_share.large(tenant.org_id):
            return await performed

    def _find(self, method: str, path: str) -> tuple[BoundRoute, Sequence[str]]:
        found = self._router.find(path)
        if found is None:
            raise NotFound
        routes, parameters = found
        route = routes.get("GET" if method == "HEAD" else method)
        if route is None:
            raise MethodNotAllowed(allowed_methods(routes))
        return route, parameters

    async def _authorize(self, route: Route, scope: Scope, header: bytes | None, request_id: str) -> Tenant:
        known = self._authenticator.get_cached(header)
        if known is None:
            known = await self._look_up(scope, header)
        if route.scope not in known.scopes:
            raise Forbidden
        return _tenant(known, request_id)

    async def _look_up(self, scope: Scope, header: bytes | None) -> AuthenticatedKey:
        """Who asks, of a key that is not fresh in memory. Raises Unauthorized, RateLimited."""
        text = None if header is None else header.decode("latin-1")
        if self._authenticator.has_seen(header):
            return await self._authenticator.authenticate(text, now=self._clock.now())
        try:
            attempt = self._auth_failures.begin(scope, header)
        except RateLimited:
            known = await self._authenticator.authenticate_in_shared_batch(text, now=self._clock.now())
            if known is None:
                raise
            return known
        known = await self._authenticator.authenticate(text, now=self._clock.now())
        attempt.succeed()
        return known

    async def _perform(self, incoming: AuthorizedRequest, receive: Receive) -> HttpResponse | Stream:
        route = incoming.route
        ids, texts = _path_values(incoming) if route.parameters and not route.path_is_last else ((), ())
        body = await _read_all(receive, route.max_body_bytes) if route.reads_body else b""
        parsed, query = _parse(incoming, body)
        claim = None
        if route.method == "POST" and (key := incoming.headers.get(b"idempotency-key")) is not None:
            target = incoming.path + b"?" + incoming.query_string
            claim = idempotency.read_key(key, route.method, target, body, incoming.tenant.key_id)
        call = Call(
            tenant=incoming.tenant,
            db=await self._cells.cell(incoming.tenant.cell),
            cells=self._cells,
            ids=ids,
            body=parsed,
            query=query,
            raw_headers=incoming.raw_headers,
            ring=self._ring,
            claim=claim,
            texts=texts,
            late_ids=(lambda: _path_values(incoming)[0]) if route.path_is_last else None,
        )
        if claim is not None:
            return await self._handle_idempotent(route, call, claim)
        if route.is_long_poll:
            return success_response(
                route, await self._authenticator.watch.run_while_valid(incoming.tenant, route.handle(call))
            )
        result = await route.handle(call)
        if isinstance(result, LineStream):
            result.end_with(self._authenticator.watch, incoming.tenant)
        return result if isinstance(result, Stream) else success_response(route, result)

    async def _handle_idempotent(
        self, route: BoundRoute, call: Call[Any, Any], claim: idempotency.IdempotencyKey
    ) -> HttpResponse:
        """Perform under an Idempotency-Key: the first time for good, afterwards from memory."""
        if route.keeps_answer:
            try:
                return success_response(route, await route.handle(call))
            except idempotency.KeyAlreadyUsed as again:
                return await self._replay(route, call, again.stored)
        stored = await idempotency.find(call.db, call.tenant.org_id, claim)
        if stored is not None:
            return await self._replay(route, call, stored)
        try:
            return await self._handle_first(route, call, claim)
        except idempotency.KeyAlreadyUsed as again:
            return await self._replay(route, call, again.stored)

    async def _handle_first(
        self, route: BoundRoute, call: Call[Any, Any], claim: idempotency.IdempotencyKey
    ) -> HttpResponse:
        if route.waits:
            reply = success_response(route, await route.handle(call))
            await self._keep(call.db, route, call, reply)
            return reply
        async with call.db.transaction() as tx:
            await idempotency.claim(tx, call.tenant.org_id, claim)
            call.hold(tx)
            reply = success_response(route, await route.handle(call))
            await self._keep(tx, route, call, reply)
        return reply

    async def _replay(
        self, route: BoundRoute, call: Call[Any, Any], stored: idempotency.StoredResponse
    ) -> HttpResponse:
        if stored.status is not None:
            headers = {**(stored.headers or {}), "Idempotent-Replayed": "true"}
            body = stored.body or b""
            return HttpResponse(stored.status, self._secret_box.decrypt(body) if route.is_secret else body, headers)
        if route.resume_bound is None:
            raise LookupError(f"{route.name} stored no response under its key")
        reply = success_response(route, await route.resume_bound(call, stored.subject))
        await self._keep(call.db, route, call, reply)
        return reply

    async def _keep(self, db: Executor, route: BoundRoute, call: Call[Any, Any], reply: HttpResponse) -> None:
        """Store an answer under the call's key; one with a secret is encrypted."""
        if call.claim is None:
            return
        body = self._secret_box.encrypt(reply.body) if route.is_secret else reply.body
        await idempotency.store(
            db, call.tenant.org_id, call.claim, status=reply.status, headers=reply.headers, body=body
        )


def _is_large(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the body is announced as large, or its length is not announced."""
    length = headers.get(b"content-length")
    if length is None:
        return b"transfer-encoding" in headers
    return not length.isdigit() or len(length) > len(str(LARGE_BYTES)) or int(length) > LARGE_BYTES


def _tenant(known: AuthenticatedKey, request_id: str) -> Tenant:
    principal = known.principal
    return Tenant(
        principal.org_id,
        principal.cell,
        principal.mode,
        known.actor_kind,
        known.actor_label,
        request_id,
        known.scopes,
        principal.key_id,
    )


def _path_values(incoming: AuthorizedRequest) -> tuple[tuple[UUID, ...], tuple[str, ...]]:
    """The path's UUIDs and what else is in it, each in order."""
    route = incoming.route
    named = list(zip(incoming.parameters, route.parameters, strict=True))
    ids = tuple([_path_id(text, name, route) for text, name in named if name not in route.texts])
    texts = tuple([_path_text(text, name, route) for text, name in named if name in route.texts])
    return ids, texts


def _path_id(text: str, name: str, route: Route) -> UUID:
    if len(text) == UUID_LENGTH:  # the parser would also take 32 digits without dashes
        with contextlib.suppress(msgspec.ValidationError):
            return msgspec.convert(text, UUID)
    match route.path_fault:
        case 404:
            raise NotFound
        case 422:
            raise ValidationFailed({name: "must be a UUID"})
        case _:
            raise MalformedPathId({name: "must be a UUID"})


def _path_text(text: str, name: str, route: Route) -> str:
    declared = route.texts[name]
    if re.fullmatch(declared.pattern, text) is None:
        raise declared.refusal(name)
    return text


def _parse(incoming: AuthorizedRequest, body: bytes) -> tuple[Any, Any]:
    """Body and query as the route declares them; their faults are told together."""
    route = incoming.route
    faults: dict[str, str] = {}
    more = 0
    query: Any = NO_INPUT
    parsed: Any = NO_INPUT
    if route.query is not NoInput or (incoming.query_string and route.refuses_unknown_query):
        try:
            query = _parse_query(route, incoming.query_string)
        except ValidationFailed as error:
            faults.update(error.faults)
            more += error.more
    if route.takes_body:
        try:
            parsed = _parse_body(route, incoming.headers, body)
        except ValidationFailed as error:
            faults.update(error.faults)
            more += error.more
    if faults:
        raise ValidationFailed(faults, more=more)
    return parsed, query


def _parse_query(route: Route, query_string: bytes) -> Any:
    if len(query_string) > MAX_QUERY_BYTES:
        raise ValidationFailed({"query": f"must be at most {MAX_QUERY_BYTES} bytes"})
    return read_query(route.query, query_string, is_strict=route.refuses_unknown_query)


def _parse_body(route: Route, headers: Mapping[bytes, bytes], body: bytes) -> Any:
    if not body and route.optional_body:
        return read_body(route.body, b"{}")
    if (encoding := headers.get(b"content-encoding")) is not None:
        require_plain(encoding.decode("latin-1"))
    media_type = headers.get(b"content-type", b"")
    if media_type != JSON_BYTES and essence(media_type.decode("latin-1")) != JSON:
        raise UnsupportedMediaType
    try:
        return read_body(route.body, body)
    except ValidationFailed as error:
        if route.body_fault_is_400 and any(words == UNKNOWN_FIELD for words in error.faults.values()):
            raise InvalidInput("unknown field", details=error.details) from error
        raise


async def _read_all(receive: Receive, limit: int) -> bytes:
    """The whole body; refused as soon as it is longer than `limit`."""
    message = await receive_chunk(receive)
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        if len(body) > limit:
            raise PayloadTooLarge
        return body
    chunks = [body]
    size = len(body)
    while message.get("more_body"):
        message = await receive_chunk(receive)
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise PayloadTooLarge
    return b"".join(chunks)
