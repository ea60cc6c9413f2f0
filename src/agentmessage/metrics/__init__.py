"""Series over time: texts out and in, deliveries of webhooks, and money, by the minute, the hour or the day.

Read from sums that are kept as they grow (`rollups`), so that a month costs thirty rows however many texts it had. A
bucket that is not complete in the sums yet, or no more kept, has the value null, which is not 0; `meta.as_of` says up
to when everything is in.
"""
