"""What a route declares: method, path, scope, shapes, answers and refusals.

The declaration is the only source: dispatch, validation, the envelope and the OpenAPI document are made from it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, get_type_hints, overload
from uuid import UUID

from msgspec import Struct, structs

from agentmessage.kernel.errors import ApiError
from agentmessage.web.request import Call
from agentmessage.web.scopes import ALL_SCOPES
from agentmessage.web.types import Request

S = TypeVar("S")
R = TypeVar("R")
F = TypeVar("F")
Owner = TypeVar("Owner")
P = ParamSpec("P")

Handler = Callable[[Call[Any, Any]], Awaitable[R]]
"""A handler that needs the database alone."""

ServiceHandler = Callable[[Call[Any, Any], S], Awaitable[R]]
"""A handler that also needs the services of its room."""

Resume = Callable[[Call[Any, Any], UUID | None], Awaitable[Any]]

ACRONYMS = frozenset({"api"})
BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
MAX_BODY_BYTES = 1024 * 1024
"""What an operation reads of a body, unless it declares otherwise."""


class PathParameter(Struct, frozen=True, kw_only=True):
    """A parameter in a path that is not a UUID: `pattern` fits all of it, unescaped; anything else is the `fault`."""

    pattern: str
    must: str
    example: str
    description: str
    fault: type[ApiError]

    def refusal(self, name: str) -> ApiError:
        """What a path is refused with whose parameter does not fit."""
        return self.fault(details={name: self.must})


class NoInput(Request, frozen=True):
    """The operation takes no body, or no query."""


class RouteOptions(Struct, Generic[S], frozen=True, kw_only=True):
    """What a room declares of an operation, besides its method and path.

    `answers` maps each good status to what it carries (None: no content); the first is the default.
    `path_fault` is the status of a malformed path id. `bare`: success is printed without the envelope.
    `is_list`: the answer is a Page; `meta`: what stands beside an answer that is none. `optional_body`: an absent body
    is an empty one.
    `cursor_header`: the list's next cursor goes into X-Next-Cursor. `streams`: the answer is also served as
    Server-Sent Events, of which this is an example; `lines`: as one JSON value a line. `example`: a request body that
    the operation takes.
    `is_secret`: the answer holds a secret, so it is encrypted where an Idempotency-Key stores it. `texts`: the names
    in the path that are not UUIDs.
    `resume`: the handler waits for the outside between its transactions; this function returns the answer to a
    repeated Idempotency-Key, from the subject that the key was claimed under.
    `path_is_last`: the handler looks at the path's id after everything else that it checks.
    `keeps_answer`: the handler itself finds and keeps the answer under the key, in the transaction of its work.
    """

    scope: str
    answers: Mapping[int, Any]
    refuses: Sequence[type[ApiError]] = ()
    path_fault: int = 400
    bare: bool = False
    is_list: bool = False
    meta: type[Struct] | None = None
    optional_body: bool = False
    resume: Callable[[Call[Any, Any], UUID | None, S], Awaitable[Any]] | None = None
    keeps_answer: bool = False
    body_fault_is_400: bool = False
    path_is_last: bool = False
    cursor_header: bool = False
    streams: str | None = None
    lines: str | None = None
    example: Any = None
    is_secret: bool = False
    max_body_bytes: int = MAX_BODY_BYTES
    texts: Mapping[str, PathParameter] = {}


class Route(RouteOptions[Any], frozen=True, kw_only=True):
    """One operation of the API. `parameters` are the names in the path, in order; UUIDs but for those in `texts`."""

    method: str
    path: str
    tag: str
    handler: Callable[..., Awaitable[Any]]
    body: type[Request]
    query: type[Request]
    parameters: Sequence[str]
    needs_services: bool

    @property
    def name(self) -> str:
        """The operation id: the handler's name as the reference writes it, `createAPIKey`."""
        head, *rest = self.handler.__name__.split("_")
        return head + "".join(word.upper() if word in ACRONYMS else word.capitalize() for word in rest)

    @property
    def waits(self) -> bool:
        """The handler waits for the outside between its transactions."""
        return self.resume is not None

    @property
    def is_long_poll(self) -> bool:
        """The handler waits and changes nothing: it is cancelled when the key that asks ends."""
        return self.method == "GET" and "timeout_s" in self.query.__struct_fields__

    @property
    def takes_body(self) -> bool:
        """There is a body to read."""
        return self.body is not NoInput

    @property
    def reads_body(self) -> bool:
        """What comes as a body is read, if only to refuse too much of it."""
        return self.method in BODY_METHODS or self.takes_body

    @property
    def locates(self) -> bool:
        """What is accepted and not done yet has a resource of its own, which the header Location names."""
        return self.waits and HTTPStatus.ACCEPTED in self.answers

    @property
    def refuses_unknown_query(self) -> bool:
        """A mistyped filter of a list would show too much; everywhere else an unknown parameter changes nothing."""
        return self.is_list or "cursor" in self.query.__struct_fields__

    @property
    def takes_input(self) -> bool:
        """A body, a query or a header can be faulty: 422."""
        return self.takes_body or self.query is not NoInput or self.method == "POST" or self.refuses_unknown_query


