"""Sums over time by organization, metric, bucket and labels: what `metrics` reads instead of the rows behind it.

Money and webhooks are added by whoever records them, in the same transaction (`operations.add`), so that a sum is never
ahead of what it counts nor behind it. Texts are counted behind their events by one reader per cell (`aggregator.turn`),
because the hand-over of a text must not wait for a sum that all texts of an organization share. Each count is kept by
the minute, the hour and the day.
"""
