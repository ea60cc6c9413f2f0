"""What a refusal means to us, as data: the first rule that fits decides.

Bandwidth's codes are not unique (docs/carriers/bandwidth.md, section 2), so a rule may ask for code, words and
operation together. Source: the vendor's error tables. What no rule knows is UNCLASSIFIED: retried, with a cap.
"""

import re
from enum import StrEnum
from functools import lru_cache

from msgspec import Struct

from agentmessage.carriers.protocols import Refused, Trouble


class Operation(StrEnum):
    """What was asked for when the refusal came."""

    SEARCH = "search"
    BUY = "buy"
    DISCONNECT = "disconnect"
    BIND = "bind"
    READ_ORDER = "read_order"
    READ_CAMPAIGN = "read_campaign"
    READ_ALL = "read_all"
    SUBSCRIBE = "subscribe"
    LOOK_UP = "look_up"


class Rule(Struct, frozen=True):
    """`codes` empty: any. `words`: a pattern found in the text, in any case; empty: any. `operation` None: any."""

    trouble: Trouble
    codes: frozenset[str] = frozenset()
    words: str = ""
    operation: Operation | None = None

    def fits(self, code: str, text: str, operation: Operation) -> bool:
        """Every condition that the rule names holds."""
        return (
            (not self.codes or code in self.codes)
            and (self.operation is None or self.operation is operation)
            and (not self.words or re.search(self.words, text, re.IGNORECASE) is not None)
        )


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


RULES: tuple[Rule, ...] = (
    # words first where a code has two meanings
    Rule(Trouble.LOCKED, words=r"already (being )?process(ing|ed) on another order|is in PROCESSING"),
    Rule(Trouble.LOCKED, _codes("5146 7205")),
    Rule(Trouble.LOCKED, words=r"already assigned to campaign|on another campaign"),
    Rule(Trouble.MONEY, _codes("402")),
    Rule(Trouble.MONEY, words=r"insufficient (balance|funds|credit)|payment (is )?required|credit limit"),
    Rule(Trouble.CAMPAIGN_ASLEEP, words=r"campaign\b.*\b(dormant|reactivat|inactiv)"),
    Rule(Trouble.CAMPAIGN_DEAD, words=r"campaign\b.*\b(suspended|expired|rejected|deactivated|terminated)"),
    Rule(Trouble.CAPACITY, words=r"campaign\b.*\bexceed|exceed\w*\b.*\bcampaign|EXCEEDED_10DLC_LIMIT"),
    Rule(
        Trouble.CAMPAIGN_NOT_READY,
        words=r"campaign\b.*\b(pending|(in|under) review|not (yet )?(active|approved|accepted|ready|shared|found))",
    ),
    Rule(Trouble.CAMPAIGN_NOT_READY, _codes("404"), operation=Operation.READ_CAMPAIGN),
    Rule(Trouble.TRANSIENT, _codes("5003 5014 5015 5086 5148")),
    Rule(Trouble.TRANSIENT, words=r"timed out|temporar|try again|downstream|partner (error|unavailable)"),
    Rule(
        Trouble.OWNERSHIP,
        _codes("5005 5018 5041 5071 5074 5076 5090 5126 5131 5158 5159 5160 5161 5162 5163 5128 5130"),
    ),
    Rule(Trouble.OWNERSHIP, _codes("404 5035"), operation=Operation.READ_ORDER),
    Rule(Trouble.OWNERSHIP, words=r"resource does not exist", operation=Operation.READ_ORDER),
    Rule(
        Trouble.CONFIGURATION,
        _codes(
            "401 403 4010 5000 5012 5016 5020 5021 5022 5023 5051 5052 5070 5072 5073 5081 5093 5094 5095 5132 5133 "
            "5134 5135 5136 5138 5139 5140 5141 5142 5143 5144 5145 5147 5156 5157 5165 5166 5202 5211 5212 5213 5214 "
            "5215 5216 5225 5226"
        ),
    ),
    Rule(Trouble.CONFIGURATION, _codes("5217"), words=r"A2P settings"),
)

_SAME_KEY = re.compile(
    r"customer\s?order\s?id\b.*\b(already|duplicate|in use|not unique)|duplicate\b.*\bcustomer\s?order\s?id",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def classify(code: str, text: str, operation: Operation) -> Trouble:
    """The trouble that a refusal means."""
    return next((rule.trouble for rule in RULES if rule.fits(code, text, operation)), Trouble.UNCLASSIFIED)


def refusal(code: str, text: str, operation: Operation) -> Refused:
    """A refusal with the carrier's own words beside our class; words beyond 500 characters are cut."""
    text = text.replace("\x00", "\ufffd")[:500]
    return Refused(trouble=classify(code[:40], text, operation), code=code[:40], text=text)


def says_same_key(text: str) -> bool:
    """The carrier has an order under this key already: perhaps ours, so it must be looked up."""
    return _SAME_KEY.search(text) is not None
