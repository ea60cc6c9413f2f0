"""What a worker does for whom: carriers as the reconciler sees them, their limits, and every job handler."""

from collections.abc import Mapping

from msgspec.structs import replace

from agentmessage.app.providers.carriers import CarrierSet
from agentmessage.billing.payments import jobs as payment_jobs
from agentmessage.billing.payments.provider import PaymentProvider
from agentmessage.brands import jobs as brand_jobs
from agentmessage.campaigns import jobs as campaign_jobs
from agentmessage.inbound import jobs as inbound_jobs
from agentmessage.kernel.encryption import parse_keys
from agentmessage.lookups import jobs as lookup_jobs
from agentmessage.messages import jobs as message_jobs
from agentmessage.numbers.binding import jobs as number_jobs
from agentmessage.numbers.binding.call_budget import UNLIMITED, Budget, Limit, Limits
from agentmessage.numbers.binding.model import SIMULATED, Pace
from agentmessage.numbers.binding.reconciler import LineCarrier
from agentmessage.numbers.orders import purchase_jobs
from agentmessage.optin import jobs as optin_jobs
from agentmessage.outbox.job_runner import Handler
from agentmessage.outbox.notifications import Ring
from agentmessage.settings import Settings
from agentmessage.webhooks import jobs as webhook_jobs

WRITE_BURST = 10
READ_BURST = 20
"""Bandwidth: bursts of 10 writes and 20 reads (docs/carriers/bandwidth.md, section 1)."""


def line_carriers(carriers: Mapping[str, CarrierSet], settings: Settings) -> Mapping[str, LineCarrier]:
    """Each account's line options with the patience that fits its carrier."""
    return {
        account: LineCarrier(carrier.lines, _pace(carrier, settings), settings.reconcile_batch_size)
        for account, carrier in carriers.items()
    }


def _pace(carrier: CarrierSet, settings: Settings) -> Pace:
    if carrier.is_simulated:
        return SIMULATED
    return replace(
        Pace(),
        deadline_s=float(settings.reconcile_deadline_seconds),
        sweep_s=float(settings.reconcile_sweep_interval_seconds),
        drift_grace_s=float(settings.drift_grace_seconds),
    )


def limits(carriers: Mapping[str, CarrierSet]) -> Mapping[str, Limits]:
    """Each account's budget."""
    return {account: _limits(carrier) for account, carrier in carriers.items()}


def _limits(carrier: CarrierSet) -> Limits:
    breaker_s = SIMULATED.breaker_s if carrier.is_simulated else Pace().breaker_s
    if carrier.max_writes_per_minute == 0:
        return Limits(UNLIMITED, UNLIMITED, breaker_s)
    per_min = carrier.max_writes_per_minute
    return Limits(Limit(per_min, min(WRITE_BURST, per_min)), Limit(per_min, min(READ_BURST, per_min)), breaker_s)


def job_handlers(
    settings: Settings,
    carriers: Mapping[str, CarrierSet],
    budget: Budget,
    ring: Ring,
    *,
    payments: Mapping[str, PaymentProvider],
) -> Mapping[str, Handler]:
    """Every job of every room."""
    registries = {account: carrier.registry for account, carrier in carriers.items()}
    sources = {account: carrier.numbers for account, carrier in carriers.items()}
    return {
        **brand_jobs.handlers(registries, parse_keys(settings.encryption_key)),
        **campaign_jobs.handlers(registries),
        **lookup_jobs.handlers({account: carrier.line_types for account, carrier in carriers.items()}),
        **purchase_jobs.handlers(sources, budget=budget, ring=ring),
        **message_jobs.HANDLERS,
        **number_jobs.HANDLERS,
        **payment_jobs.handlers(payments),
        **optin_jobs.HANDLERS,
        **webhook_jobs.HANDLERS,
        **inbound_jobs.handlers(
            requires_propagation=settings.require_propagation, floor_cents=settings.wallet_floor_cents
        ),
    }
