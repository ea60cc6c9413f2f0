"""The operations of `client.metrics`. Generated from the contract by `tools/make_sdk.py`."""

from datetime import datetime
from typing import Literal

from msgspec import UNSET, UnsetType

from agentmessage.sdk._request import Request
from agentmessage.sdk._response import WithMeta
from agentmessage.sdk.models.metrics import Granularity, GranularityWord, Series, SeriesMeta
from agentmessage.sdk.sync.resource import Resource


class MetricsOperations(Resource):
    """The operations of `client.metrics`."""

    def messages(
        self,
        *,
        metric: Literal["cost_cents", "delivered", "failed", "sent"],
        from_: datetime | UnsetType = UNSET,
        to: datetime | UnsetType = UNSET,
        granularity: Granularity | GranularityWord | UnsetType = UNSET,
        cursor: str | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        compare_to: Literal["prior_period"] | UnsetType = UNSET,
        group_by: Literal["channel", "error_code"] | UnsetType = UNSET,
    ) -> WithMeta[Series, SeriesMeta]:
        """Read how many texts were sent, delivered or failed, or what they cost, over time.

        - `from_`: Start of the window, included.
        - `to`: End of the window, not included.
        - `granularity`: How long a bucket is; shorter ones than a day depend on the plan. `day` unless given.
        - `limit`: Buckets on a page, over all groups together; at least one of each group is printed. 1 to 5000, 1000
          unless given.
        - `compare_to`: Also tell the window of the same length immediately before.

        Scope: `metrics:read`. Raises ValidationFailedError, InvalidInputError, GranularityNotAvailableError,
        WindowTooLargeError.
        """
        return self._with_meta(
            Series,
            SeriesMeta,
            Request(
                "GET",
                "/v1/metrics/messages",
                query={
                    "from": from_,
                    "to": to,
                    "granularity": granularity,
                    "cursor": cursor,
                    "limit": limit,
                    "compare_to": compare_to,
                    "metric": metric,
                    "group_by": group_by,
                },
            ),
        )

    def inbound(
        self,
        *,
        metric: Literal["cost_cents", "received"],
        from_: datetime | UnsetType = UNSET,
        to: datetime | UnsetType = UNSET,
        granularity: Granularity | GranularityWord | UnsetType = UNSET,
        cursor: str | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        compare_to: Literal["prior_period"] | UnsetType = UNSET,
        group_by: Literal["channel"] | UnsetType = UNSET,
    ) -> WithMeta[Series, SeriesMeta]:
        """Read how many texts came in, or what they cost, over time.

        - `from_`: Start of the window, included.
        - `to`: End of the window, not included.
        - `granularity`: How long a bucket is; shorter ones than a day depend on the plan. `day` unless given.
        - `limit`: Buckets on a page, over all groups together; at least one of each group is printed. 1 to 5000, 1000
          unless given.
        - `compare_to`: Also tell the window of the same length immediately before.

        Scope: `metrics:read`. Raises ValidationFailedError, InvalidInputError, GranularityNotAvailableError,
        WindowTooLargeError.
        """
        return self._with_meta(
            Series,
            SeriesMeta,
            Request(
                "GET",
                "/v1/metrics/inbound",
                query={
                    "from": from_,
                    "to": to,
                    "granularity": granularity,
                    "cursor": cursor,
                    "limit": limit,
                    "compare_to": compare_to,
                    "metric": metric,
                    "group_by": group_by,
                },
            ),
        )

    def webhooks(
        self,
        *,
        metric: Literal["delivered", "failed", "retried"],
        from_: datetime | UnsetType = UNSET,
        to: datetime | UnsetType = UNSET,
        granularity: Granularity | GranularityWord | UnsetType = UNSET,
        cursor: str | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        compare_to: Literal["prior_period"] | UnsetType = UNSET,
        group_by: Literal["endpoint_id", "http_status_class", "kind"] | UnsetType = UNSET,
    ) -> WithMeta[Series, SeriesMeta]:
        """Read how many deliveries of webhooks succeeded, were given up, or are repeated, over time.

        - `from_`: Start of the window, included.
        - `to`: End of the window, not included.
        - `granularity`: How long a bucket is; shorter ones than a day depend on the plan. `day` unless given.
        - `limit`: Buckets on a page, over all groups together; at least one of each group is printed. 1 to 5000, 1000
          unless given.
        - `compare_to`: Also tell the window of the same length immediately before.

        Scope: `metrics:read`. Raises ValidationFailedError, InvalidInputError, GranularityNotAvailableError,
        WindowTooLargeError.
        """
        return self._with_meta(
            Series,
            SeriesMeta,
            Request(
                "GET",
                "/v1/metrics/webhooks",
                query={
                    "from": from_,
                    "to": to,
                    "granularity": granularity,
                    "cursor": cursor,
                    "limit": limit,
                    "compare_to": compare_to,
                    "metric": metric,
                    "group_by": group_by,
                },
            ),
        )

    def wallet(
        self,
        *,
        from_: datetime | UnsetType = UNSET,
        to: datetime | UnsetType = UNSET,
        granularity: Granularity | GranularityWord | UnsetType = UNSET,
        cursor: str | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        compare_to: Literal["prior_period"] | UnsetType = UNSET,
        metric: Literal["balance_end_cents", "credit_cents", "debit_cents"] | UnsetType = UNSET,
        group_by: Literal["kind"] | UnsetType = UNSET,
    ) -> WithMeta[Series, SeriesMeta]:
        """Read the balance at the end of each bucket, what was charged, or what was paid in, over time.

        A balance is carried forward through buckets in which nothing moved.

        - `from_`: Start of the window, included.
        - `to`: End of the window, not included.
        - `granularity`: How long a bucket is; shorter ones than a day depend on the plan. `day` unless given.
        - `limit`: Buckets on a page, over all groups together; at least one of each group is printed. 1 to 5000, 1000
          unless given.
        - `compare_to`: Also tell the window of the same length immediately before.
        - `metric`: `balance_end_cents` unless given.
        - `group_by`: Of debits what was charged for, of credits why; not of the balance.

        Scope: `metrics:read`. Raises ValidationFailedError, InvalidInputError, GranularityNotAvailableError,
        WindowTooLargeError.
        """
        return self._with_meta(
            Series,
            SeriesMeta,
            Request(
                "GET",
                "/v1/metrics/wallet",
                query={
                    "from": from_,
                    "to": to,
                    "granularity": granularity,
                    "cursor": cursor,
                    "limit": limit,
                    "compare_to": compare_to,
                    "metric": metric,
                    "group_by": group_by,
                },
            ),
        )
