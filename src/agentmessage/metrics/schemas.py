"""Series on the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from agentmessage.metrics.model import Granularity
from agentmessage.web.types import CursorText, Request, Resource, Utc, error_text


class SeriesQuery(Request, frozen=True):
    """What every question about a series takes. Both ends of the window are rounded outwards to whole buckets, in UTC.

    Without `to` the window ends with the present bucket; without `from` it is 30 days long, with `granularity=hour` a
    day, with `minute` an hour.
    """

    from_: Annotated[Utc, Meta(description="Start of the window, included.")] | UnsetType = field(
        name="from", default=UNSET
    )
    to: Annotated[Utc, Meta(description="End of the window, not included.")] | UnsetType = UNSET
    granularity: Annotated[
        Granularity,
        Meta(
            description="How long a bucket is; shorter ones than a day depend on the plan.",
            extra=error_text("must be one of minute, hour, day"),
        ),
    ] = Granularity.DAY
    cursor: CursorText | UnsetType = UNSET
    limit: Annotated[
        int,
        Meta(
            ge=1,
            le=5000,
            description="Buckets on a page, over all groups together; at least one of each group is printed.",
            extra=error_text("must be an integer, 1..5000"),
        ),
    ] = 1000
    compare_to: (
        Annotated[
            Literal["prior_period"],
            Meta(
                description="Also tell the window of the same length immediately before.",
                extra=error_text("must be prior_period"),
            ),
        ]
        | UnsetType
    ) = UNSET


class MessagesQuery(SeriesQuery, frozen=True, kw_only=True):
    """Texts out. `failed` counts what a carrier refused and what did not arrive, at the time that it became known."""

    metric: Annotated[
        Literal["sent", "delivered", "failed", "cost_cents"],
        Meta(examples=["sent"], extra=error_text("must be one of sent, delivered, failed, cost_cents")),
    ]
    group_by: (
        Annotated[Literal["channel", "error_code"], Meta(extra=error_text("must be one of channel, error_code"))]
        | UnsetType
    ) = UNSET


class InboundQuery(SeriesQuery, frozen=True, kw_only=True):
    """Texts in."""

    metric: Annotated[
        Literal["received", "cost_cents"],
        Meta(examples=["received"], extra=error_text("must be one of received, cost_cents")),
    ]
    group_by: Annotated[Literal["channel"], Meta(extra=error_text("must be channel"))] | UnsetType = UNSET


class WebhooksQuery(SeriesQuery, frozen=True, kw_only=True):
    """Deliveries: `retried` counts attempts that failed and are repeated, `failed` deliveries that were given up."""

    metric: Annotated[
        Literal["delivered", "failed", "retried"],
        Meta(examples=["delivered"], extra=error_text("must be one of delivered, failed, retried")),
    ]
    group_by: (
        Annotated[
            Literal["endpoint_id", "kind", "http_status_class"],
            Meta(extra=error_text("must be one of endpoint_id, kind, http_status_class")),
        ]
        | UnsetType
    ) = UNSET


class WalletQuery(SeriesQuery, frozen=True, kw_only=True):
    """Money. Debits are positive; what was given back counts among the credits."""

    metric: Annotated[
        Literal["balance_end_cents", "debit_cents", "credit_cents"],
        Meta(extra=error_text("must be one of balance_end_cents, debit_cents, credit_cents")),
    ] = "balance_end_cents"
    group_by: (
        Annotated[
            Literal["kind"],
            Meta(
                description="Of debits what was charged for, of credits why; not of the balance.",
                extra=error_text("must be kind"),
            ),
        ]
        | UnsetType
    ) = UNSET


class Bucket(Resource, frozen=True):
    """One bucket, from `bucket_start` until before the next. Null: not counted yet (or no more kept), unlike 0.

    Of money the whole cents, rounded half up; of a balance, down.
    """

    bucket_start: datetime
    value: int | None


class Group(Resource, frozen=True):
    """The series of one value of `by`; a null value is what has none, such as a text that did not fail."""

    by: str
    value: str | None
    buckets: Sequence[Bucket]


class PriorPeriod(Resource, frozen=True):
    """The window before: its n-th bucket on a page stands against the n-th of the page."""

    from_: datetime = field(name="from")
    to: datetime
    buckets: Sequence[Bucket] | None
    groups: Sequence[Group] | None


class Series(Resource, frozen=True):
    """One page of a series. With `group_by` there are `groups` and `buckets` is null; without, the other way round.

    `from` and `to` are the window of the whole series, rounded to buckets.
    """

    metric: Annotated[str, Meta(examples=["messages.outbound.sent"])]
    granularity: Granularity
    from_: datetime = field(name="from")
    to: datetime
    buckets: Sequence[Bucket] | None
    groups: Sequence[Group] | None
    prior_period: PriorPeriod | None


class SeriesMeta(Struct, frozen=True):
    """`meta` of a series: everything before `as_of` has been counted."""

    as_of: datetime
    limit: int
    next_cursor: str | None
