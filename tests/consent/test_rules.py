"""Who wins: a table of every opt-out against every claim of consent, and what the captures' own rules refuse."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from msgspec.structs import replace

from agentmessage.consent import rules
from agentmessage.consent.model import (
    Change,
    Consent,
    ConsentMethod,
    Evidence,
    Grant,
    HistoryEvent,
    Outcome,
    Pair,
    Source,
    Suppression,
    Withdrawal,
)

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ORG, OURS = uuid4(), uuid4()
PAIR = Pair(OURS, "+14155550123")
MINUTE = timedelta(minutes=1)

ATTESTED = Grant(pair=PAIR, method=ConsentMethod.CHECKBOX, source=Source.API, occurred_at=NOW - MINUTE)
START = Grant(
    pair=PAIR, method=ConsentMethod.SMS_KEYWORD, source=Source.INBOUND_REPLY, occurred_at=NOW, keyword="START"
)
YES = Grant(pair=PAIR, method=ConsentMethod.DOUBLE_OPT_IN, source=Source.INBOUND_REPLY, occurred_at=NOW, keyword="YES")
FORM = Grant(pair=PAIR, method=ConsentMethod.HOSTED_FORM, source=Source.HOSTED_FORM, occurred_at=NOW)


def grant(old: Consent | None, claim: Grant) -> Change:
    return rules.granted(old, claim, org_id=ORG, fresh_id=uuid4(), now=NOW)


def withdraw(old: Consent | None, by: Suppression) -> Change:
    no = Withdrawal(pair=PAIR, by=by, source=Source.INBOUND_REPLY, keyword="STOP")
    return rules.withdrawn(old, no, org_id=ORG, fresh_id=uuid4(), now=NOW)


def known(consent: Consent | None) -> Consent:
    assert consent is not None
    return consent


def standing(**changes: object) -> Consent:
    """A consent that stands since yesterday."""
    claim = replace(ATTESTED, occurred_at=NOW - timedelta(days=1), evidence=Evidence(agreement_text="I agree."))
    made = rules.granted(None, claim, org_id=ORG, fresh_id=uuid4(), now=NOW - timedelta(days=1))
    return replace(known(made.consent), **changes)


def opted_out(by: Suppression, at: datetime = NOW - timedelta(hours=1)) -> Consent:
    return standing(opted_in=False, opted_out_at=at, suppressed_by=by.value)


@pytest.mark.parametrize("claim", [ATTESTED, START, YES, FORM], ids=lambda claim: claim.method)
def test_the_first_agreement_opts_in_at_the_time_that_its_evidence_says(claim: Grant) -> None:
    change = grant(None, claim)

    assert (change.outcome, change.entry, change.is_news) == (Outcome.OPTED_IN, HistoryEvent.OPT_IN, True)
    assert known(change.consent).opted_in_at == claim.occurred_at
    assert known(change.consent).source == claim.source


@pytest.mark.parametrize("claim", [START, FORM], ids=lambda claim: claim.method)
def test_the_contacts_own_word_renews_a_consent_that_stands(claim: Grant) -> None:
    change = grant(standing(), claim)

    assert (change.outcome, change.entry, change.is_news) == (Outcome.RECONFIRMED, HistoryEvent.RECONFIRM, False)
    assert known(change.consent).opted_in_at == NOW


def test_an_attestation_changes_nothing_of_a_consent_that_stands() -> None:
    before = standing()

    change = grant(before, ATTESTED)

    assert (change.consent, change.outcome, change.entry) == (before, Outcome.UNCHANGED, None)


@pytest.mark.parametrize(
    ("by", "claim", "lifts"),
    [
        (Suppression.KEYWORD, ATTESTED, False),
        (Suppression.KEYWORD, YES, False),
        (Suppression.KEYWORD, FORM, False),
        (Suppression.KEYWORD, START, True),
        (Suppression.NATURAL_LANGUAGE, ATTESTED, False),
        (Suppression.NATURAL_LANGUAGE, FORM, False),
        (Suppression.NATURAL_LANGUAGE, START, True),
        (Suppression.CARRIER, ATTESTED, False),
        (Suppression.CARRIER, FORM, False),
        (Suppression.CARRIER, START, True),
        (Suppression.REVOCATION, ATTESTED, True),
        (Suppression.REVOCATION, FORM, True),
        (Suppression.REVOCATION, YES, False),
        (Suppression.REVOCATION, START, False),
    ],
    ids=lambda part: getattr(part, "method", part),
)
def test_only_what_may_lift_an_opt_out_lifts_it(by: Suppression, claim: Grant, lifts: bool) -> None:  # noqa: FBT001
    before = opted_out(by)

    change = grant(before, claim)

    if lifts:
        assert (change.outcome, change.is_news) == (Outcome.OPTED_IN, True)
        assert known(change.consent).suppressed_by is None
        assert known(change.consent).opted_in
    else:
        assert change == Change(before, Outcome.SUPPRESSED)


def test_a_revocation_beats_evidence_that_is_not_younger() -> None:
    before = opted_out(Suppression.REVOCATION, at=ATTESTED.occurred_at)

    assert grant(before, ATTESTED).outcome is Outcome.SUPPRESSED
    assert grant(before, replace(ATTESTED, occurred_at=NOW)).outcome is Outcome.OPTED_IN


@pytest.mark.parametrize("by", list(Suppression))
def test_an_opt_out_is_news_once(by: Suppression) -> None:
    first = withdraw(standing(), by)

    second = withdraw(first.consent, by)

    assert (first.outcome, first.entry, first.is_news) == (Outcome.OPTED_OUT, HistoryEvent.OPT_OUT, True)
    assert not known(first.consent).opted_in
    assert second == Change(first.consent, Outcome.UNCHANGED)


def test_stop_from_a_stranger_is_remembered() -> None:
    change = withdraw(None, Suppression.KEYWORD)

    assert (change.outcome, change.is_news) == (Outcome.OPTED_OUT, True)
    assert known(change.consent).suppressed_by == Suppression.KEYWORD
    assert known(change.consent).opted_in_at is None


def test_a_stop_takes_the_place_of_a_revocation_and_never_the_other_way_round() -> None:
    revoked, stopped = opted_out(Suppression.REVOCATION), opted_out(Suppression.KEYWORD)

    harder, softer = withdraw(revoked, Suppression.KEYWORD), withdraw(stopped, Suppression.REVOCATION)

    assert known(harder.consent).suppressed_by == Suppression.KEYWORD
    assert (harder.entry, harder.is_news) == (HistoryEvent.OPT_OUT, False)
    assert softer == Change(stopped, Outcome.UNCHANGED)


@pytest.mark.parametrize("address", ["203.0.113.7", "2001:db8::7", "::ffff:203.0.113.7"])
def test_addresses_of_both_protocols_are_taken(address: str) -> None:
    assert rules.is_ip(address)


@pytest.mark.parametrize("address", ["203.0.113.256", "203.0.113.7/32", "fe80::1%eth0", "localhost", " 203.0.113.7"])
def test_what_is_no_address_of_somebody_is_refused(address: str) -> None:
    assert not rules.is_ip(address)


def test_the_digest_is_sha_256_of_utf_8() -> None:
    assert rules.digest("Zoë agrees") == "5b33efdb09a43a8de37c6ae28a2e0d28e4da0a4cc011c79f0121370bd335aef5"
    assert rules.digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert rules.digest(None) is None
