"""Frequency caps count every window a message falls into, messages that are only scheduled included."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agentmessage.compliance import operations as compliance
from agentmessage.compliance import rules as compliance_rules
from agentmessage.compliance.errors import FrequencyCapExceeded
from agentmessage.compliance.model import ContactHistory, Evaluation, SendFacts, SendRequest
from agentmessage.guardrails.model import FrequencyCap
from agentmessage.guardrails.resolution import resolve_floor
from agentmessage.organizations.model import QuietHours

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCOPE = UUID(int=7)


def evaluate(due_at: datetime, history: ContactHistory, *, max_in_window: int, minutes: int) -> Evaluation:
    resolved = replace(resolve_floor(QuietHours()), cap=FrequencyCap(SCOPE, minutes, max_in_window))
    request = SendRequest(SCOPE, "live", "+14155550123", "+12125550188", "customer", due_at)
    return Evaluation(
        request,
        SendFacts(**dict.fromkeys(SendFacts.__struct_fields__)),
        resolved,
        None,
        history,
        requires_propagation=True,
    )


@given(
    dues=st.lists(st.integers(min_value=0, max_value=3_000), max_size=40),
    max_in_window=st.integers(min_value=1, max_value=5),
    minutes=st.integers(min_value=1, max_value=600),
)
def test_no_window_ever_holds_more_than_allowed_in_whatever_order_messages_are_scheduled(
    dues: Sequence[int], max_in_window: int, minutes: int
) -> None:
    history = ContactHistory()
    admitted: list[datetime] = []
    for due in dues:
        evaluation = evaluate(NOW + timedelta(minutes=due), history, max_in_window=max_in_window, minutes=minutes)
        if compliance_rules.within_frequency_cap(evaluation) is None:
            compliance.record_history(evaluation, NOW, is_disclosed=False)
            admitted.append(evaluation.request.due_at)

    for start in admitted:
        end = start + timedelta(minutes=minutes)
        assert sum(start <= moment < end for moment in admitted) <= max_in_window


@given(
    dues=st.lists(st.integers(min_value=0, max_value=300), max_size=20),
    due=st.integers(min_value=0, max_value=300),
    max_in_window=st.integers(min_value=1, max_value=3),
    minutes=st.integers(min_value=1, max_value=100),
)
def test_the_message_fits_when_the_refusal_said_it_would_and_no_sooner_to_the_minute(
    dues: Sequence[int], due: int, max_in_window: int, minutes: int
) -> None:
    history = ContactHistory()
    for moment in dues:
        evaluation = evaluate(NOW + timedelta(minutes=moment), history, max_in_window=max_in_window, minutes=minutes)
        if compliance_rules.within_frequency_cap(evaluation) is None:
            compliance.record_history(evaluation, NOW, is_disclosed=False)
    refused = compliance_rules.within_frequency_cap(
        evaluate(NOW + timedelta(minutes=due), history, max_in_window=max_in_window, minutes=minutes)
    )
    if refused is None:
        return

    assert isinstance(refused, FrequencyCapExceeded)
    assert refused.details is not None
    resets_at = datetime.fromisoformat(refused.details["resets_at"])
    at = NOW + timedelta(minutes=due)
    while at < resets_at:
        assert (
            compliance_rules.within_frequency_cap(evaluate(at, history, max_in_window=max_in_window, minutes=minutes))
            is not None
        )
        at += timedelta(minutes=1)
    assert (
        compliance_rules.within_frequency_cap(
            evaluate(resets_at, history, max_in_window=max_in_window, minutes=minutes)
        )
        is None
    )
