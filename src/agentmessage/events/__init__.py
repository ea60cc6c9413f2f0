"""Everything that happened to an organization, oldest first: as pages, or as a stream that goes on.

Facts are written by `outbox.facts.emit` in the transaction that makes them true; this room only reads them, in an order
that never changes and that no late commit can slip in behind. They are kept for 90 days, after which `jobs.sweep`
forgets them. The same body is what webhooks deliver.
"""
