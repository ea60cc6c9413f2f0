"""The hosted form: links that are ours and in time, a page that looking at changes nothing, and agreements."""

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from html.parser import HTMLParser
from random import Random
from typing import Any

import jwt
import msgspec
import pytest
from typing_extensions import override

from agentmessage.app.api import Api
from agentmessage.consent import operations as consents
from agentmessage.consent.model import Source, Suppression
from agentmessage.kernel import encryption
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.optin import tokens
from agentmessage.optin.hosted_form import ConsentPage
from agentmessage.settings import Settings
from agentmessage.web.client_address import address_of
from tests.conftest import ENCRYPTION_KEY, NOWHERE, Client, Reply
from tests.make.accounts import Account
from tests.make.texts import CONTACT, insert_consent, insert_sender
from tests.optin.conftest import AGREEMENT, PUBLIC_URL, Browser, OptInHarness

OLDER_KEY = base64.b64encode(b"an older key that was in use once"[:32]).decode()


class Reader(HTMLParser):
    """What a page holds: its tags with their attributes, and its text."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.tags: list[tuple[str, Mapping[str, str | None]]] = []
        self.text = ""
        self.feed(reply.body.decode())

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    @override
    def handle_data(self, data: str) -> None:
        self.text += data

    def has(self, tag: str, **attributes: str) -> bool:
        """There is such a tag with these attributes."""
        return any(name == tag and attributes.items() <= dict(given).items() for name, given in self.tags)


def is_form(reply: Reply) -> bool:
    """The page asks for an agreement."""
    return Reader(reply).has("form", method="post")


async def stop(harness: OptInHarness, by: Suppression = Suppression.KEYWORD) -> None:
    """The contact opts out."""
    async with harness.db.transaction() as tx:
        await consents.opt_out(
            tx, harness.account.org_id, harness.sender.id, CONTACT, by=by, source=Source.INBOUND_REPLY, keyword="STOP"
        )


@pytest.mark.covers("mintHostedConsentToken", 200)
async def test_200_a_link_is_a_signed_token_and_stores_nothing(harness: OptInHarness) -> None:
    made = await harness.mint()

    header, claims = jwt.get_unverified_header(made["token"]), decode(made["token"])
    assert header == {"alg": "HS256", "typ": "JWT"}
    assert made["url"] == f"{PUBLIC_URL}/consent/{made['token']}"
    assert made["expires_at"] == "2026-07-01T18:00:00Z"
    assert set(claims) == {"exp", "sealed"}
    said = tokens.signer(ENCRYPTION_KEY, life_s=3600).read(made["token"], harness.clock.moment)
    assert (said.org_id, said.contact_number, said.agreement_text) == (harness.account.org_id, CONTACT, AGREEMENT)
    assert said.exp - said.iat == 3600
    assert await harness.consent() is None
    assert await harness.facts() == []


async def test_a_link_tells_nobody_whose_it_is(harness: OptInHarness) -> None:
    """It lies in logs, histories and previews."""
    token = (await harness.mint())["token"]

    readable = token.encode() + b"".join(base64.urlsafe_b64decode(part + "==") for part in token.split("."))
    for part in (CONTACT[1:], CONTACT[-7:], AGREEMENT, str(harness.account.org_id), str(harness.sender.id)):
        assert part.encode() not in readable
    assert (await harness.mint())["token"] != token


async def test_the_longest_agreement_makes_a_link_that_proxies_take(harness: OptInHarness) -> None:
    letters = Random(7).choices([chr(code) for code in range(0x4E00, 0x9FA5)], k=1365)

    made = await harness.mint(agreement_text="".join(letters))

    assert len(made["url"]) < 8_000


async def test_a_link_of_an_older_release_still_opens_its_form(harness: OptInHarness, browser: Browser) -> None:
    said = tokens.signer(ENCRYPTION_KEY, life_s=3600).read((await harness.mint())["token"], harness.clock.moment)
    key = encryption.derive(encryption.newest_key(ENCRYPTION_KEY), tokens.PURPOSE)

    assert (await browser.submit(jwt.encode(msgspec.to_builtins(said), key, "HS256"))).status == 200


def decode(token: str) -> Any:
    """The claims of a token, unverified."""
    return jwt.decode(token, options={"verify_signature": False, "verify_exp": False})


@pytest.mark.covers("mintHostedConsentToken", 404)
async def test_404_a_link_for_a_number_that_is_not_held_now(
    harness: OptInHarness, db: CellDb, stranger: Account
) -> None:
    theirs = await insert_sender(db, stranger.tenant, "+14155550198")
    body = harness.body()
    del body["confirmation_text"]

    replies = [
        await harness.api.post("/v1/consent/hosted", body | {"phone_number_id": str(one)})
        for one in (NOWHERE, theirs.id)
    ]

    assert [(reply.status, reply.error["code"]) for reply in replies] == [(404, "NOT_FOUND")] * 2


@pytest.mark.covers("mintHostedConsentToken", 422)
async def test_422_an_agreement_that_does_not_fit_into_a_link(harness: OptInHarness) -> None:
    body = harness.body(agreement_text="ж" * 2049)
    del body["confirmation_text"]

    reply = await harness.api.post("/v1/consent/hosted", body)

    assert (reply.status, reply.error["details"]) == (
        422,
        {"agreement_text": "must be at most 4096 bytes of UTF-8 in a link"},
    )


async def test_the_longest_link_fits_into_what_proxies_take(harness: OptInHarness) -> None:
    made = await harness.mint(agreement_text="ж" * 2048)

    assert len(made["url"]) < 8 * 1024 - 200


async def test_a_link_that_an_idempotency_key_keeps_is_encrypted(harness: OptInHarness) -> None:
    body = harness.body()
    del body["confirmation_text"]

    first, again = [
        await harness.api.post("/v1/consent/hosted", body, headers={"idempotency-key": "one"}) for _ in range(2)
    ]

    assert first.json == again.json
    stored: bytes = await harness.db.value("SELECT body FROM idempotency_keys")
    assert first.json["token"].encode() not in stored


async def test_the_page_shows_who_asks_for_what_and_looking_changes_nothing(
    harness: OptInHarness, browser: Browser
) -> None:
    token = (await harness.mint())["token"]

    first = await browser.open(token)
    head = await browser.open(token, "HEAD")

    shown = Reader(first)
    text = " ".join(shown.text.split())
    assert first.status == head.status == 200
    assert head.body == b""
    assert first.headers["content-type"] == "text/html; charset=utf-8"
    assert "Acme would like to send you texts from +1 415-555-0123 to your number ending in 0188" in text
    assert "I agree to appointment reminders from Acme Dental. Reply STOP to end." in text
    assert CONTACT not in first.body.decode()
    assert shown.has("html", lang="en")
    assert shown.has("input", type="checkbox", name="agree")
    assert not any(tag == "script" for tag, _ in shown.tags)
    assert await harness.consent() is None


async def test_no_page_is_cached_framed_indexed_or_told_to_anybody(harness: OptInHarness, browser: Browser) -> None:
    token = (await harness.mint())["token"]
    pages = [await browser.open(token), await browser.submit(token, {}), await browser.open("x")]

    for page in pages:
        policy = page.headers["content-security-policy"]
        style = re.search(r"<style>(.*?)</style>", page.body.decode(), re.DOTALL)
        assert style
        digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in policy
        assert {"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} <= {
            part.strip() for part in policy.split(";")
        }
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert "noindex" in page.headers["x-robots-tag"]


async def test_what_the_customer_wrote_is_text_and_never_markup(harness: OptInHarness, browser: Browser) -> None:
    evil = '</blockquote><script>alert(1)</script>" onload="x'
    await harness.db.run("UPDATE organizations SET name = '<b>Acme</b>' WHERE id = $1", harness.account.org_id)
    token = (await harness.mint(agreement_text=evil))["token"]

    page = await browser.open(token)

    assert evil in Reader(page).text
    assert {"script", "b"}.isdisjoint({tag for tag, _ in Reader(page).tags})


async def test_agreeing_keeps_who_when_where_and_to_what(harness: OptInHarness, browser: Browser) -> None:
    token = (await harness.mint())["token"]

    page = await browser.submit(token)

    consent, (entry,) = await harness.consent(), await harness.history()
    assert page.status == 200
    assert "You have agreed" in Reader(page).text
    assert (consent["opted_in"], consent["source"], consent["consent_method"]) == (True, "hosted_form", "hosted_form")
    assert (entry["event"], entry["source"]) == ("opt_in", "hosted_form")
    assert (entry["evidence_ip"], entry["evidence_user_agent"]) == ("198.51.100.4", "TestBrowser/1.0")
    assert (entry["evidence_form_url"], entry["evidence_agreement_text"]) == (f"{PUBLIC_URL}/consent", AGREEMENT)
    assert entry["raw_event_id"] == tokens.signer(ENCRYPTION_KEY, life_s=3600).read(token, harness.clock.moment).id
    assert await harness.facts() == ["contact.opted_in"]


async def test_the_same_link_many_times_at_once_is_one_agreement(harness: OptInHarness, browser: Browser) -> None:
    token = (await harness.mint())["token"]

    pages = await asyncio.gather(*(browser.submit(token) for _ in range(6)))
    later = await browser.open(token)

    assert [page.status for page in pages] == [200] * 6
    assert len(await harness.history()) == 1
    assert not is_form(later)
    assert "You have agreed" in Reader(later).text


async def test_a_fresh_link_renews_a_consent_that_stands(harness: OptInHarness, browser: Browser) -> None:
    await insert_consent(
        harness.db, harness.account.tenant, harness.sender, opted_in_at=harness.clock.moment - timedelta(days=600)
    )
    token = (await harness.mint())["token"]
    assert is_form(await browser.open(token))

    await browser.submit(token)

    assert (await harness.consent())["opted_in_at"].startswith("2026-07-01")
    assert [entry["event"] for entry in await harness.history()] == ["reconfirm"]
    assert await harness.facts() == []


@pytest.mark.parametrize("fields", [{}, {"agree": "no"}, {"agreed": "yes"}, {"agree": ""}])
async def test_without_the_tick_nothing_is_recorded_and_the_form_says_so(
    harness: OptInHarness, browser: Browser, fields: dict[str, str]
) -> None:
    token = (await harness.mint())["token"]

    page = await browser.submit(token, fields)

    assert page.status == 422
    assert is_form(page)
    assert Reader(page).has("p", role="alert")
    assert Reader(page).has("input", name="agree", **{"aria-invalid": "true"})
    assert await harness.consent() is None


@pytest.mark.parametrize("by", [Suppression.KEYWORD, Suppression.NATURAL_LANGUAGE, Suppression.CARRIER])
async def test_after_stop_the_form_cannot_lift_it_and_says_how_the_contact_can(
    harness: OptInHarness, browser: Browser, by: Suppression
) -> None:
    token = (await harness.mint())["token"]
    await stop(harness, by)

    looked, agreed = await browser.open(token), await browser.submit(token)

    assert (looked.status, agreed.status) == (200, 409)
    for page in (looked, agreed):
        assert not is_form(page)
        assert "text START to +1 415-555-0123" in Reader(page).text
    assert (await harness.consent())["opted_in"] is False


async def test_an_agreement_on_the_form_lifts_a_revocation_but_not_one_that_came_after_it(
    harness: OptInHarness, browser: Browser
) -> None:
    await stop(harness, Suppression.REVOCATION)
    token = (await harness.mint())["token"]
    assert (await browser.submit(token)).status == 200
    assert (await harness.consent())["opted_in"] is True
    await harness.api.delete(f"/v1/consent/{(await harness.consent())['id']}")

    page = await browser.submit(token)

    assert page.status == 409
    assert "This agreement has ended" in Reader(page).text
    assert (await harness.consent())["opted_in"] is False


async def test_an_expired_link_is_gone_and_records_nothing(harness: OptInHarness, browser: Browser) -> None:
    token = (await harness.mint())["token"]
    harness.clock.moment += timedelta(hours=1)

    pages = [await browser.open(token), await browser.submit(token)]

    assert [page.status for page in pages] == [410, 410]
    assert "expired" in Reader(pages[0]).text
    assert await harness.consent() is None


async def test_a_link_whose_number_changed_hands_is_gone(harness: OptInHarness, browser: Browser) -> None:
    token = (await harness.mint())["token"]
    await harness.db.run("UPDATE phone_numbers SET state = 'quarantined'")

    pages = [await browser.open(token), await browser.submit(token)]

    assert [page.status for page in pages] == [410, 410]
    assert await harness.consent() is None


def base64url(raw: bytes) -> str:
    """As JOSE writes it (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forged(token: str) -> Mapping[str, str]:
    """Tokens that are not ours, each in another way."""
    head, claims, signature = token.split(".")
    other = {**decode(token), "exp": 9_999_999_999}
    none = base64url(b'{"alg":"none","typ":"JWT"}')
    key = encryption.derive(encryption.newest_key(ENCRYPTION_KEY), tokens.PURPOSE)
    return {
        "another signature": f"{head}.{claims}.{signature[:-4]}AAAA",
        "no signature": f"{head}.{claims}.",
        "algorithm none": f"{none}.{claims}.",
        "other claims": f"{head}.{base64url(json.dumps(other).encode())}.{signature}",
        "another key": jwt.encode(other, "x" * 32, "HS256"),
        "another algorithm": jwt.encode(other, key * 2, "HS512"),
        "not a form's": jwt.encode({"hello": "world"}, key, "HS256"),
        "cut": token[: len(token) // 2],
        "longer than any": token + "A" * 20_000,
        "not base64": "é.é.é",
        "nothing": "",
        "a path": f"{token}/x",
    }


async def test_what_is_not_signed_by_us_is_no_page(harness: OptInHarness, browser: Browser) -> None:
    token = (await harness.mint())["token"]

    for what, one in forged(token).items():
        looked, agreed = await browser.open(one), await browser.submit(one)

        assert (looked.status, agreed.status) == (404, 404), what
        assert looked.headers["content-type"] == "text/html; charset=utf-8"
    assert await harness.consent() is None


async def test_links_survive_a_rotation_of_the_encryption_key(harness: OptInHarness, cells: Cells) -> None:
    older = tokens.signer(OLDER_KEY, life_s=3600)
    token, _ = older.mint(
        org_id=harness.account.org_id,
        phone_number_id=harness.sender.id,
        contact_number=CONTACT,
        agreement_text=AGREEMENT,
        now=harness.clock.moment,
    )
    both, newer = [
        Browser(ConsentPage(cells, tokens.signer(keys, life_s=3600), public_url=PUBLIC_URL, trusted_proxy_count=0))
        for keys in (f"{ENCRYPTION_KEY},{OLDER_KEY}", ENCRYPTION_KEY)
    ]

    assert (await both.open(token)).status == 200
    assert (await newer.open(token)).status == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_other_methods_are_told_which_ones_there_are(browser: Browser, method: str) -> None:
    page = await browser.open("x", method)

    assert (page.status, page.headers["allow"]) == (405, "GET, HEAD, POST")


async def test_a_body_that_no_form_sends_is_refused_unread(harness: OptInHarness, browser: Browser) -> None:
    token = (await harness.mint())["token"]

    as_json = await browser.open(token, "POST", b'{"agree":"yes"}', content_type="application/json")
    too_long = await browser.submit(token, {"agree": "yes", "more": "x" * 5000})
    not_ascii = await browser.open(token, "POST", b"agree=y\xff", content_type="application/x-www-form-urlencoded")

    assert (as_json.status, too_long.status, not_ascii.status) == (415, 413, 422)
    assert await harness.consent() is None


@pytest.mark.parametrize(
    ("forwarded", "proxies", "address"),
    [
        (None, 0, "198.51.100.4"),
        ("203.0.113.9", 0, "198.51.100.4"),
        ("203.0.113.9", 1, "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9", 1, "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9, 10.0.0.1", 2, "203.0.113.9"),
        ("2001:DB8::9", 1, "2001:db8::9"),
        ("203.0.113.9", 2, "198.51.100.4"),
        ("unknown", 1, "198.51.100.4"),
        (None, 1, "198.51.100.4"),
    ],
)
def test_an_address_is_believed_only_from_our_own_proxies(forwarded: str | None, proxies: int, address: str) -> None:
    headers = [] if forwarded is None else [(b"x-forwarded-for", forwarded.encode())]

    assert address_of({"headers": headers, "client": ("198.51.100.4", 1)}, proxies) == address


async def test_the_whole_api_serves_the_page_without_a_key(
    settings: Settings, cells: Cells, account: Account, db: CellDb
) -> None:
    sender = await insert_sender(db, account.tenant)
    api = Api(settings, cells=cells)
    body = {"phone_number_id": str(sender.id), "contact_number": CONTACT, "agreement_text": AGREEMENT}
    made = await Client(api, account.key).post("/v1/consent/hosted", body)
    assert made.json["url"] == f"http://127.0.0.1:8080/consent/{made.json['token']}"

    page = await Client(api).get(f"/consent/{made.json['token']}")
    agreed = await Client(api).request(
        "POST",
        f"/consent/{made.json['token']}",
        content=b"agree=yes",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    opted_in = await db.value("SELECT opted_in FROM consents")
    await api.stop()

    assert (page.status, is_form(page), agreed.status) == (200, True, 200)
    assert "x-request-id" in page.headers
    assert opted_in is True
