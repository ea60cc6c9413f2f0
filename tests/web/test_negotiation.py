"""What callers accept, as the standard reads it."""

import pytest

from agentmessage.web.negotiation import essence, preferred

JSON, STREAM = "application/json", "text/event-stream"


@pytest.mark.parametrize(
    ("accept", "liked"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("text/html, */*;q=0.8", JSON),
        ("text/event-stream", STREAM),
        ("TEXT/Event-Stream ; charset=utf-8", STREAM),
        ("\ttext/event-stream ", STREAM),
        ("text/event-stream, application/json", STREAM),
        ("application/json, text/event-stream", JSON),
        ("application/json;q=0.5, text/event-stream", STREAM),
        ("text/event-stream;q=0.5, application/json", JSON),
        ("text/event-stream;q=0", JSON),
        ("text/event-stream;Q=0, */*", JSON),
        ('application/json;note="a, text/event-stream;q=1", text/event-stream;q=0.1', JSON),
        ('text/event-stream;note="a;q=0,b", application/json;q=0.9', STREAM),
        ("application/*, text/event-stream;q=0.9", JSON),
        ("text/event-stream;q=2, application/json;q=0.1", JSON),
        ("text/event-streams", JSON),
    ],
)
def test_the_caller_gets_what_it_likes_best(accept: str | None, liked: str) -> None:
    assert preferred(accept, (JSON, STREAM)) == liked


@pytest.mark.parametrize(
    "written", ["application/json", "Application/JSON", "application/json;charset=utf-8", ' APPLICATION/json ; a="b;c"']
)
def test_a_media_type_has_no_case_and_its_parameters_do_not_count(written: str) -> None:
    assert essence(written) == JSON
