"""The demo's chapter of texts: a contact is asked, texted, answers, says STOP and comes back; a line is cut meanwhile.

What the API says of a text is checked against the handset that it was for: there once, in the same words.
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
from agentmessage.demo.steps import Telling, Thing, require

CONTACT = "+13235550141"
FILTERED = "+13235550165"
"""A handset whose operator filters everything as spam (docs/reference/simulator.md, magic values)."""

AGREEMENT = "I agree that Harbor Dental texts me about my appointments. Message and data rates may apply."
QUESTION = "Harbor Dental: may we text you about your appointments? Reply YES to agree, STOP to decline."
REMINDER = "Harbor Dental: your appointment is on Monday at 9:30. Reply C to confirm, STOP to opt out."
ANSWER = "C, see you on Monday"
LATER = "Harbor Dental: see you tomorrow at 9:30. Reply STOP to opt out."
ACROSS_A_CUT = "Harbor Dental: please bring your insurance card. Reply STOP to opt out."
FILTERED_TEXT = "Harbor Dental: your invoice is ready. Reply STOP to opt out."
WELCOME = "Harbor Dental: good to have you back. Your appointment on Monday stands. Reply STOP to opt out."
STOPPED = str(CAMPAIGN["optout_message"])
"""What was filed with the campaign; the platform adds what the law asks for and this leaves out."""

WAIT_S = 20


class Texts:
    """The texts between one number and a contact; the number is on a campaign that every operator has."""

    def __init__(self, telling: Telling, mine: Thing) -> None:
        self._telling = telling
        self._api = telling.api
        self._mine = mine
        self._wanted: dict[str, list[str]] = {}

    async def tell(self) -> None:
        """All of it, in order. Raises StoryBroke."""
        await self._ask_whether()
        await self._ask_the_contact()
        reminder = await self._remind()
        await self._converse(reminder)
        await self._survive_a_cut()
        await self._be_filtered()
        await self._stop()
        await self._start()

    def events(self) -> dict[str, list[str]]:
        """By text, the events that there must be."""
        return self._wanted

    async def arrived_once(self, step: Step, handset: str, text: str, *, is_beginning: bool = False) -> None:
        """The handset's own inbox has the text from our number, and has it once. Raises StoryBroke."""

        def mine(found: Exchange) -> list[Mapping[str, Any]]:
            us = (self._telling.stage.account, self._mine["number"])
            received = [one for one in found.data["messages"] if (one["account"], one["sender"]) == us]
            if is_beginning:
                return [one for one in received if one["text"].startswith(text)]
            return [one for one in received if one["text"] == text]

        found = await self._telling.until(
            step,
            lambda: self._telling.simulator.call("GET", f"/_control/handsets/{handset}/inbox", expect=200),
            lambda found: bool(mine(found)),
            lambda _: f"the handset {handset} does not have “{text}”",
        )
        require(len(mine(found)) == 1, f"the handset {handset} has “{text}” {len(mine(found))} times")

    async def _ask_whether(self) -> None:
        with self._telling.step("Ask whether a text may go out") as step:
            sent = {"from": self._mine["number"], "to": CONTACT, "text": REMINDER}
            told = await self._api.call("POST", "/v1/guardrails/preflight", sent, expect=200)
            blocks = [finding for finding in told.data["findings"] if finding["severity"] == "block"]
            require(told.data["can_submit"] is False, "a text without consent may go out")
            require([one["code"] for one in blocks] == ["CONSENT_REQUIRED"], f"what speaks against it is {blocks}")
            step.shows(told)
            passed = sum(finding["severity"] == "pass" for finding in told.data["findings"])
            require(bool(blocks[0]["suggested_fix"]), "the finding does not say what to do")
            step.says(f"no: {blocks[0]['code']}, and how to get it; {passed} other checks pass")

    async def _ask_the_contact(self) -> None:
        with self._telling.step("Ask the contact by text") as step:
            sent = {
                "phone_number_id": self._mine["id"],
                "contact_number": CONTACT,
                "confirmation_text": QUESTION,
                "agreement_text": AGREEMENT,
            }
            asked = await self._api.call("POST", "/v1/consent/double-opt-in", sent, expect=202)
            await self.arrived_once(step, CONTACT, QUESTION)
            step.shows(asked)
            step.says(f"the handset shows “{QUESTION.partition('?')[0]}? …”")
        with self._telling.step("The handset answers YES") as step:
            step.shows(await self._handset_says("YES"))
            seen = await self._consent_is(step, opted_in=True)
            step.says(f"consent is on record, by {seen.data[0]['consent_method']}, with the answer as evidence")

    async def _remind(self) -> Thing:
        with self._telling.step("Send a text") as step:
            began = time.monotonic()
            accepted, _ = await self._send(step, CONTACT, REMINDER)
            step.shows(accepted)
            step.says(f"queued, sent, delivered in {time.monotonic() - began:.1f} s; the handset has it once")
        return accepted.data

    async def _converse(self, reminder: Thing) -> None:
        with self._telling.step("The contact answers") as step:
            query = f"from={quote(CONTACT)}&to={quote(self._mine['number'])}&since={reminder['created_at']}"
            path = f"/v1/inbound-messages/wait?{query}&timeout_s={WAIT_S}"
            waiting = asyncio.create_task(self._api.call("GET", path, expect=200))
            await self._handset_says(ANSWER)
            said = time.monotonic()
            heard = await waiting
            require(bool(heard.data) and heard.data["body"] == ANSWER, f"the waiting request heard {heard.data}")
            step.shows(heard)
            step.says(f"“{heard.data['body']}”, to the request that waited for it, {_ms(said)} ms after it was said")
        with self._telling.step("Read the conversation") as step:
            query = f"contact_number={quote(CONTACT)}&phone_number_id={self._mine['id']}"
            (found,) = (await self._api.call("GET", f"/v1/conversations?{query}", expect=200)).data
            listed = await self._api.call("GET", f"/v1/conversations/{found['id']}/messages", expect=200)
            said_words = [(one["direction"], one["body"]) for one in listed.data]
            wanted = [("outbound", QUESTION), ("inbound", "YES"), ("outbound", REMINDER), ("inbound", ANSWER)]
            require([one for one in said_words if one in wanted] == wanted, f"the conversation is {said_words}")
            step.shows(listed)
            arrows = {"outbound": "→", "inbound": "←"}
            step.says(" ".join(arrows[direction] for direction, _ in said_words) + ": both directions, in order")

    async def _survive_a_cut(self) -> None:
        with self._telling.step("The carrier's line is cut") as step:
            step.shows(await self._telling.simulator.call("POST", "/_control/messages/drop", expect=200))
            began = time.monotonic()
            await self._send(step, CONTACT, ACROSS_A_CUT)
            took_s = time.monotonic() - began
            step.says(f"a text accepted right after it waits for the line and arrives, once ({took_s:.1f} s)")

    async def _be_filtered(self) -> None:
        with self._telling.step("An operator filters a text") as step:
            evidence = {
                "captured_at": self._mine["created_at"],
                "agreement_text": AGREEMENT,
                "consent_method": "checkbox",
            }
            consent = {"phone_number_id": self._mine["id"], "contact_number": FILTERED, "evidence": evidence}
            await self._api.call("POST", "/v1/consent", consent, expect=200)
            _, ended = await self._send(step, FILTERED, FILTERED_TEXT, ends="undelivered")
            error = ended.data["error"]
            require(error["code"] == "carrier_filtered", f"the text that was filtered says {error}")
            step.shows(ended)
            step.says(f"undelivered: {error['code']}, which this operator calls {error['carrier_code']}")

    async def _stop(self) -> None:
        with self._telling.step("Schedule one for tomorrow") as step:
            tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
            sent = {"from": self._mine["number"], "to": CONTACT, "text": LATER, "scheduled_at": tomorrow}
            scheduled = await self._api.call("POST", "/v1/messages", sent, expect=202)
            require(scheduled.data["status"] == "queued", f"a scheduled text is {scheduled.data['status']}")
            step.shows(scheduled)
            step.says(f"queued until {scheduled.data['scheduled_at']}")
        with self._telling.step("The contact says STOP") as step:
            step.shows(await self._handset_says("STOP"))
            seen = await self._consent_is(step, opted_in=False)
            await self.arrived_once(step, CONTACT, STOPPED, is_beginning=True)
            path = f"/v1/messages/{scheduled.data['id']}"
            canceled = await self._api.call("GET", path, expect=200)
            require(canceled.data["status"] == "canceled", f"after STOP a scheduled text is {canceled.data['status']}")
            self._wanted[canceled.data["id"]] = ["message.canceled"]
            step.says(f"opted out by {seen.data[0]['suppressed_by']}, confirmed once, tomorrow's text canceled")
        with self._telling.step("Text them all the same") as step:
            sent = {"from": self._mine["number"], "to": CONTACT, "text": REMINDER}
            refused = await self._api.call("POST", "/v1/messages", sent, expect=453)
            code = refused.data["error"]["code"]
            require(code == "RECIPIENT_OPTED_OUT", f"the refusal is {code}")
            step.shows(refused)
            step.says(f"{code}: nothing is stored, nothing is sent")

    async def _start(self) -> None:
        with self._telling.step("They text START") as step:
            step.shows(await self._handset_says("START"))
            await self._consent_is(step, opted_in=True)
            accepted, _ = await self._send(step, CONTACT, WELCOME)
            step.says("opted in again; the next text is delivered")
        with self._telling.step("Ask what became of it") as step:
            told = await self._api.call("GET", f"/v1/messages/{accepted.data['id']}/events", expect=200)
            moves = [(move["status"], move["cause"]) for move in told.data]
            wanted = [("queued", "accepted"), ("sent", "accepted_by_carrier"), ("delivered", "receipt")]
            require(moves == wanted, f"the text's way was {moves}")
            step.shows(told)
            step.says(" → ".join(f"{status} ({cause})" for status, cause in moves))

    async def _send(self, step: Step, to: str, text: str, *, ends: str = "delivered") -> tuple[Exchange, Exchange]:
        """Send, and follow the text to its end and to the handset; answers both, the acceptance first."""
        sent = {"from": self._mine["number"], "to": to, "text": text}
        accepted = await self._api.call("POST", "/v1/messages", sent, expect=202)
        require(accepted.data["status"] == "queued", f"an accepted text is {accepted.data['status']}, not queued")
        ended = await self._telling.until(
            step,
            lambda: self._api.call("GET", f"/v1/messages/{accepted.data['id']}", expect=200),
            lambda found: found.data["status"] not in ("queued", "sending", "sent"),
            lambda found: f"the text is {found.data['status']}",
        )
        require(ended.data["status"] == ends, f"the text is {ended.data['status']}, not {ends}: {ended.data['error']}")
        self._wanted[accepted.data["id"]] = ["message.sent", f"message.{ends}"]
        if ends == "delivered":
            await self.arrived_once(step, to, text)
        return accepted, ended

    async def _handset_says(self, text: str) -> Exchange:
        sent = {"to": self._mine["number"], "text": text, "account": self._telling.stage.account}
        return await self._telling.simulator.call("POST", f"/_control/handsets/{CONTACT}/send", sent, expect=200)

    async def _consent_is(self, step: Step, *, opted_in: bool) -> Exchange:
        query = f"contact_number={quote(CONTACT)}&phone_number_id={self._mine['id']}"
        return await self._telling.until(
            step,
            lambda: self._api.call("GET", f"/v1/consent?{query}", expect=200),
            lambda found: bool(found.data) and found.data[0]["opted_in"] is opted_in,
            lambda found: f"the contact's consent is {found.data}",
        )


def _ms(since: float) -> int:
    return round((time.monotonic() - since) * 1000)
