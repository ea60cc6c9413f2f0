"""What a refusal of the registry means to us, as data: the first rule that fits decides.

Only code 502 is documented (docs/carriers/tcr.md, section 1); everything else is told by its words.
"""

import re
from functools import lru_cache

from msgspec import Struct

from agentmessage.carriers.protocols import Refused, Trouble

NOT_FOUND = re.compile(r"\bnot found\b|does not exist", re.IGNORECASE)

_SAME_REFERENCE = re.compile(
    r"reference\s?id\b.*\b(already|duplicate|in use|not unique|exists)|duplicate\b.*\breference", re.IGNORECASE
)


class Rule(Struct, frozen=True):
    """`codes` empty: any. `words`: a pattern found in the text, in any case; empty: any."""

    trouble: Trouble
    codes: frozenset[str] = frozenset()
    words: str = ""

    def fits(self, code: str, text: str) -> bool:
        """Every condition that the rule names holds."""
        return (not self.codes or code in self.codes) and (
            not self.words or re.search(self.words, text, re.IGNORECASE) is not None
        )


RULES: tuple[Rule, ...] = (
    Rule(Trouble.MONEY, frozenset({"402"})),
    Rule(Trouble.MONEY, words=r"insufficient (balance|funds|credit)|payment"),
    Rule(Trouble.OWNERSHIP, frozenset({"404", "502"})),
    Rule(Trouble.OWNERSHIP, words=r"\bnot found\b|does not exist"),
    Rule(Trouble.CAMPAIGN_DEAD, words=r"campaign\b.*\b(expired|deactivated|terminated)"),
    Rule(Trouble.CAMPAIGN_NOT_READY, words=r"brand\b.*\b(not (yet )?(verified|scored|ready)|unverified|pending)"),
    Rule(Trouble.CONFIGURATION, frozenset({"400", "401", "403", "405", "415", "422"})),
    Rule(
        Trouble.CONFIGURATION, words=r"invalid|missing|required|must|not allowed|not permitted|not eligible|active camp"
    ),
)


@lru_cache(maxsize=1024)
def classify(code: str, text: str) -> Trouble:
    """The trouble that a refusal means."""
    return next((rule.trouble for rule in RULES if rule.fits(code, text)), Trouble.UNCLASSIFIED)


def refusal(code: str, text: str) -> Refused:
    """A refusal with the registry's own words beside our class; words beyond 500 characters are cut."""
    text = text.replace("\x00", "\ufffd")[:500]
    return Refused(trouble=classify(code[:40], text), code=code[:40], text=text)


def is_gone(refused: Refused) -> bool:
    """The registry says that there is no such thing (any more)."""
    return refused.code in ("404", "502") or NOT_FOUND.search(refused.text) is not None


def says_same_reference(text: str) -> bool:
    """The registry has something under this reference already: perhaps ours, so it must be looked up."""
    return _SAME_REFERENCE.search(text) is not None
