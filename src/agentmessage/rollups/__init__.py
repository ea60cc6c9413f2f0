"""Sums over time, kept in the transaction that makes them grow: by organization, metric, bucket and labels.

Whoever records something that a metric counts adds it here, in its own transaction, so that a sum is never ahead of
what it counts nor behind it. Each count is kept by the minute, the hour and the day. `metrics` reads them.
"""
