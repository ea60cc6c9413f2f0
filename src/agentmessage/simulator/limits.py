"""A vendor's limits on calls, kept by token buckets."""

from agentmessage.simulator.profiles import Limits


class Meter:
    """Two buckets, one for reads and one for writes."""

    def __init__(self, limits: Limits) -> None:
        self._rates = (limits.read_per_s, limits.write_per_s)
        self._bursts = (limits.read_burst, limits.write_burst)
        self._tokens = [limits.read_burst, limits.write_burst]
        self._filled_at = [0.0, 0.0]

    def wait_s(self, *, is_write: bool, at: float) -> float:
        """Take one token; zero when there was one, else the seconds until there will be."""
        index = int(is_write)
        passed = max(0.0, at - self._filled_at[index])
        tokens = min(self._bursts[index], self._tokens[index] + passed * self._rates[index])
        self._filled_at[index] = at
        if tokens < 1.0:
            self._tokens[index] = tokens
            return (1.0 - tokens) / self._rates[index]
        self._tokens[index] = tokens - 1.0
        return 0.0
