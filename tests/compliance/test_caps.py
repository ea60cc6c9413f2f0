"""Frequency caps count every window a text falls into, texts that are only scheduled included."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agentmessage.compliance import operations as compliance
from agentmessage.compliance import rules as compliance_rules
from agentmessage.compliance.errors import FrequencyCapExceeded
from agentmessage.compliance.model import Ask, Case, ContactHistory, Facts
from agentmessage.guardrails.model import FrequencyCap
from agentmessage.guardrails.resolution import resolve_floor
from agentmessage.organizations.model import QuietHours

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCOPE = UUID(int=7)


def case(due_at: datetime, history: ContactHistory, *, most: int, minutes: int) -> Case:
    resolved = replace(resolve_floor(QuietHours()), cap=FrequencyCap(SCOPE, minutes, most))
    ask = Ask(SCOPE, "live", "+14155550123", "+12125550188", "customer", due_at)
    return Case(
        ask, Facts(**dict.fromkeys(Facts.__struct_fields__)), resolved, None, history, requires_propagation=True
    )


@given(
    dues=st.lists(st.integers(min_value=0, max_value=3_000), max_size=40),
    most=st.integers(min_value=1, max_value=5),
    minutes=st.integers(min_value=1, max_value=600),
)
def test_no_window_ever_holds_more_than_allowed_in_whatever_order_texts_are_scheduled(
    dues: Sequence[int], most: int, minutes: int
) -> None:
    book = ContactHistory()
    admitted: list[datetime] = []
    for due in dues:
        one = case(NOW + timedelta(minutes=due), book, most=most, minutes=minutes)
        if compliance_rules.recipient_is_not_overtexted(one) is None:
            compliance.remember(one, NOW, is_disclosed=False)
            admitted.append(one.ask.due_at)

    for start in admitted:
        end = start + timedelta(minutes=minutes)
        assert sum(start <= moment < end for moment in admitted) <= most


@given(
    dues=st.lists(st.integers(min_value=0, max_value=300), max_size=20),
    due=st.integers(min_value=0, max_value=300),
    most=st.integers(min_value=1, max_value=3),
    minutes=st.integers(min_value=1, max_value=100),
)
def test_the_text_fits_when_the_refusal_said_it_would_and_no_sooner_to_the_minute(
    dues: Sequence[int], due: int, most: int, minutes: int
) -> None:
    book = ContactHistory()
    for moment in dues:
        one = case(NOW + timedelta(minutes=moment), book, most=most, minutes=minutes)
        if compliance_rules.recipient_is_not_overtexted(one) is None:
            compliance.remember(one, NOW, is_disclosed=False)
    refused = compliance_rules.recipient_is_not_overtexted(
        case(NOW + timedelta(minutes=due), book, most=most, minutes=minutes)
    )
    if refused is None:
        return

    assert isinstance(refused, FrequencyCapExceeded)
    assert refused.details is not None
    resets_at = datetime.fromisoformat(refused.details["resets_at"])
    at = NOW + timedelta(minutes=due)
    while at < resets_at:
        assert compliance_rules.recipient_is_not_overtexted(case(at, book, most=most, minutes=minutes)) is not None
        at += timedelta(minutes=1)
    assert compliance_rules.recipient_is_not_overtexted(case(resets_at, book, most=most, minutes=minutes)) is None
