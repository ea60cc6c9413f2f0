"""Money: an append-only double-entry ledger, prices as data, and what was used.

A wallet's balance is the sum of its entries, always; it is stored with them under one row lock, so that a spend is
decided and written at once. Other rooms charge, refund and credit through `operations`, inside their own transaction:
either both happen or neither. Amounts are integer microcents. Emits `wallet.balance_low` and `wallet.balance_zero`.

Money comes in through `payments`. Emits
`wallet.auto_topup.failed|disabled` and `subscription.past_due|canceled`. Everything takes the wallet first.
"""
