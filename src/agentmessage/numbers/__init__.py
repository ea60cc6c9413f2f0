"""Phone numbers: who holds one, which campaign it should be on, and what the carrier has made of that.

States of a number: `ordering` → `assigned` → `quarantined` (released, 30 days) → back in the pool. Beside them the
wish, `campaign_id` with a generation that grows with every change; and the line option, the carrier's side of it.

    routes, order_routes   the API                    operations, ordering   attach, detach, release; order, bulk order
    line_rules             decide(): pure             reconciler             plan: what follows from the wish
    carrier_orders         claim │ call │ record      readings, sweep        what the carrier really has
    budget                 how often to call          jobs, order_jobs       what events and time ask for

The API never calls a carrier about a binding: it writes the wish and rings `line_options.due_at`. The reconciler makes
the carrier follow, whatever the carrier does (docs/decisions/0009). Events: `phone_number.*`.
"""
