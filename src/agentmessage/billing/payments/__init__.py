"""Money in: top-ups, saved cards and subscriptions.

    provider                  the port: Stripe (`stripe_provider`), and play money for sandboxes (`sandbox_provider`)
    routes, operations        sell credit; `auto_topup` when a balance is low
    jobs                      charge saved cards
    provider_events           apply the events of the provider: each once, in any order

Every operation locks the wallet first.
"""
