"""Request and audit ids are ULIDs: well formed, distinct, and in the order of their milliseconds."""

import re
import time

from agentmessage.kernel.ids import new_ulid

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def test_a_ulid_is_26_characters_that_begin_with_the_present_millisecond() -> None:
    before = time.time_ns() // 1_000_000
    ids = [new_ulid() for _ in range(10_000)]
    after = time.time_ns() // 1_000_000

    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", one) for one in ids)
    for one in ids:
        moment = 0
        for character in one[:10]:
            moment = moment * 32 + CROCKFORD.index(character)
        assert before <= moment <= after
