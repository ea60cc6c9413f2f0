"""GET /v1/metrics/…: every status, and what each promises. The present is 2026-04-26, 12:30:30."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from agentmessage.kernel.db import CellDb, Cells
from agentmessage.web.scopes import CUSTOMER_SCOPES
from tests.conftest import Client
from tests.make.accounts import Account, key_with
from tests.make.rooms import RoomsApp
from tests.metrics.conftest import NOW, Sums

SENT = "/v1/metrics/messages?metric=sent"
APRIL = "&from=2026-04-24T00:00:00Z&to=2026-04-27T00:00:00Z"
OPERATIONS = {
    "getMetricsMessages": "/v1/metrics/messages?metric=sent",
    "getMetricsInbound": "/v1/metrics/inbound?metric=received",
    "getMetricsWebhooks": "/v1/metrics/webhooks?metric=delivered",
    "getMetricsWallet": "/v1/metrics/wallet",
}


def covering(status: int) -> Any:
    """Every operation, each as covered for a status."""
    return pytest.mark.parametrize(
        "path",
        [pytest.param(path, id=name, marks=pytest.mark.covers(name, status)) for name, path in OPERATIONS.items()],
    )


def values(buckets: list[Any]) -> list[Any]:
    return [bucket["value"] for bucket in buckets]


@covering(200)
async def test_200_a_series_prints_every_key_its_window_and_how_far_it_is_counted(api: Client, path: str) -> None:
    answer = await api.get(path)

    assert answer.status == 200
    assert list(answer.data) == ["metric", "granularity", "from", "to", "buckets", "groups", "prior_period"]
    assert (answer.data["granularity"], answer.data["groups"], answer.data["prior_period"]) == ("day", None, None)
    assert (answer.data["from"], answer.data["to"]) == ("2026-03-28T00:00:00Z", "2026-04-27T00:00:00Z")
    assert len(answer.data["buckets"]) == 30
    assert list(answer.data["buckets"][0]) == ["bucket_start", "value"]
    assert list(answer.json["meta"]) == ["as_of", "limit", "next_cursor"]
    assert (answer.json["meta"]["limit"], answer.json["meta"]["next_cursor"]) == (1000, None)
    assert answer.headers["cache-control"] == "private, max-age=30"


@covering(401)
async def test_401_without_a_key_nothing_is_told(app: RoomsApp, path: str) -> None:
    answer = await Client(app).get(path)

    assert (answer.status, answer.error["code"]) == (401, "UNAUTHORIZED")


@covering(403)
async def test_403_without_the_scope_nothing_is_told(app: RoomsApp, cells: Cells, account: Account, path: str) -> None:
    key = await key_with(cells, account.tenant, sorted(set(CUSTOMER_SCOPES) - {"metrics:read"}))

    answer = await Client(app, key).get(path)

    assert (answer.status, answer.error["code"]) == (403, "FORBIDDEN")


@covering(422)
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("metric=gold", "metric"),
        ("granularity=week", "granularity"),
        ("granularity=", "granularity"),
        ("group_by=recipient", "group_by"),
        ("limit=0", "limit"),
        ("limit=5001", "limit"),
        ("limit=ten", "limit"),
        ("compare_to=last_year", "compare_to"),
        ("from=yesterday", "from"),
        ("from=2026-04-26T00:00:00", "from"),
        ("from=2026-04-27T00:00:00Z", "from"),
        ("from=1969-12-31T00:00:00Z", "from"),
        ("to=0001-01-01T00:00:00Z", "to"),
        ("to=9999-12-31T23:59:59Z", "to"),
        ("from=2026-04-26T00:00:00Z&to=2026-04-26T00:00:00Z", "from"),
        ("cursor=nonsense", "cursor"),
        ("cursor=eyJjcmVhdGVkX2F0IjoiMjAyNi0wNC0yNlQxMjowMDowMFoiLCJpZCI6IngifQ", "cursor"),
    ],
)
async def test_422_a_bad_parameter_is_named(api: Client, path: str, query: str, field: str) -> None:
    base = path.partition("?")[0] if query.startswith("metric=") else path

    answer = await api.get(f"{base}{'&' if '?' in base else '?'}{query}")

    assert (answer.status, answer.error["code"]) == (422, "VALIDATION_FAILED")
    assert list(answer.error["details"]) == [field]


@pytest.mark.covers("getMetricsMessages", 422)
@pytest.mark.covers("getMetricsInbound", 422)
@pytest.mark.covers("getMetricsWebhooks", 422)
@pytest.mark.parametrize("path", ["messages", "inbound", "webhooks"])
async def test_422_all_but_the_wallet_need_a_metric(api: Client, path: str) -> None:
    answer = await api.get(f"/v1/metrics/{path}")

    assert (answer.status, answer.error["details"]) == (422, {"metric": "is required"})


async def test_a_series_counts_whole_buckets_of_utc_and_only_ones_own(
    app: RoomsApp, api: Client, sums: Sums, stranger: Account
) -> None:
    await sums.add("messages.outbound.sent", "04-24T23:59:59.999999", 3, channel="sms")
    await sums.add("messages.outbound.sent", "04-25T00:00:00", 5, channel="sms")
    await sums.add("messages.outbound.sent", "04-25T12:00:00", 7, channel="mms")
    await sums.add("messages.outbound.delivered", "04-25T12:00:00", 100, channel="sms")

    answer = await api.get(SENT + APRIL)
    theirs = await Client(app, stranger.key).get(SENT + APRIL)

    assert answer.data["metric"] == "messages.outbound.sent"
    assert [bucket["bucket_start"] for bucket in answer.data["buckets"]] == [
        "2026-04-24T00:00:00Z",
        "2026-04-25T00:00:00Z",
        "2026-04-26T00:00:00Z",
    ]
    assert values(answer.data["buckets"]) == [3, 12, None]
    assert values(theirs.data["buckets"]) == [0, 0, None]


async def test_both_ends_of_the_window_are_rounded_outwards_to_whole_buckets(api: Client) -> None:
    answer = await api.get(f"{SENT}&from=2026-04-24T23:00:00-02:00&to=2026-04-25T00:00:00.000001Z")

    assert (answer.data["from"], answer.data["to"]) == ("2026-04-25T00:00:00Z", "2026-04-26T00:00:00Z")


async def test_what_is_not_counted_yet_is_null_and_what_is_empty_is_0(api: Client, sums: Sums) -> None:
    await sums.add("messages.outbound.sent", "04-26T11:00:00", 9, channel="sms")
    await sums.as_of(datetime.fromisoformat("2026-04-26T00:00:00+00:00"))

    answer = await api.get(SENT + APRIL)

    assert values(answer.data["buckets"]) == [0, 0, None]
    assert answer.json["meta"]["as_of"] == "2026-04-26T00:00:00Z"


@pytest.mark.parametrize("metric", ["messages?metric=sent", "wallet?metric=balance_end_cents"])
@pytest.mark.parametrize(
    ("length", "ends_at"), [("day", "04-26T00:00:00"), ("hour", "04-26T12:00:00"), ("minute", "04-26T12:30:00")]
)
async def test_a_bucket_has_a_value_once_it_is_over_and_counted_to_its_end(
    api: Client, sums: Sums, metric: str, length: str, ends_at: str
) -> None:
    """A number that was shown never changes: the bucket that holds `as_of` is still growing."""
    await sums.plan("custom")
    end = datetime.fromisoformat(f"2026-{ends_at}+00:00")
    seen: list[list[bool]] = []

    for as_of in (end - timedelta(microseconds=1), end, end + timedelta(seconds=30)):
        await sums.as_of(as_of)
        window = (
            f"from={end - timedelta(seconds=60):%Y-%m-%dT%H:%M}:00Z&to={end + timedelta(seconds=60):%Y-%m-%dT%H:%M}:00Z"
        )
        buckets = (await api.get(f"/v1/metrics/{metric}&granularity={length}&{window}")).data["buckets"]
        seen.append([bucket["value"] is None for bucket in buckets])

    assert seen == [[True, True], [False, True], [False, True]]


async def test_groups_share_their_buckets_and_what_has_no_such_label_comes_last(api: Client, sums: Sums) -> None:
    await sums.add("messages.outbound.failed", "04-24T08:00:00", 2, channel="sms", error_code="spam")
    await sums.add("messages.outbound.failed", "04-25T08:00:00", 3, channel="mms", error_code="expired")
    await sums.add("messages.outbound.failed", "04-25T08:00:00", 1, channel="mms")

    by_code = await api.get(f"/v1/metrics/messages?metric=failed&group_by=error_code{APRIL}")
    by_channel = await api.get(f"/v1/metrics/messages?metric=failed&group_by=channel{APRIL}")

    assert by_code.data["buckets"] is None
    assert [list(group) for group in by_code.data["groups"]] == [["by", "value", "buckets"]] * 3
    assert [(group["value"], values(group["buckets"])) for group in by_code.data["groups"]] == [
        ("expired", [0, 3, None]),
        ("spam", [2, 0, None]),
        (None, [0, 1, None]),
    ]
    assert [(group["value"], values(group["buckets"])) for group in by_channel.data["groups"]] == [
        ("mms", [0, 4, None]),
        ("sms", [2, 0, None]),
    ]
    assert {group["by"] for group in by_channel.data["groups"]} == {"channel"}


async def test_the_prior_period_is_as_long_and_lies_immediately_before(api: Client, sums: Sums) -> None:
    await sums.add("messages.outbound.sent", "04-21T08:00:00", 1, channel="sms")
    await sums.add("messages.outbound.sent", "04-23T08:00:00", 2, channel="mms")
    await sums.add("messages.outbound.sent", "04-24T08:00:00", 4, channel="sms")

    plain = (await api.get(f"{SENT}{APRIL}&compare_to=prior_period")).data
    grouped = (await api.get(f"{SENT}{APRIL}&compare_to=prior_period&group_by=channel")).data

    assert list(plain["prior_period"]) == ["from", "to", "buckets", "groups"]
    assert (plain["prior_period"]["from"], plain["prior_period"]["to"]) == (
        "2026-04-21T00:00:00Z",
        "2026-04-24T00:00:00Z",
    )
    assert values(plain["prior_period"]["buckets"]) == [1, 0, 2]
    assert values(plain["buckets"]) == [4, 0, None]
    assert [group["value"] for group in grouped["groups"]] == ["mms", "sms"]
    assert [values(group["buckets"]) for group in grouped["prior_period"]["groups"]] == [[0, 0, 2], [1, 0, 0]]


async def test_pages_tell_each_bucket_once_whatever_the_time_and_without_repeating_the_window(
    api: Client, sums: Sums
) -> None:
    await sums.plan("growth")
    await sums.add("messages.outbound.sent", "04-26T10:00:00", 5, channel="sms")
    ask = f"{SENT}&granularity=hour&limit=10&compare_to=prior_period"

    seen, prior, cursor = list[Any](), list[Any](), ""
    while cursor is not None:
        answer = await api.get(ask + (f"&cursor={cursor}" if cursor else ""))
        assert (answer.data["from"], answer.data["to"]) == ("2026-04-25T13:00:00Z", "2026-04-26T13:00:00Z")
        seen += answer.data["buckets"]
        prior += answer.data["prior_period"]["buckets"]
        cursor = answer.json["meta"]["next_cursor"]

    start = datetime.fromisoformat("2026-04-25T13:00:00+00:00")
    at = [datetime.fromisoformat(bucket["bucket_start"]) for bucket in seen]
    assert at == [start + timedelta(hours=n) for n in range(24)]
    assert [datetime.fromisoformat(bucket["bucket_start"]) for bucket in prior] == [
        moment - timedelta(days=1) for moment in at
    ]
    assert values(seen)[-3:] == [5, 0, None]


async def test_a_page_holds_at_most_so_many_buckets_over_all_its_groups(api: Client, sums: Sums) -> None:
    await sums.add("messages.outbound.sent", "04-24T10:00:00", 5, channel="sms")
    await sums.add("messages.outbound.sent", "04-24T10:00:00", 5, channel="mms")

    four = (await api.get(f"{SENT}{APRIL}&group_by=channel&limit=4")).data
    one = (await api.get(f"{SENT}{APRIL}&group_by=channel&limit=1")).data

    assert [len(group["buckets"]) for group in four["groups"]] == [2, 2]
    assert [len(group["buckets"]) for group in one["groups"]] == [1, 1]


@pytest.mark.covers("getMetricsMessages", 422)
@pytest.mark.parametrize(
    ("other", "field"),
    [
        ("/v1/metrics/messages?metric=delivered&group_by=channel&limit=2", "metric"),
        ("/v1/metrics/inbound?metric=received&group_by=channel&limit=2", "metric"),
        (f"{SENT}&group_by=channel&granularity=hour", "granularity"),
        (f"{SENT}&group_by=error_code", "group_by"),
        (SENT, "group_by"),
        (f"{SENT}&group_by=channel&compare_to=prior_period", "compare_to"),
        (f"{SENT}&group_by=channel&from=2026-04-23T00:00:00Z", "from"),
        (f"{SENT}&group_by=channel&to=2026-04-26T00:00:00Z", "to"),
    ],
)
async def test_422_a_cursor_answers_only_the_question_that_it_came_from(
    api: Client, sums: Sums, other: str, field: str
) -> None:
    await sums.plan("growth")
    first = await api.get(f"{SENT}{APRIL}&group_by=channel&limit=2")
    cursor = first.json["meta"]["next_cursor"]

    refused = await api.get(f"{other}&cursor={cursor}")

    assert (refused.status, refused.error["code"]) == (422, "INVALID_INPUT")
    assert list(refused.error["details"]) == [field]


@covering(422)
async def test_422_payg_has_days_only_and_other_plans_have_finer_ones(api: Client, sums: Sums, path: str) -> None:
    hourly = f"{path}{'&' if '?' in path else '?'}granularity=hour"
    minutely = hourly.replace("hour", "minute")

    for plan, ask, finest in (
        ("payg", hourly, "day"),
        ("payg", minutely, "day"),
        ("starter", hourly, "day"),
        ("starter", minutely, "day"),
        ("growth", minutely, "hour"),
        ("unheard-of", hourly, "day"),
    ):
        await sums.plan(plan)
        refused = await api.get(ask)
        assert (refused.status, refused.error["code"]) == (422, "GRANULARITY_NOT_AVAILABLE")
        assert refused.error["details"] == {"max_granularity": finest}
    for plan, ask, length in (
        ("growth", hourly, 24),
        ("scale", minutely, 60),
        ("custom", minutely, 60),
        ("custom", hourly, 24),
    ):
        await sums.plan(plan)
        assert len((await api.get(ask)).data["buckets"]) == length


@covering(422)
async def test_422_a_window_of_more_than_ten_thousand_buckets_is_refused(api: Client, sums: Sums, path: str) -> None:
    await sums.plan("scale")
    ask = f"{path}{'&' if '?' in path else '?'}granularity=minute&to=2026-04-26T00:00:00Z&limit=1"

    just = await api.get(f"{ask}&from=2026-04-19T01:20:00Z")
    over = await api.get(f"{ask}&from=2026-04-19T01:19:59Z")

    assert just.status == 200
    assert (over.status, over.error["code"]) == (422, "WINDOW_TOO_LARGE")
    assert over.error["details"] == {"bucket_count": "10001", "max_buckets": "10000"}


async def test_minutes_are_null_once_they_are_no_more_kept(api: Client, sums: Sums) -> None:
    await sums.plan("scale")
    edge = NOW - timedelta(days=35)
    window = f"from={edge:%Y-%m-%dT%H:%M}:00Z&to={edge + timedelta(minutes=2):%Y-%m-%dT%H:%M}:00Z"

    answer = await api.get(f"{SENT}&granularity=minute&{window}&compare_to=prior_period")

    assert values(answer.data["buckets"]) == [None, 0]
    assert values(answer.data["prior_period"]["buckets"]) == [None, None]


async def test_money_is_in_whole_cents_rounded_half_up(api: Client, sums: Sums) -> None:
    await sums.add("messages.outbound.cost_cents", "04-24T10:00:00", 499_999, channel="sms")
    await sums.add("messages.outbound.cost_cents", "04-25T10:00:00", 1_500_000, channel="sms")
    await sums.add("messages.inbound.cost_cents", "04-25T10:00:00", 83_000_000, channel="sms")

    out = await api.get(f"/v1/metrics/messages?metric=cost_cents{APRIL}")
    back = await api.get(f"/v1/metrics/inbound?metric=cost_cents{APRIL}")

    assert values(out.data["buckets"]) == [0, 2, None]
    assert values(back.data["buckets"]) == [0, 83, None]


async def test_deliveries_are_told_by_endpoint_kind_and_class_of_status(api: Client, sums: Sums) -> None:
    for endpoint, status in (("a", "5xx"), ("b", "none")):
        await sums.add(
            "webhooks.retried", "04-24T10:00:00", 2, endpoint_id=endpoint, kind="endpoint", http_status_class=status
        )

    for label, found in (("endpoint_id", ["a", "b"]), ("kind", ["endpoint"]), ("http_status_class", ["5xx", "none"])):
        answer = await api.get(f"/v1/metrics/webhooks?metric=retried&group_by={label}{APRIL}")
        assert [group["value"] for group in answer.data["groups"]] == found


async def test_the_balance_is_each_buckets_closing_value_carried_forward(api: Client, db: CellDb, sums: Sums) -> None:
    """From the account's 1,000 dollars at NOW backwards; nothing moved on the 25th."""
    await sums.add("wallet.credit_cents", "04-24T10:00:00", 500_000_000, kind="topup")
    await sums.add("wallet.debit_cents", "04-24T11:00:00", 100_500_000, kind="outbound")
    await sums.add("wallet.credit_cents", "04-26T01:00:00", 20_000_000, kind="refund")
    await db.run("UPDATE wallets SET balance_microcents = balance_microcents + 419500000")

    days = await api.get("/v1/metrics/wallet?from=2026-04-23T00:00:00Z&to=2026-04-28T00:00:00Z")
    await sums.plan("growth")
    hours = await api.get(
        "/v1/metrics/wallet?metric=balance_end_cents&granularity=hour&from=2026-04-24T09:00:00Z&to=2026-04-24T13:00:00Z"
    )

    assert days.data["metric"] == "wallet.balance_end_cents"
    assert values(days.data["buckets"]) == [0, 399, 399, None, None]
    assert values(hours.data["buckets"]) == [0, 500, 399, 399]


async def test_debits_and_credits_are_positive_and_told_by_kind(api: Client, sums: Sums) -> None:
    await sums.add("wallet.debit_cents", "04-24T11:00:00", 100_000_000, kind="outbound_sms")
    await sums.add("wallet.debit_cents", "04-24T11:00:00", 50_000_000, kind="number_month")

    answer = await api.get(f"/v1/metrics/wallet?metric=debit_cents&group_by=kind{APRIL}")

    assert [(group["value"], values(group["buckets"])) for group in answer.data["groups"]] == [
        ("number_month", [50, 0, None]),
        ("outbound_sms", [100, 0, None]),
    ]


@pytest.mark.covers("getMetricsWallet", 422)
@pytest.mark.parametrize("metric", ["", "metric=balance_end_cents&"])
async def test_422_a_balance_has_no_kinds(api: Client, metric: str) -> None:
    answer = await api.get(f"/v1/metrics/wallet?{metric}group_by=kind")

    assert (answer.status, answer.error["code"]) == (422, "VALIDATION_FAILED")
    assert answer.error["details"] == {"group_by": "must not be given with balance_end_cents"}
