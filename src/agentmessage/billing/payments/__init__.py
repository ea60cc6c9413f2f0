"""Money in: top-ups, saved cards, the payment provider's port, Stripe and the sandbox."""
