"""Bandwidth: numbers, and which campaign each is on (contract: docs/carriers/bandwidth.md).

`BandwidthNumbers` is a NumberSource, `BandwidthLines` are LineOptions, `BandwidthCallbacks` is a CallbackReader,
`BandwidthSubscriptions` a CallbackSubscriber and `BandwidthLookups` a LineTypeSource. All of them share one
`BandwidthAccount` and one transport; none reads a clock, draws a random number or keeps state, so any number of them
may speak for the same account.
"""

from agentmessage.carriers.bandwidth.account import BandwidthAccount
from agentmessage.carriers.bandwidth.callbacks import BandwidthCallbacks
from agentmessage.carriers.bandwidth.lines import BandwidthLines
from agentmessage.carriers.bandwidth.lookups import BandwidthLookups
from agentmessage.carriers.bandwidth.message_callbacks import BandwidthTextCallbacks, TextCallback
from agentmessage.carriers.bandwidth.messages import BandwidthTexts
from agentmessage.carriers.bandwidth.numbers import BandwidthNumbers
from agentmessage.carriers.bandwidth.subscriptions import BandwidthSubscriptions

__all__ = [
    "BandwidthAccount",
    "BandwidthCallbacks",
    "BandwidthLines",
    "BandwidthLookups",
    "BandwidthNumbers",
    "BandwidthSubscriptions",
    "BandwidthTextCallbacks",
    "BandwidthTexts",
    "TextCallback",
]
