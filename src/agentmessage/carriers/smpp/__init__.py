"""SMPP 3.4 as a line for texts: several binds to one carrier, long texts in parts, receipts and inbound texts.

`SmppTexts` is a TextCarrier for one `SmppAccount`. It never sends a part again whose fate it does not know, and it
acknowledges what the carrier tells only after the house has kept it. Contract: docs/carriers/smpp.md.
"""

from agentmessage.carriers.smpp.account import GsmForm, LongTexts, MessageIds, SmppAccount
from agentmessage.carriers.smpp.carrier import SmppTexts

__all__ = ["GsmForm", "LongTexts", "MessageIds", "SmppAccount", "SmppTexts"]
