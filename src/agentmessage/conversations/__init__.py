"""Messages in both directions, grouped by our number and the contact.

`inbound` and `delivery` add messages in their own transactions; `routes` shows what was said.
"""

from agentmessage.conversations.queries import add_inbound, add_sent, count_auto_reply

__all__ = ["add_inbound", "add_sent", "count_auto_reply"]
