"""`agentmessage metrics`."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import Struct

from agentmessage.cli.command import asks, chosen
from agentmessage.cli.output import Shown, Table
from agentmessage.cli.tables import print_json
from agentmessage.cli.timestamps import past

if TYPE_CHECKING:
    from agentmessage.sdk import AgentMessage
    from agentmessage.sdk.models import Series

metrics = typer.Typer(no_args_is_help=True, help="Messages, webhooks and money over time.")

From = Annotated[datetime | None, typer.Option("--from", parser=past, help="Start time, or duration ago such as 7d.")]
To = Annotated[datetime | None, typer.Option("--to", parser=past, help="End time; default: now.")]
Granularity = Annotated[str | None, typer.Option(help="Granularity: minute, hour or day, limited by your plan.")]
GroupBy = Annotated[str | None, typer.Option(help="Dimension to group by.")]


class Row(Struct, frozen=True, kw_only=True):
    """One bucket of a series. The group is null where the series is not grouped."""

    bucket_start: datetime
    value: int | None
    group: str | None


class Plotted(Struct, frozen=True, kw_only=True):
    """A series over time."""

    series: "Series"
    status: int = 0

    def print(self, *, as_json: bool) -> None:
        """The series as JSON, or one line per bucket."""
        if as_json:
            print_json(self.series)
            return
        columns = ("bucket_start", "value") if self.series.groups is None else ("bucket_start", "group", "value")
        title = f"{self.series.metric} by {self.series.granularity}"
        Table(rows=self._rows(), columns=columns, title=title).print(as_json=False)

    def _rows(self) -> Sequence[Row]:
        grouped = [(group.value, group.buckets) for group in self.series.groups or ()]
        return [
            Row(bucket_start=bucket.bucket_start, value=bucket.value, group=name)
            for name, buckets in [(None, self.series.buckets or ()), *grouped]
            for bucket in buckets
        ]


@asks(metrics, "messages")
def of_messages(
    client: "AgentMessage",
    *,
    metric: Annotated[str, typer.Option(help="Metric: sent, delivered, failed or cost_cents.")] = "sent",
    from_: From = None,
    to: To = None,
    granularity: Granularity = None,
    group_by: GroupBy = None,
) -> Shown:
    """Show sent messages over time."""
    asked: Any = chosen(metric=metric, from_=from_, to=to, granularity=granularity, group_by=group_by)
    return Plotted(series=client.metrics.messages(**asked).data)


@asks(metrics, "inbound")
def of_inbound(
    client: "AgentMessage",
    *,
    metric: Annotated[str, typer.Option(help="Metric: received or cost_cents.")] = "received",
    from_: From = None,
    to: To = None,
    granularity: Granularity = None,
    group_by: GroupBy = None,
) -> Shown:
    """Show inbound messages over time."""
    asked: Any = chosen(metric=metric, from_=from_, to=to, granularity=granularity, group_by=group_by)
    return Plotted(series=client.metrics.inbound(**asked).data)


@asks(metrics, "webhooks")
def of_webhooks(
    client: "AgentMessage",
    *,
    metric: Annotated[str, typer.Option(help="Metric: delivered, retried or failed.")] = "delivered",
    from_: From = None,
    to: To = None,
    granularity: Granularity = None,
    group_by: GroupBy = None,
) -> Shown:
    """Show webhook deliveries over time."""
    asked: Any = chosen(metric=metric, from_=from_, to=to, granularity=granularity, group_by=group_by)
    return Plotted(series=client.metrics.webhooks(**asked).data)


@asks(metrics, "wallet")
def of_wallet(
    client: "AgentMessage",
    *,
    metric: Annotated[
        str, typer.Option(help="Metric: debit_cents, credit_cents or balance_end_cents.")
    ] = "debit_cents",
    from_: From = None,
    to: To = None,
    granularity: Granularity = None,
    group_by: GroupBy = None,
) -> Shown:
    """Show wallet movements over time."""
    asked: Any = chosen(metric=metric, from_=from_, to=to, granularity=granularity, group_by=group_by)
    return Plotted(series=client.metrics.wallet(**asked).data)
