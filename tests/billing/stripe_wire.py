"""Stripe as far as we use it: a real HTTP server that remembers what it was asked, keeps keys, and fails on demand.

Shapes are those of `stripe/shapes.json`. An Idempotency-Key is answered as the first time whatever that answer was, and
refused for other parameters (Stripe, "Idempotent requests").
"""

import copy
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl
from uuid import uuid4

import stripe
from aiohttp import web

SHAPES: Mapping[str, Any] = json.loads((Path(__file__).parent / "stripe" / "shapes.json").read_text())
SECRET = "whsec_test_secret"
CARD = SHAPES["payment_method"]["id"]


def shape(name: str, **changed: Any) -> dict[str, Any]:
    """One of the recorded objects, with some fields as told."""
    return {**copy.deepcopy(SHAPES[name]), **changed}


def event(kind: str, thing: Mapping[str, Any], *, number: int = 1, created: int | None = None) -> bytes:
    """What Stripe posts about a thing."""
    body = shape("event", id=f"evt_{number:06}{thing.get('id')}", type=kind, created=created or int(time.time()))
    return json.dumps({**body, "data": {"object": thing}}).encode()


def signed(body: bytes, *, secret: str = SECRET, at: int | None = None) -> dict[str, str]:
    """The header that proves it."""
    return {"stripe-signature": stripe.WebhookSignature.generate_signature_header(body.decode(), secret, at)}


