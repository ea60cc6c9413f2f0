"""What is logged tells what failed, and nothing of what customers wrote."""

from agentmessage.app.logging import without_rows


def test_the_row_that_postgres_shows_with_an_error_is_left_out() -> None:
    told = (
        "Traceback (most recent call last):\n  …\n"
        'asyncpg.exceptions.NotNullViolationError: null value in column "account" of relation "messages"\n'
        "DETAIL:  Failing row contains (01a2, null, +12125550188, Acme: your results are in, queued).\n"
        "HINT: none"
    )

    event = without_rows(None, "error", {"event": "loop failed", "exception": told})

    assert "results" not in event["exception"]
    assert "NotNullViolationError" in event["exception"]
    assert event["exception"].endswith("HINT: none")
