"""Answers from outside that nobody understood: kept raw and counted for the operator, never guessed at."""

from agentmessage.carriers.port import Unknown
from agentmessage.kernel.db import Statements
from agentmessage.outbox import queries

MAX_CHARS = 65_536


async def keep_if_odd(db: Statements, answer: object, *, account: str, operation: str) -> bool:
    """Keep an answer that came but made no sense. A line that merely broke has nothing to keep. True: it was kept."""
    if not isinstance(answer, Unknown) or not answer.raw:
        return False
    raw = answer.raw.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:MAX_CHARS]
    await queries.insert_odd_answer(db, account=account, operation=operation, reason=answer.reason[:500], raw=raw)
    return True
