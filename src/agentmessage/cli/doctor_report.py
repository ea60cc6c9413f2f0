"""What `doctor` finds: one line for each thing that a text needs, and what to do about the one that is missing."""

from collections.abc import Sequence

from msgspec import Struct

from agentmessage.cli.advice import in_terminal_words
from agentmessage.cli.errors import FAILED
from agentmessage.cli.tables import print_json, say

MARKS = {True: "ok", False: "bad", None: "?"}


class Finding(Struct, frozen=True, kw_only=True):
    """One thing. `is_ok` is null when it could not be looked at; `fix` says what to do, where there is something."""

    check: str
    is_ok: bool | None
    told: str
    fix: str | None = None


def good(check: str, told: str) -> Finding:
    """Nothing is in the way."""
    return Finding(check=check, is_ok=True, told=told)


def bad(check: str, told: str, fix: str) -> Finding:
    """This is in the way."""
    return Finding(check=check, is_ok=False, told=told, fix=in_terminal_words(fix))


def unseen(check: str, told: str) -> Finding:
    """It could not be looked at, and why."""
    return Finding(check=check, is_ok=None, told=told)


class Diagnosis(Struct, frozen=True, kw_only=True):
    """Everything that was looked at, in the order in which a text needs it."""

    number: str
    to: str | None
    findings: Sequence[Finding]

    @property
    def can_send(self) -> bool:
        """Nothing that was looked at is in the way."""
        return all(finding.is_ok is not False for finding in self.findings)

    @property
    def status(self) -> int:
        """The exit status."""
        return 0 if self.can_send else FAILED

    def print(self, *, as_json: bool) -> None:
        """All findings as one JSON object, or a line for each and the verdict."""
        if as_json:
            print_json(
                {"number": self.number, "to": self.to, "can_send": self.can_send, "findings": list(self.findings)}
            )
            return
        width = max(len(finding.check) for finding in self.findings)
        for finding in self.findings:
            say(f"{MARKS[finding.is_ok]:>3}  {finding.check:<{width}}  {finding.told}")
            if finding.fix and finding.is_ok is not True:
                say(f"{'':>3}  {'':<{width}}  → {finding.fix}")
        say(f"\n{self._verdict()}")

    def _verdict(self) -> str:
        if self.can_send:
            return f"{self.number} can text {self.to or 'whoever has agreed'}."
        bad = [finding.check for finding in self.findings if finding.is_ok is False]
        return f"{self.number} cannot text {self.to or 'anybody'}: {', '.join(bad)}."
