"""May this text go out? One statement of facts and one set of rules, for sending, for preflight and for hand-over.

`rules` decides and is pure; `queries` reads across the rooms, since the law is about all of them at once. Nobody else
decides whether a text is lawful: what preflight promises is what sending does, because it is the same code.
"""

from agentmessage.compliance.rules import faults, weigh

__all__ = ["faults", "weigh"]
