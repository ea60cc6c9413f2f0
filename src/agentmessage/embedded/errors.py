"""What can go wrong with the Postgres that comes along."""


class EmbeddedPostgresError(Exception):
    """Postgres cannot be had here; the message is one sentence for the person at the terminal."""