class BoundRoute(Route, frozen=True, kw_only=True):
    """A route that can be served: its functions have the services of their room.

    `handle` performs a request; `resume_bound` is `resume`, None where the handler does not wait.
    """

    handle: Handler[Any]
    resume_bound: Resume | None


class Decorator(Protocol[S]):
    """Takes a handler, with or without the services of its room; whose types are checked here."""

    @overload
    def __call__(self, handler: Handler[R]) -> Handler[R]: ...

    @overload
    def __call__(self, handler: ServiceHandler[S, R]) -> ServiceHandler[S, R]: ...


def keywords_of(
    struct: Callable[P, F],
) -> Callable[[Callable[[Owner, str, str, F], R]], Callable[Concatenate[Owner, str, str, P], R]]:
    """Let a method take the fields of a struct as keywords: names, types and defaults stand in the struct only."""

    def decorate(method: Callable[[Owner, str, str, F], R]) -> Callable[Concatenate[Owner, str, str, P], R]:
        @wraps(method)
        def call(owner: Owner, verb: str, path: str, *args: P.args, **fields: P.kwargs) -> R:
            return method(owner, verb, path, struct(*args, **fields))

        return call

    return decorate


class Routes(Generic[S]):
    """The operations of one room, in the order of declaration.

    `needs` is the struct of what the room's handlers need besides the database: a handler that takes a second argument
    gets it there. The application gives it to `bind`.
    """

    @overload
    def __init__(self: "Routes[None]", tag: str) -> None: ...

    @overload
    def __init__(self, tag: str, *, needs: type[S]) -> None: ...

    def __init__(self, tag: str, *, needs: type[Any] | None = None) -> None:
        self.tag = tag
        self.needs = needs
        self.declared: list[Route] = []

    @keywords_of(RouteOptions[S])
    def route(self, method: str, path: str, options: RouteOptions[S]) -> Decorator[S]:
        """Declare an operation; body and query come from the handler's `Call[Body, Query]` annotation."""
        if options.scope not in ALL_SCOPES:
            raise ValueError(f"{method} {path}: unknown scope {options.scope!r}")

        def declare(handler: Any) -> Any:
            hints = get_type_hints(handler)
            hints.pop("return")
            call, *services = hints.values()
            body, query = call.__args__
            route = Route(
                **structs.asdict(options),
                method=method,
                path=path,
                tag=self.tag,
                handler=handler,
                body=body,
                query=query,
                parameters=[part[1:-1] for part in path.split("/") if part.startswith("{")],
                needs_services=bool(services),
            )
            self.declared.append(route)
            return handler

        return declare

    def bind(self, services: S) -> Sequence[BoundRoute]:
        """The operations with the services that their handlers need."""
        return [_bind(route, services) for route in self.declared]


def _bind(route: Route, services: Any) -> BoundRoute:
    handler, resume = route.handler, route.resume
    return BoundRoute(
        **structs.asdict(route),
        handle=(lambda call: handler(call, services)) if route.needs_services else handler,
        resume_bound=(lambda call, subject: resume(call, subject, services)) if resume is not None else None,
    )
