"""Phone numbers: who holds one, which campaign it should be on, and what the carrier has made of that.

States of a number: `ordering` → `assigned` → `quarantined` (released, 30 days) → back in the pool. The desired
campaign is `campaign_id`, with a generation that grows with every change; the line option is the carrier's side.

    .          the resource that a customer sees: list, get, change, attach, detach
    orders     search, buy, renew, release, return
    binding    the reconciler: makes the carrier's line option follow the desired campaign

The API never calls a carrier about a binding: it writes the desired campaign and makes `line_options` due. The
reconciler makes the carrier follow (docs/decisions/0009). Events: `phone_number.*`.
"""
