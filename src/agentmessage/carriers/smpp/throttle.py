"""How fast a carrier lets us: unlimited until it refuses for speed, then as fast as it takes, feeling its way up.

The rate falls once for each time that the carrier complains, however many messages it refuses then, to what it took. It
grows by a twentieth with each of the next seconds without complaint, and doubles with each one after them: a carrier
that has a limit complains within the first, one that has none any more is not held back for long. Well above what was
ever taken the rate is forgotten. While the carrier takes nothing at all, one message a second asks whether it does.
That says nothing about its limit, so the rate stays. Seconds are the caller's.
"""

from agentmessage.kernel.token_bucket import TokenBucket, wait_s

BACK_OFF = 0.9
GROWTH = 1.05
CAREFUL_TURNS = 3
"""Seconds without complaint during which the rate grows slowly; a limit that still holds is met in them."""

FAST_GROWTH = 2.0
FORGOTTEN_AT = 4.0
"""Times the rate at which the carrier last complained while it took messages."""

TURN_S = 1.0
"""The window that carriers count in, mostly; the pause after a complaint, and the time between two changes."""

BURST_S = 0.1


class Throttle:
    """One line's pace. All methods take the present time in seconds of any steady clock."""

    def __init__(self) -> None:
        self._rate: float | None = None
        self._limit = 0.0
        self._bucket = TokenBucket()
        self._paused_until = 0.0
        self._changed_at = 0.0
        self._turn_began = 0.0
        self._taken = 0
        self._taken_before = 0
        self._careful_turns = 0
        self._has_taken = False
        """Since the last complaint, or ever before the first."""
        self._is_probing = False

    @property
    def rate(self) -> float | None:
        """Messages a second; None while the carrier never complained, or has not for long."""
        return self._rate

    def room(self, now: float) -> int | None:
        """How many may go now; None: as many as one likes."""
        if self._rate is None:
            return None
        if now < self._paused_until:
            return 0
        return int(self._refill(now, self._rate))

    def wait_s(self, now: float) -> float:
        """How long until one may go."""
        if self._rate is None:
            return 0.0
        return max(self._paused_until - now, wait_s(self._bucket.tokens, 1.0, per_second=self._rate))

    def left(self, now: float) -> None:
        """One goes."""
        if self._rate is not None:
            self._refill(now, self._rate)
            self._bucket.tokens -= 1.0

    def accepted(self, now: float) -> None:
        """The carrier took one."""
        if now - self._turn_began >= TURN_S:
            self._taken_before = self._taken if now - self._turn_began < 2 * TURN_S else 0
            self._taken, self._turn_began = 0, now
        self._taken += 1
        self._has_taken = True
        if self._is_probing:
            self._is_probing = False
            if not self._limit:  # it took nothing before the complaint either: nothing was measured
                self._rate = None
        if self._rate is not None and now - self._changed_at >= TURN_S:
            self._changed_at = now
            self._rate *= GROWTH if self._careful_turns else FAST_GROWTH
            self._careful_turns = max(0, self._careful_turns - 1)
            if self._rate > self._limit * FORGOTTEN_AT:
                self._rate = None

    def complained(self, now: float) -> float:
        """The carrier refused one for speed; returns how many seconds to leave it alone."""
        if now >= self._paused_until:
            self._slow_down()
            self._bucket = TokenBucket(0.0, refilled_at=now + TURN_S)
            self._paused_until = self._changed_at = now + TURN_S
        return self._paused_until - now

    def _slow_down(self) -> None:
        self._careful_turns = CAREFUL_TURNS
        self._is_probing = not self._has_taken
        if self._rate is None:
            self._limit = float(max(self._taken, self._taken_before))
            self._rate = max(1.0, self._limit)
        elif self._has_taken:
            self._rate = self._limit = max(1.0, self._rate * BACK_OFF)
        self._has_taken = False

    def _refill(self, now: float, rate: float) -> float:
        capacity = 1.0 if self._is_probing else max(1.0, rate * BURST_S)
        return self._bucket.refill(now, capacity=capacity, per_second=rate)
