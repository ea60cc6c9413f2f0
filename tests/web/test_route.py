"""What a declared operation is bound to before it is served."""

from typing import Any, cast
from uuid import UUID

import pytest
from msgspec import Struct

from agentmessage.web.request import Call
from agentmessage.web.route import NoInput, Routes


class Greeting(Struct, frozen=True):
    """The services of a room."""

    words: str


def room() -> Routes[Greeting]:
    """A room with a handler that needs its services, and one that does not."""
    routes = Routes("Greetings", needs=Greeting)

    async def resume(_call: Call[Any, Any], subject: UUID | None, services: Greeting) -> str:
        return f"{services.words} again, {subject}"

    @routes.route("POST", "/v1/greetings", scope="org:read", answers={200: str}, resume=resume)
    async def greet(_call: Call[NoInput, NoInput], services: Greeting) -> str:
        return services.words

    @routes.route("GET", "/v1/greetings/{id}", scope="org:read", answers={200: str})
    async def read(_call: Call[NoInput, NoInput]) -> str:
        return "nothing needed"

    return routes


async def test_a_handler_gets_the_services_that_it_asks_for() -> None:
    greet, read = room().bind(Greeting("hello"))

    assert await greet.handle(cast("Any", None)) == "hello"
    assert await read.handle(cast("Any", None)) == "nothing needed"


async def test_a_route_that_waits_resumes_with_the_services_of_its_room() -> None:
    greet, read = room().bind(Greeting("hello"))

    assert greet.waits
    assert greet.resume_bound is not None
    assert await greet.resume_bound(cast("Any", None), UUID(int=1)) == f"hello again, {UUID(int=1)}"
    assert not read.waits
    assert read.resume_bound is None


def test_an_unknown_scope_is_rejected_when_it_is_declared() -> None:
    with pytest.raises(ValueError, match=r"GET /v1/x: unknown scope 'org:reed'"):
        Routes("X").route("GET", "/v1/x", scope="org:reed", answers={})


def test_an_option_that_does_not_exist_is_rejected_when_it_is_declared() -> None:
    options: dict[str, Any] = {"scope": "org:read", "answers": {}, "bear": True}

    with pytest.raises(TypeError, match="bear"):
        Routes("X").route("GET", "/v1/x", **options)
