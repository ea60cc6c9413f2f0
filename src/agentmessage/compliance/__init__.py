"""May this message be sent? One statement of facts and one set of rules, for sending, preflight and the recheck.

`rules` decides and is pure; `queries` reads across the rooms, since a decision needs facts of all of them. No other
room decides whether a message may be sent. The recheck runs before a queued message is sent to its carrier.
"""

from agentmessage.compliance.rules import cost_of, faults

__all__ = ["cost_of", "faults"]
