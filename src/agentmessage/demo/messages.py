"""The messages of the demo: consent, a message, a reply, STOP and START; and a lost connection in between.

What the API reports of a message is compared with the handset: it has the message once, with the same text.
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from agentmessage.demo.client import Exchange
from agentmessage.demo.console import Step
from agentmessage.demo.registration import CAMPAIGN
from agentmessage.demo.steps import StepRunner, Thing, require

CONTACT = "+13235550141"
FILTERED = "+13235550165"
"""A handset whose operator filters everything as spam (docs/reference/simulator.md, magic values)."""

AGREEMENT = "I agree that Harbor Dental sends me messages about my appointments. Message and data rates may apply."
QUESTION = "Harbor Dental: may we message you about your appointments? Reply YES to agree, STOP to decline."
REMINDER = "Harbor Dental: your appointment is on Monday at 9:30. Reply C to confirm, STOP to opt out."
REPLY = "C, see you on Monday"
LATER = "Harbor Dental: see you tomorrow at 9:30. Reply STOP to opt out."
AFTER_THE_DROP = "Harbor Dental: please bring your insurance card. Reply STOP to opt out."
FILTERED_TEXT = "Harbor Dental: your invoice is ready. Reply STOP to opt out."
WELCOME = "Harbor Dental: good to have you back. Your appointment on Monday stands. Reply STOP to opt out."
STOPPED = str(CAMPAIGN["optout_message"])
"""Registered with the campaign; the platform adds what the law requires and this text lacks."""

REPLY_TIMEOUT_S = 20


class MessageSteps:
    """The messages between a number and a contact; every operator has the number on its campaign."""

    def __init__(self, steps: StepRunner, number: Thing) -> None:
        self._steps = steps
        self._api = steps.api
        self._number = number
        self._wanted: dict[str, list[str]] = {}

    async def run(self) -> None:
        """Run all steps in order. Raises DemoFailed."""
        await self._preflight()
        await self._request_consent()
        reminder = await self._remind()
        await self._receive_reply(reminder)
        await self._drop_connection()
        await self._be_filtered()
        await self._stop()
        await self._start()

    def events(self) -> dict[str, list[str]]:
        """The expected events by message id."""
        return self._wanted

    async def arrived_once(self, step: Step, handset: str, text: str, *, is_beginning: bool = False) -> None:
        """Require that the inbox of the handset has the text from our number exactly once. Raises DemoFailed."""

        def matching(found: Exchange) -> list[Mapping[str, Any]]:
            us = (self._steps.target.account, self._number["number"])
            received = [entry for entry in found.data["messages"] if (entry["account"], entry["sender"]) == us]
            if is_beginning:
                return [entry for entry in received if entry["text"].startswith(text)]
            return [entry for entry in received if entry["text"] == text]

        found = await self._steps.until(
            step,
            lambda: self._steps.simulator.call("GET", f"/_control/handsets/{handset}/inbox", expect=200),
            lambda found: bool(matching(found)),
            lambda _: f"the handset {handset} does not have “{text}”",
        )
        require(len(matching(found)) == 1, f"the handset {handset} has “{text}” {len(matching(found))} times")

    async def _preflight(self) -> None:
        with self._steps.step("Check a message with preflight") as step:
            sent = {"from": self._number["number"], "to": CONTACT, "text": REMINDER}
            found = await self._api.call("POST", "/v1/guardrails/preflight", sent, expect=200)
            blocks = [finding for finding in found.data["findings"] if finding["severity"] == "block"]
            require(found.data["can_submit"] is False, "a message without consent is accepted")
            require(
                [finding["code"] for finding in blocks] == ["CONSENT_REQUIRED"], f"the blocking findings are {blocks}"
            )
            step.shows(found)
            passed = sum(finding["severity"] == "pass" for finding in found.data["findings"])
            require(bool(blocks[0]["suggested_fix"]), "the finding does not say what to do")
            step.says(f"rejected: {blocks[0]['code']}, with a fix; {passed} other checks pass")

    async def _request_consent(self) -> None:
        with self._steps.step("Ask the contact for consent") as step:
            sent = {
                "phone_number_id": self._number["id"],
                "contact_number": CONTACT,
                "confirmation_text": QUESTION,
                "agreement_text": AGREEMENT,
            }
            asked = await self._api.call("POST", "/v1/consent/double-opt-in", sent, expect=202)
            await self.arrived_once(step, CONTACT, QUESTION)
            step.shows(asked)
            step.says(f"the handset shows “{QUESTION.partition('?')[0]}? …”")
        with self._steps.step("The handset replies YES") as step:
            step.shows(await self._handset_says("YES"))
            seen = await self._consent_is(step, opted_in=True)
            step.says(f"consent is on record, by {seen.data[0]['consent_method']}, with the reply as evidence")

    async def _remind(self) -> Thing:
        with self._steps.step("Send a message") as step:
            began = time.monotonic()
            accepted, _ = await self._send(step, CONTACT, REMINDER)
            step.shows(accepted)
            step.says(f"queued, sent, delivered in {time.monotonic() - began:.1f} s; the handset has it once")
        return accepted.data

    async def _receive_reply(self, reminder: Thing) -> None:
        with self._steps.step("The contact replies") as step:
            query = f"from={quote(CONTACT)}&to={quote(self._number['number'])}&since={reminder['created_at']}"
            path = f"/v1/inbound-messages/wait?{query}&timeout_s={REPLY_TIMEOUT_S}"
            waiting = asyncio.create_task(self._api.call("GET", path, expect=200))
            await self._handset_says(REPLY)
            sent_at = time.monotonic()
            received = await waiting
            require(
                bool(received.data) and received.data["body"] == REPLY, f"the waiting request received {received.data}"
            )
            step.shows(received)
            step.says(f"“{received.data['body']}”, returned to the waiting request after {_ms(sent_at)} ms")
        with self._steps.step("Read the conversation") as step:
            query = f"contact_number={quote(CONTACT)}&phone_number_id={self._number['id']}"
            (found,) = (await self._api.call("GET", f"/v1/conversations?{query}", expect=200)).data
            listed = await self._api.call("GET", f"/v1/conversations/{found['id']}/messages", expect=200)
            entries = [(entry["direction"], entry["body"]) for entry in listed.data]
            wanted = [("outbound", QUESTION), ("inbound", "YES"), ("outbound", REMINDER), ("inbound", REPLY)]
            require([entry for entry in entries if entry in wanted] == wanted, f"the conversation is {entries}")
            step.shows(listed)
            arrows = {"outbound": "→", "inbound": "←"}
            step.says(" ".join(arrows[direction] for direction, _ in entries) + ": both directions, in order")

    async def _drop_connection(self) -> None:
        with self._steps.step("Drop the SMPP connection") as step:
            step.shows(await self._steps.simulator.call("POST", "/_control/messages/drop", expect=200))
            began = time.monotonic()
            await self._send(step, CONTACT, AFTER_THE_DROP)
            took_s = time.monotonic() - began
            step.says(f"a message accepted right after it waits for the connection and arrives once ({took_s:.1f} s)")

    async def _be_filtered(self) -> None:
        with self._steps.step("An operator filters a message") as step:
            evidence = {
                "captured_at": self._number["created_at"],
                "agreement_text": AGREEMENT,
                "consent_method": "checkbox",
            }
            consent = {"phone_number_id": self._number["id"], "contact_number": FILTERED, "evidence": evidence}
            await self._api.call("POST", "/v1/consent", consent, expect=200)
            _, ended = await self._send(step, FILTERED, FILTERED_TEXT, ends="undelivered")
            error = ended.data["error"]
            require(error["code"] == "carrier_filtered", f"the error of the filtered message is {error}")
            step.shows(ended)
            step.says(f"undelivered: {error['code']}, carrier code {error['carrier_code']}")

    async def _stop(self) -> None:
        with self._steps.step("Schedule a message for tomorrow") as step:
            tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
            sent = {"from": self._number["number"], "to": CONTACT, "text": LATER, "scheduled_at": tomorrow}
            scheduled = await self._api.call("POST", "/v1/messages", sent, expect=202)
            require(scheduled.data["status"] == "queued", f"a scheduled message is {scheduled.data['status']}")
            step.shows(scheduled)
            step.says(f"queued until {scheduled.data['scheduled_at']}")
        with self._steps.step("The contact says STOP") as step:
            step.shows(await self._handset_says("STOP"))
            seen = await self._consent_is(step, opted_in=False)
            await self.arrived_once(step, CONTACT, STOPPED, is_beginning=True)
            path = f"/v1/messages/{scheduled.data['id']}"
            canceled = await self._api.call("GET", path, expect=200)
            require(
                canceled.data["status"] == "canceled", f"after STOP a scheduled message is {canceled.data['status']}"
            )
            self._wanted[canceled.data["id"]] = ["message.canceled"]
            step.says(f"opted out by {seen.data[0]['suppressed_by']}, confirmed once, tomorrow's message canceled")
        with self._steps.step("Send to them anyway") as step:
            sent = {"from": self._number["number"], "to": CONTACT, "text": REMINDER}
            refused = await self._api.call("POST", "/v1/messages", sent, expect=453)
            code = refused.data["error"]["code"]
            require(code == "RECIPIENT_OPTED_OUT", f"the error is {code}")
            step.shows(refused)
            step.says(f"{code}: nothing is stored, nothing is sent")

    async def _start(self) -> None:
        with self._steps.step("The contact says START") as step:
            step.shows(await self._handset_says("START"))
            await self._consent_is(step, opted_in=True)
            accepted, _ = await self._send(step, CONTACT, WELCOME)
            step.says("opted in again; the next message is delivered")
        with self._steps.step("Read the history of the message") as step:
            found = await self._api.call("GET", f"/v1/messages/{accepted.data['id']}/events", expect=200)
            moves = [(move["status"], move["cause"]) for move in found.data]
            wanted = [("queued", "accepted"), ("sent", "accepted_by_carrier"), ("delivered", "receipt")]
            require(moves == wanted, f"the history of the message is {moves}")
            step.shows(found)
            step.says(" → ".join(f"{status} ({cause})" for status, cause in moves))

    async def _send(self, step: Step, to: str, text: str, *, ends: str = "delivered") -> tuple[Exchange, Exchange]:
        """Send a message, and follow it to its final status and to the handset. Returns both responses."""
        sent = {"from": self._number["number"], "to": to, "text": text}
        accepted = await self._api.call("POST", "/v1/messages", sent, expect=202)
        require(accepted.data["status"] == "queued", f"an accepted message is {accepted.data['status']}, not queued")
        ended = await self._steps.until(
            step,
            lambda: self._api.call("GET", f"/v1/messages/{accepted.data['id']}", expect=200),
            lambda found: found.data["status"] not in ("queued", "sending", "sent"),
            lambda found: f"the message is {found.data['status']}",
        )
        require(
            ended.data["status"] == ends, f"the message is {ended.data['status']}, not {ends}: {ended.data['error']}"
        )
        self._wanted[accepted.data["id"]] = ["message.sent", f"message.{ends}"]
        if ends == "delivered":
            await self.arrived_once(step, to, text)
        return accepted, ended

    async def _handset_says(self, text: str) -> Exchange:
        sent = {"to": self._number["number"], "text": text, "account": self._steps.target.account}
        return await self._steps.simulator.call("POST", f"/_control/handsets/{CONTACT}/send", sent, expect=200)

    async def _consent_is(self, step: Step, *, opted_in: bool) -> Exchange:
        query = f"contact_number={quote(CONTACT)}&phone_number_id={self._number['id']}"
        return await self._steps.until(
            step,
            lambda: self._api.call("GET", f"/v1/consent?{query}", expect=200),
            lambda found: bool(found.data) and found.data[0]["opted_in"] is opted_in,
            lambda found: f"the contact's consent is {found.data}",
        )


def _ms(since: float) -> int:
    return round((time.monotonic() - since) * 1000)
