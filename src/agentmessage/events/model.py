"""How facts are named and how long they are kept."""

from datetime import timedelta

API_VERSION = "2026-04-01"
"""The shape of event bodies."""

ID_PREFIX = "evt_"
RETENTION = timedelta(days=90)
PAGE_DEFAULT = 50
PAGE_MAX = 200