class StripeWire:
    """The server; `async with` runs it. `faults` maps a path to what goes wrong there, in order.

    A fault is the name of an error in the shapes, `lost` (done, and no answer) or `unheard` (not done, no answer).
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.kept: dict[str, tuple[str, int, Any]] = {}
        self.faults: dict[str, list[str]] = {}
        self.customers: dict[str, dict[str, Any]] = {}
        self.sessions: dict[str, dict[str, Any]] = {}
        self.intents: dict[str, dict[str, Any]] = {}
        self.cards: dict[str, list[str]] = {}
        self.refunds: list[dict[str, Any]] = []
        self.next_status = "succeeded"
        self._runner: web.AppRunner | None = None
        self.url = ""
        self._account = uuid4().hex[:8]

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def charged(self) -> list[dict[str, Any]]:
        """Every payment that took money."""
        return [intent for intent in self.intents.values() if intent["status"] == "succeeded"]

    def asked_for(self, path: str) -> list[dict[str, str]]:
        """The parameters of every request to a path."""
        return [parameters for _, asked, parameters in self.asked if asked == path]

    def pay(self, session_id: str, *, card: str = CARD) -> tuple[dict[str, Any], dict[str, Any]]:
        """The customer pays at the page; answers session and payment as Stripe tells of them."""
        session = self.sessions[session_id]
        intent = self._intent(session["amount_total"], session["customer"], session["metadata"])
        session |= {"payment_status": "paid", "status": "complete", "payment_intent": intent["id"]}
        intent |= {"status": "succeeded", "amount_received": intent["amount"], "payment_method": card}
        self.cards.setdefault(session["customer"], []).insert(0, card)
        return session, intent

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/v1")
        body = (await request.text()) if request.method == "POST" else request.query_string
        parameters = dict(parse_qsl(body, keep_blank_values=True))
        self.asked.append((request.method, path, parameters))
        fault = self.faults[path].pop(0) if self.faults.get(path) else None
        if fault == "unheard":
            return self._hang_up(request)
        status, answer = self._once(request, path, body, parameters, fault)
        if fault == "lost":
            return self._hang_up(request)
        return web.json_response(answer, status=status)

    def _hang_up(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    def _once(
        self, request: web.Request, path: str, body: str, parameters: dict[str, str], fault: str | None
    ) -> tuple[int, Any]:
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        if key in self.kept:
            asked, status, answer = self.kept[key]
            return (status, answer) if asked == body else (400, SHAPES["idempotency_mismatch"])
        if fault is not None and fault != "lost":
            status, answer = ERRORS[fault], SHAPES[fault]
            if fault == "card_declined" and path == "/payment_intents":
                self._intent(int(parameters["amount"]), parameters["customer"], metadata(parameters))
        else:
            status, answer = self._do(request.method, path, parameters)
        if key is not None and status not in (401, 429):
            self.kept[key] = (body, status, copy.deepcopy(answer))
        return status, answer

    def _do(self, method: str, path: str, given: dict[str, str]) -> tuple[int, Any]:
        kind, _, thing_id = path[1:].partition("/") if path.count("/") == 2 and method == "GET" else (path[1:], "", "")
        answers = {
            ("POST", "customers"): lambda: self._open_customer(given),
            ("GET", "customers"): lambda: self._found(self.customers.get(thing_id)),
            ("GET", "payment_methods"): lambda: (200, listed(self._cards(given))),
            ("POST", "checkout/sessions"): lambda: self._open_session(given),
            ("POST", "billing_portal/sessions"): lambda: self._open_portal(given),
            ("POST", "payment_intents"): lambda: self._charge(given),
            ("GET", "payment_intents"): lambda: self._intents(thing_id, given),
            ("GET", "refunds"): lambda: (200, listed(self._refunds(given))),
        }
        return answers[method, kind]()

    def _found(self, thing: Any) -> tuple[int, Any]:
        return (404, SHAPES["resource_missing"]) if thing is None else (200, thing)

    def _open_customer(self, given: dict[str, str]) -> tuple[int, Any]:
        customer_id = f"cus_{self._account}{len(self.customers):06}"
        self.customers[customer_id] = shape("customer", id=customer_id, metadata=metadata(given))
        return 200, self.customers[customer_id]

    def _cards(self, given: dict[str, str]) -> list[Any]:
        cards = self.cards.get(given["customer"], [])
        return [shape("payment_method", id=card) for card in cards[: int(given["limit"])]]

    def _open_portal(self, given: dict[str, str]) -> tuple[int, Any]:
        if given["customer"] not in self.customers:
            return 400, SHAPES["resource_missing"]
        return 200, shape("billing_portal.session", created=int(time.time()), return_url=given["return_url"])

    def _charge(self, given: dict[str, str]) -> tuple[int, Any]:
        intent = self._intent(int(given["amount"]), given["customer"], metadata(given))
        intent["status"] = self.next_status
        intent["amount_received"] = intent["amount"] if self.next_status == "succeeded" else 0
        return 200, intent

    def _intents(self, intent_id: str, given: dict[str, str]) -> tuple[int, Any]:
        if intent_id:
            return self._found(self.intents.get(intent_id))
        since = int(given["created[gte]"])
        return 200, listed(
            [one for one in self.intents.values() if one["customer"] == given["customer"] and one["created"] >= since]
        )

    def _refunds(self, given: dict[str, str]) -> list[Any]:
        return [one for one in self.refunds if one["payment_intent"] == given["payment_intent"]]

    def _open_session(self, given: dict[str, str]) -> tuple[int, Any]:
        if given["customer"] not in self.customers:
            return 400, SHAPES["resource_missing"]
        session_id = f"cs_test_{self._account}{len(self.sessions):06}"
        amount = int(given["line_items[0][price_data][unit_amount]"])
        self.sessions[session_id] = shape(
            "checkout.session",
            id=session_id,
            amount_total=amount,
            amount_subtotal=amount,
            customer=given["customer"],
            client_reference_id=given["client_reference_id"],
            metadata=metadata(given),
            success_url=given["success_url"],
            cancel_url=given["cancel_url"],
            url=f"https://checkout.stripe.com/c/pay/{session_id}",
        )
        return 200, self.sessions[session_id]

    def _intent(self, amount: int, customer: str, posted: Mapping[str, str]) -> dict[str, Any]:
        intent_id = f"pi_{self._account}{len(self.intents):06}"
        self.intents[intent_id] = shape(
            "payment_intent",
            id=intent_id,
            amount=amount,
            customer=customer,
            metadata=dict(posted),
            created=int(time.time()),
        )
        return self.intents[intent_id]


ERRORS = {
    "card_declined": 402,
    "resource_missing": 404,
    "invalid_key": 401,
    "server_error": 500,
    "rate_limited": 429,
}


def metadata(given: Mapping[str, str]) -> dict[str, str]:
    """The metadata of form parameters."""
    return {name[9:-1]: value for name, value in given.items() if name.startswith("metadata[")}


def listed(things: list[Any]) -> dict[str, Any]:
    """One page that is the last."""
    return {"object": "list", "data": things, "has_more": False, "url": "/v1/things"}
