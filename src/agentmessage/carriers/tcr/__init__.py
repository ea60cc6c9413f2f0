"""The Campaign Registry: who texts, and why (contract: docs/carriers/tcr.md).

`TcrRegistry` is a Registry, `TcrCallbacks` is a CallbackReader and `TcrSubscriptions` a CallbackSubscriber. None of
them reads a clock, draws a random number or keeps state.
"""

from agentmessage.carriers.tcr.account import TcrAccount
from agentmessage.carriers.tcr.callbacks import TcrCallbacks
from agentmessage.carriers.tcr.registry import TcrRegistry
from agentmessage.carriers.tcr.subscriptions import TcrSubscriptions

__all__ = ["TcrAccount", "TcrCallbacks", "TcrRegistry", "TcrSubscriptions"]
