"""The review of a draft: the same draft, the same findings; nothing stored, nothing of ours reached."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from agentmessage.campaigns import page_checks
from agentmessage.campaigns.page_checks import PageChecker
from agentmessage.campaigns.review import TABLE
from agentmessage.campaigns.routes import routes as campaign_routes
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.names import Names
from tests.conftest import NOWHERE, Client
from tests.make.accounts import Account
from tests.make.brands import insert_brand
from tests.make.name_server import name_server
from tests.make.registration import SECRET_BOX, Registrar
from tests.make.rooms import RoomsApp

FLOW = (
    "Patients tick an unchecked box at https://acme.example/book and agree to recurring reminders, one per week. "
    "Message and data rates may apply. Reply STOP to opt out, HELP for help."
)
GOOD: dict[str, Any] = {
    "usecase": "CUSTOMER_CARE",
    "description": "Appointment reminders to patients of the practice who asked for them.",
    "message_flow": FLOW,
    "sample1": "Acme: your appointment is on Monday at 9. Reply C to confirm, STOP to opt out.",
    "sample2": "Acme: we have moved your appointment to Tuesday at 10. Reply STOP to opt out.",
    "subscriber_help": True,
    "help_keywords": "HELP,INFO",
    "help_message": "Acme: write to help@acme.example or call the practice.",
    "subscriber_optout": True,
    "optout_keywords": "STOP,END",
    "optout_message": "Acme: you are unsubscribed and get no more messages.",
}


FLOW_WORDING = {f"message_flow.{what}" for what in ("consent", "rates", "frequency", "stop", "help")}


class Site:
    """A customer's web server on loopback."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[str] = []
        self.location = ""
        self.interim = b""

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        self.asked.append(path)
        match path:
            case "/slow":
                await reader.read()
            case "/moved":
                writer.write(b"HTTP/1.1 302 Found\r\nlocation: /privacy\r\ncontent-length: 0\r\n\r\n")
            case "/loop":
                writer.write(b"HTTP/1.1 302 Found\r\nlocation: /loop\r\ncontent-length: 0\r\n\r\n")
            case "/elsewhere":
                writer.write(f"HTTP/1.1 302 Found\r\nlocation: {self.location}\r\ncontent-length: 0\r\n\r\n".encode())
            case "/endless":
                with contextlib.suppress(ConnectionError):
                    while not writer.is_closing():
                        writer.write(self.interim * 1_000)
                        await writer.drain()
            case "/missing":
                writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
            case _:
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        writer.close()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """A web server with a privacy page."""
    site = Site()
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0)
    site.port = server.sockets[0].getsockname()[1]
    yield site
    server.close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow page is given up soon."""
    monkeypatch.setattr(page_checks, "LIMIT_S", 1.0)


@pytest.fixture
async def draft(db: CellDb, account: Account, site: Site) -> dict[str, Any]:
    """A draft about which there is nothing to say."""
    brand_id = await insert_brand(db, account.org_id)
    links = {"privacy_policy_link": site.url("/privacy"), "terms_and_conditions_link": site.url("/terms")}
    return {**GOOD, **links, "brand_id": str(brand_id)}


async def review(api: Client, draft: Mapping[str, Any]) -> Any:
    answer = await api.post("/v1/campaigns/review", dict(draft))
    assert answer.status == 200, answer.body
    return answer.data


def ids_of(result: Any, severity: str | None = None) -> set[str]:
    return {found["id"] for found in result["findings"] if severity in (None, found["severity"])}


@pytest.mark.covers("reviewCampaignDraft", 200)
async def test_200_a_draft_without_findings_can_be_submitted_and_is_accepted(
    api: Client, draft: dict[str, Any], site: Site, registrar: Registrar, account: Account
) -> None:
    before = await registrar.balance_cents(account.org_id)

    result = await review(api, draft)

    assert result["findings"] == []
    assert (result["can_submit"], result["llm_used"]) == (True, False)
    assert result["counts"] == {"block": 0, "warn": 0, "info": 0}
    assert sorted(site.asked) == ["/privacy", "/terms"]
    assert [page["status"] for page in result["checked_urls"]] == [200, 200]
    assert await registrar.balance_cents(account.org_id) == before
    assert (await api.post("/v1/campaigns", draft)).status == 202


@pytest.mark.covers("reviewCampaignDraft", 200)
async def test_200_an_empty_draft_has_a_finding_for_everything_that_is_missing(api: Client, db: CellDb) -> None:
    result = await review(api, {})

    assert ids_of(result, "block") == {
        "refused.brand_id", "refused.usecase", "refused.description", "refused.message_flow", "refused.sample1",
    }  # fmt: skip
    assert ids_of(result, "warn") == {"privacy_policy_link.missing", "terms_and_conditions_link.missing"}
    assert result["can_submit"] is False
    assert result["counts"] == {"block": 5, "warn": 2, "info": 0}
    assert await db.value("SELECT count(*) FROM campaigns") == 0
    assert all(
        set(found) == {"id", "severity", "category", "field", "title", "detail", "suggested_fix", "source", "docs_url"}
        and found["source"] == "deterministic"
        for found in result["findings"]
    )


@pytest.mark.covers("reviewCampaignDraft", 422)
async def test_422_only_values_of_a_wrong_type_are_rejected(api: Client) -> None:
    answer = await api.post("/v1/campaigns/review", {"embedded_link": "yes", "sample1": 5, "usecase": "SPAM"})

    assert (answer.status, set(answer.error["details"])) == (422, {"embedded_link", "sample1"})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"sample1": "Acme: see https://acme.example/a and reply STOP."}, {"embedded_link.not_set"}),
        ({"sample1": "Acme: see acme.example/a today. Reply STOP."}, {"embedded_link.not_set"}),
        ({"sample1": "Acme: call us at (415) 555-0123. Reply STOP."}, {"embedded_phone.not_set"}),
        ({"sample1": "Acme: call us at +14155550123. Reply STOP."}, {"embedded_phone.not_set"}),
        ({"sample1": "Acme: your code is 123456, keep it secret. Reply STOP."}, set()),
        ({"sample1": "Acme: write to me@acme.example. Reply STOP now."}, set()),
        ({"embedded_link": True}, {"embedded_link.not_shown"}),
        ({"embedded_link": True, "embedded_link_sample": "https://acme.example/a"}, set()),
        ({"embedded_phone": True}, {"embedded_phone.not_shown"}),
        (
            {"sample1": "Acme: see bit.ly/abc for more. STOP to end.", "embedded_link": True},
            {"samples.shortener", "embedded_link.not_shown"},
        ),
        ({"sample2": None}, {"samples.few"}),
        ({"sample2": GOOD["sample1"].upper()}, {"samples.repeated"}),
        ({"sample2": "Acme: lorem ipsum dolor sit amet."}, {"samples.placeholder"}),
        (
            {"sample1": "Your appointment is on Monday at 9.", "sample2": "Your appointment is tomorrow at 9."},
            {"samples.opt_out", "samples.brand_name"},
        ),
        ({"message_flow": "They walk in and we write them down, nothing else happens."}, FLOW_WORDING),
        ({"message_flow": GOOD["description"], "description": GOOD["description"]}, {"message_flow.repeated"}),
        ({"help_message": "Acme: we are here for you, always."}, {"help_message.contact"}),
        ({"optout_message": "Acme: thank you for the message."}, {"optout_message.confirms"}),
        ({"optin_message": "Acme: welcome to our reminders!"}, {"optin_message.stop"}),
        ({"optout_keywords": "END"}, {"optout_keywords.stop"}),
        ({"help_keywords": "INFO"}, {"help_keywords.help"}),
        ({"help_message": None}, {"help_message.missing"}),
        ({"sample1": "Acme: new wine is in, come and taste. Reply STOP."}, {"content.age_gated"}),
        ({"sample1": "Acme: new wine is in, come and taste. Reply STOP.", "age_gated": True}, set()),
        ({"description": GOOD["description"] + " Also about loans."}, {"content.direct_lending"}),
        ({"description": GOOD["description"] + " Also cannabis."}, {"content.forbidden"}),
        ({"usecase": "CHARITY"}, {"usecase.special"}),
        ({"number_pool": True}, {"number_pool.approval"}),
        ({"privacy_policy_link": None}, {"privacy_policy_link.missing"}),
        ({"optout_keywords": None}, {"refused.optout_keywords"}),
        ({"usecase": "MIXED"}, {"refused.sub_usecases"}),
        ({"brand_id": "acme"}, {"refused.brand_id"}),
        ({"brand_id": str(NOWHERE)}, {"brand.not_found"}),
    ],
)  # fmt: skip
async def test_each_check_has_its_own_finding_only(
    api: Client, draft: dict[str, Any], changes: Mapping[str, Any], expected: set[str]
) -> None:
    found = ids_of(await review(api, {**draft, **changes}))

    assert found - EXPECTED_BESIDES.get(next(iter(expected), ""), set()) == expected


EXPECTED_BESIDES = {"message_flow.repeated": FLOW_WORDING}
"""Findings that come along by nature: a description is no call to action."""


async def test_every_check_of_the_table_finds_something() -> None:
    """The table is data: a pattern that never strikes, or always does, would go unnoticed."""
    proven = {
        finding
        for mark in test_each_check_has_its_own_finding_only.pytestmark  # type: ignore[attr-defined]
        for case in mark.args[1]
        for finding in case[1]
    }

    assert {rule.id for rule in (*TABLE.wording, *TABLE.topic)} <= proven


@pytest.mark.parametrize(
    ("brand", "finding"),
    [({"identity_status": "UNVERIFIED"}, "brand.not_verified"), ({"status": "DELETED"}, "brand.not_found")],
)
async def test_the_brand_must_be_able_to_run_campaigns(
    api: Client, account: Account, db: CellDb, brand: Mapping[str, str], finding: str
) -> None:
    brand_id = await insert_brand(db, account.org_id, **brand)

    result = await review(api, {**GOOD, "brand_id": str(brand_id)})

    assert ids_of(result, "block") == {finding}


async def test_another_organizations_brand_is_not_found(api: Client, stranger: Account, db: CellDb) -> None:
    brand_id = await insert_brand(db, stranger.org_id)

    assert "brand.not_found" in ids_of(await review(api, {**GOOD, "brand_id": str(brand_id)}))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/moved", (200, None)),
        ("/missing", (404, "it answers 404")),
        ("/loop", (None, "it redirects more than 3 times")),
        ("/slow", (None, "it did not answer within 1 s")),
    ],
)
async def test_a_page_that_cannot_be_read_is_a_warning(
    api: Client, draft: dict[str, Any], site: Site, path: str, expected: tuple[int | None, str | None]
) -> None:
    result = await review(api, {**draft, "privacy_policy_link": site.url(path)})

    page = next(page for page in result["checked_urls"] if page["field"] == "privacy_policy_link")
    assert (page["status"], page["reason"]) == expected
    assert page["reachable"] is (expected[1] is None)
    assert ids_of(result, "warn") == (set() if page["reachable"] else {"privacy_policy_link.unreachable"})
    assert result["can_submit"] is True


async def test_a_page_of_our_own_network_is_not_requested(
    cells: Cells, account: Account, draft: dict[str, Any], site: Site
) -> None:
    services = {"secret_box": SECRET_BOX, "pages": PageChecker()}
    api = Client(RoomsApp(cells, campaign_routes, services=services), account.key)

    result = await review(api, {**draft, "terms_and_conditions_link": "http://169.254.169.254/latest/meta-data"})

    assert [page["reason"] for page in result["checked_urls"]] == ["its address is not public"] * 2
    assert site.asked == []


@pytest.mark.covers("createCampaign", 422)
@pytest.mark.parametrize(
    "url",
    [
        "https://localhost/terms",
        "http://10.0.0.1/terms",
        "http://169.254.169.254/latest/meta-data",
        "https://intranet/terms",
        "https://user:secret@customer.example/terms",
        "https://customer.example\\@10.0.0.1/terms",
    ],
)
async def test_422_a_link_that_no_reviewer_can_open_blocks_and_is_rejected(
    cells: Cells, account: Account, db: CellDb, url: str
) -> None:
    services = {"secret_box": SECRET_BOX, "pages": PageChecker()}
    api = Client(RoomsApp(cells, campaign_routes, services=services), account.key)
    draft = {**GOOD, "brand_id": str(await insert_brand(db, account.org_id)), "terms_and_conditions_link": url}

    result, answer = await review(api, draft), await api.post("/v1/campaigns", draft)

    assert "refused.terms_and_conditions_link" in ids_of(result, "block")
    assert (answer.status, list(answer.error["details"])) == (422, ["terms_and_conditions_link"])


async def test_pages_with_slow_names_delay_neither_others_nor_the_event_loop(
    cells: Cells, account: Account, stranger: Account, site: Site
) -> None:
    """All of one organization's reviews wait for a name server; another's are made meanwhile."""
    async with name_server() as server:
        names = Names(servers=[server.address])
        services = {"secret_box": SECRET_BOX, "pages": PageChecker(allow_private=True, names=names)}
        app = RoomsApp(cells, campaign_routes, services=services)
        links = [{**GOOD, "privacy_policy_link": f"http://slow{n}.test/"} for n in range(25)]
        slow = [asyncio.create_task(review(Client(app, account.key), link)) for link in links]
        await server.until_slow(10)

        quick = await review(
            Client(app, stranger.key), {**GOOD, "privacy_policy_link": f"http://quick.test:{site.port}/privacy"}
        )
        resolved = await asyncio.get_running_loop().getaddrinfo("localhost", 80)

        assert [page["status"] for page in quick["checked_urls"]] == [200]
        assert resolved
        assert not any(task.done() for task in slow)
        results = await asyncio.gather(*slow)
        await names.close()
    assert {page["reason"] for result in results for page in result["checked_urls"]} == {"it did not answer within 1 s"}


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/privacy", (200, None)),
        ("http://127.0.0.1:{port}/privacy#part", (200, None)),
        ("http://user@127.0.0.1:{port}/privacy", (None, "its address is not well-formed")),
        ("file:///etc/passwd", (None, "its address is not well-formed")),
        ("http://127.0.0.1:99999/", (None, "its address is not well-formed")),
    ],
)
async def test_a_redirect_is_validated_like_a_link(
    api: Client, draft: dict[str, Any], site: Site, location: str, expected: tuple[int | None, str | None]
) -> None:
    site.location = location.format(port=site.port)

    result = await review(api, {**draft, "privacy_policy_link": site.url("/elsewhere")})

    page = next(page for page in result["checked_urls"] if page["field"] == "privacy_policy_link")
    assert (page["status"], page["reason"]) == expected


@pytest.mark.parametrize("interim", [b"HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_a_page_with_endless_interim_responses_is_given_up(
    api: Client, draft: dict[str, Any], site: Site, interim: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_checks, "LIMIT_S", 20.0)
    site.interim = interim

    result = await review(api, {**draft, "privacy_policy_link": site.url("/endless")})

    page = next(page for page in result["checked_urls"] if page["field"] == "privacy_policy_link")
    assert (page["reachable"], page["reason"]) == (False, "its answer has no end")


async def test_a_page_whose_server_has_no_http_has_a_reason(api: Client, draft: dict[str, Any], site: Site) -> None:
    site.interim = b"220 smtp ready\r\n"

    result = await review(api, {**draft, "privacy_policy_link": site.url("/endless")})

    page = next(page for page in result["checked_urls"] if page["field"] == "privacy_policy_link")
    assert (page["reachable"], page["reason"]) == (False, "its answer is not HTTP")


@pytest.mark.covers("reviewCampaignDraft", 429)
async def test_429_thirty_a_minute(
    api: Client, account: Account, db: CellDb, draft: dict[str, Any], site: Site
) -> None:
    await db.run(
        "INSERT INTO api_rate_buckets (org_id, bucket, tokens, refilled_at) VALUES ($1, 'campaign_review', 0, $2)",
        account.org_id,
        db.now,
    )

    answer = await api.post("/v1/campaigns/review", draft)

    assert (answer.status, answer.error["code"], answer.headers["retry-after"]) == (429, "RATE_LIMITED", "2")
    assert site.asked == []


async def test_a_link_that_would_be_rejected_is_not_requested(api: Client, draft: dict[str, Any]) -> None:
    result = await review(api, {**draft, "privacy_policy_link": "file:///etc/passwd"})

    assert "refused.privacy_policy_link" in ids_of(result, "block")
    assert [page["field"] for page in result["checked_urls"]] == ["terms_and_conditions_link"]


async def test_the_same_key_gives_the_same_review(api: Client, draft: dict[str, Any], site: Site) -> None:
    headers = {"Idempotency-Key": "review-1"}

    first, again = [await api.post("/v1/campaigns/review", draft, headers=headers) for _ in range(2)]

    assert first.body == again.body
    assert again.headers["idempotent-replayed"] == "true"
    assert len(site.asked) == 2


async def test_a_review_whose_response_was_lost_is_made_again(api: Client, draft: dict[str, Any], db: CellDb) -> None:
    """Killed between taking the key and storing the answer."""
    headers = {"Idempotency-Key": "review-1"}
    await api.post("/v1/campaigns/review", draft, headers=headers)
    await db.run("UPDATE idempotency_keys SET status = NULL, body = NULL")

    again = await api.post("/v1/campaigns/review", draft, headers=headers)

    assert (again.status, again.data["can_submit"]) == (200, True)


@pytest.mark.parametrize("text", ["a" * 8192, "a-" * 4096, "1-" * 4096, "@" * 8192, "www." * 2048, "message " * 1024])
async def test_no_text_takes_long_to_review(api: Client, text: str) -> None:
    """Patterns must be fast on any content."""
    fields = dict.fromkeys(("message_flow", "description", "help_message", "sample1", "sample2", "sample3"), text)

    async with asyncio.timeout(2):
        result = await review(api, fields)

    assert result["can_submit"] is False
