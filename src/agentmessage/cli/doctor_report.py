"""The report of `doctor`: one line for each check, with a fix for each failed one."""

from collections.abc import Sequence

from msgspec import Struct

from agentmessage.cli.advice import in_terminal_words
from agentmessage.cli.errors import FAILED
from agentmessage.cli.tables import print_json, say

MARKS = {True: "ok", False: "bad", None: "?"}


class Finding(Struct, frozen=True, kw_only=True):
    """The result of one check. `is_ok` is null if it could not be checked; `fix` is what to do, if anything."""

    check: str
    is_ok: bool | None
    message: str
    fix: str | None = None


def good(check: str, message: str) -> Finding:
    """A passed check."""
    return Finding(check=check, is_ok=True, message=message)


def bad(check: str, message: str, fix: str) -> Finding:
    """A failed check."""
    return Finding(check=check, is_ok=False, message=message, fix=in_terminal_words(fix))


def unknown(check: str, message: str) -> Finding:
    """A check that could not be made."""
    return Finding(check=check, is_ok=None, message=message)


class Diagnosis(Struct, frozen=True, kw_only=True):
    """All checks, in the order in which a message needs them."""

    number: str
    to: str | None
    findings: Sequence[Finding]

    @property
    def can_send(self) -> bool:
        """True if no check failed."""
        return all(finding.is_ok is not False for finding in self.findings)

    @property
    def status(self) -> int:
        """The exit status."""
        return 0 if self.can_send else FAILED

    def print(self, *, as_json: bool) -> None:
        """All findings as one JSON object, or one line per finding and the verdict."""
        if as_json:
            print_json(
                {"number": self.number, "to": self.to, "can_send": self.can_send, "findings": list(self.findings)}
            )
            return
        width = max(len(finding.check) for finding in self.findings)
        for finding in self.findings:
            say(f"{MARKS[finding.is_ok]:>3}  {finding.check:<{width}}  {finding.message}")
            if finding.fix and finding.is_ok is not True:
                say(f"{'':>3}  {'':<{width}}  → {finding.fix}")
        say(f"\n{self._verdict()}")

    def _verdict(self) -> str:
        if self.can_send:
            return f"{self.number} can send to {self.to or 'contacts who have given consent'}."
        bad = [finding.check for finding in self.findings if finding.is_ok is False]
        return f"{self.number} cannot send{f' to {self.to}' if self.to else ''}: {', '.join(bad)}."
