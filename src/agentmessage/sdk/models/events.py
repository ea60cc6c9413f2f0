"""Values of `events`. Generated from the contract by `tools/make_sdk.py`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from agentmessage.sdk._response import Model
from agentmessage.sdk.models.shared import EventType
from agentmessage.sdk.open_enum import OpenEnum


class EventOrder(OpenEnum):
    """Which end of the list comes first."""

    ASC = "asc"
    DESC = "desc"


EventOrderWord = Literal["asc", "desc"]


class Event(Model, frozen=True, kw_only=True):
    """One fact. `data` is the resource as it was at that moment."""

    id: str
    type: EventType
    api_version: str
    created_at: datetime
    org_id: str
    data: Mapping[str, Any]
