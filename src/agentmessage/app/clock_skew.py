"""Says when a machine's clock leaves the database's, whose time everything goes by, and when it is back."""

import structlog

log = structlog.get_logger("agentmessage.clock")

TELL_SKEW_S = 2.0
MAX_SKEW_S = 10.0
"""Beyond it the process is not ready: certificates, signatures and the log of its machine are wrong by as much."""


class SkewLog:
    """One line when the skew becomes large, and one when it is small again."""

    def __init__(self) -> None:
        self._is_large = False

    def note(self, skew_s: float) -> None:
        """Take what was measured."""
        is_large = abs(skew_s) > TELL_SKEW_S
        if is_large and not self._is_large:
            log.warning("clock skew detected", ahead_of_database_s=round(skew_s, 3))
        elif self._is_large and not is_large:
            log.info("clock skew resolved", ahead_of_database_s=round(skew_s, 3))
        self._is_large = is_large
