"""May this text go out? One statement of facts and one set of rules, for sending, for preflight and for hand-over.

`rules` decides and is pure; `queries` reads across the rooms, since a decision needs facts of all of them. No other
room decides whether a message may be sent: preflight and sending run the same code.
"""

from agentmessage.compliance.rules import faults, weigh

__all__ = ["faults", "weigh"]
