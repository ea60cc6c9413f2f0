"""Instants that callers send: brought to UTC, or refused where UTC has no such year."""

from datetime import UTC, datetime

from agentmessage.kernel.errors import ValidationFailed


def in_utc(moment: datetime, field: str) -> datetime:
    """The same instant in UTC. Raises ValidationFailed naming `field` when it lies before year 1 or after year 9999."""
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValidationFailed({field: "must be an RFC 3339 time within the years 1..9999"}) from error
