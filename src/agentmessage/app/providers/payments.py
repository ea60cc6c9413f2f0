"""Who takes cards, and where what they tell arrives: `POST /callbacks/stripe`."""

from collections.abc import Mapping

from agentmessage.billing.payments import products
from agentmessage.billing.payments.provider import NoticeReader, PaymentProvider
from agentmessage.billing.payments.sandbox_provider import SandboxProvider
from agentmessage.settings import BadSetting, Settings


def payment_providers(settings: Settings) -> Mapping[str, PaymentProvider]:
    """Who takes cards, by account. A sandbox has play money; live has Stripe once its key is set. Raises BadSetting."""
    try:
        products.products(settings.stripe_products)
    except ValueError as error:
        raise BadSetting(f"AGENTMESSAGE_STRIPE_PRODUCTS: {error}.") from error
    providers: dict[str, PaymentProvider] = {"sandbox": SandboxProvider()}
    if settings.stripe_secret_key:
        # Stripe's library takes five megabytes of each process; who takes no cards does not load it.
        from agentmessage.billing.payments.stripe_provider import StripePayments  # noqa: PLC0415

        providers["live"] = StripePayments(secret_key=settings.stripe_secret_key, url=settings.stripe_url)
    return providers


async def close_providers(providers: Mapping[str, PaymentProvider]) -> None:
    """Close their connections."""
    for provider in providers.values():
        await provider.close()


def notice_reader(settings: Settings) -> NoticeReader | None:
    """Reads what Stripe tells; None without its keys."""
    if not settings.stripe_secret_key:
        return None
    from agentmessage.billing.payments.stripe_events import StripeNotices  # noqa: PLC0415 - as above

    return StripeNotices(secret_key=settings.stripe_secret_key, webhook_secret=settings.stripe_webhook_secret)
