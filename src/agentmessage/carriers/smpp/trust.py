"""How many messages one bind is given while its carrier does not answer for them."""


class Trust:
    """The whole window until as many messages in a row as it holds were not answered; then one at a time, until one is.

    It outlives the connection: a carrier that lets us bind again and answers nothing costs one message for each
    time-out and not another window.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self._unanswered = 0

    def note(self, *, is_answered: bool) -> None:
        """What came of one message."""
        self._unanswered = 0 if is_answered else self._unanswered + 1

    def room(self, room: int, in_flight: int) -> int:
        """How many more may go, of the `room` that the window has."""
        left = self._window - self._unanswered - in_flight
        if left >= room:
            return room
        return max(0, left, 1 - in_flight)
