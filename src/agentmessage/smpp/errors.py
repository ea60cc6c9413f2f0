"""What can go wrong in SMPP without being an answer.

SmppError
├── MalformedPdu       what the peer sent cannot be read
├── BindRefused        the peer answered the bind, and it was no
├── NotBound           no answer to the bind: not connected, silent, or closed
└── NotSent            the peer has surely not heard the request
    ├── WindowFull     as many requests are in flight as the window allows
    └── SessionClosed  the session has ended, or is ending
"""


class SmppError(Exception):
    """The root of the room's errors."""


class MalformedPdu(SmppError):
    """Octets that are not a PDU, or not a well-formed one.

    `status` is the command_status to answer; `command_id` and `sequence` are 0 where the octets did not tell them.
    """

    def __init__(self, status: int, reason: str, *, command_id: int = 0, sequence: int = 0) -> None:
        super().__init__(f"{reason} (status 0x{status:02X}, command 0x{command_id:08X})")
        self.status = status
        self.command_id = command_id
        self.sequence = sequence


class BindRefused(SmppError):
    """The peer answered a bind with `status`, a command_status other than 0."""

    def __init__(self, status: int) -> None:
        super().__init__(f"bind refused with status 0x{status:02X}")
        self.status = status


class NotBound(SmppError):
    """No session came about, and nothing but a bind was sent."""


class NotSent(SmppError):
    """The request never left: it may be made again, here or elsewhere."""


class WindowFull(NotSent):
    """As many requests wait for their answers as may."""

    def __init__(self) -> None:
        super().__init__("the window is full")


class SessionClosed(NotSent):
    """The session has ended or is ending; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the session is closed: {reason}")
        self.reason = reason
