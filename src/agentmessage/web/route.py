"""What a route declares: method, path, scope, shapes, answers and refusals.

The declaration is the only source: dispatch, validation, the envelope and the OpenAPI document are made from it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar, get_type_hints

from msgspec import Struct

from agentmessage.kernel.errors import ApiError
from agentmessage.web.request import Call
from agentmessage.web.scopes import ALL_SCOPES
from agentmessage.web.types import Request

Handler = Callable[[Call[Any, Any]], Awaitable[Any]]
H = TypeVar("H", bound=Handler)


ACRONYMS = frozenset({"api"})
BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
MAX_BODY_BYTES = 1024 * 1024
"""What an operation reads of a body, unless it declares otherwise."""


class PathText(Struct, frozen=True, kw_only=True):
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


class Route(Struct, frozen=True, kw_only=True):
    """One operation of the API.

    `answers` maps each good status to what it carries (None: no content); the first is the default.
    `path_fault` is the status of a malformed path id. `bare`: success is printed without the envelope.
    `is_list`: the answer is a Page; `meta`: what stands beside an answer that is none. `optional_body`: an absent body
    is an empty one.
    `cursor_header`: the list's next cursor goes into X-Next-Cursor. `streams`: the answer is also served as
    Server-Sent Events, of which this is an example; `lines`: as one JSON value a line. `example`: a request body that
    the operation takes.
    `is_secret`: the answer holds a secret, so that it is sealed where an Idempotency-Key keeps it. `parameters` are the
    names in the path, in order; UUIDs but for those in `texts`.
    `waits`: the handler waits for the outside between its transactions; a repeated Idempotency-Key is then answered by
    its entry in `edge.RESUMES`.
    `path_is_last`: the handler looks at the path's id after everything else that it checks.
    `keeps_answer`: the handler itself finds and keeps the answer under the key, in the transaction of its work.
    """

    method: str
    path: str
    scope: str
    tag: str
    handler: Handler
    body: type[Request]
    query: type[Request]
    answers: Mapping[int, Any]
    refuses: Sequence[type[ApiError]]
    path_fault: int = 400
    bare: bool = False
    is_list: bool = False
    meta: type[Struct] | None = None
    optional_body: bool = False
    waits: bool = False
    keeps_answer: bool = False
    body_fault_is_400: bool = False
    path_is_last: bool = False
    cursor_header: bool = False
    streams: str | None = None
    lines: str | None = None
    example: Any = None
    is_secret: bool = False
    max_body_bytes: int = MAX_BODY_BYTES
    parameters: Sequence[str] = ()
    texts: Mapping[str, PathText] = {}

    @property
    def name(self) -> str:
        """The operation id: the handler's name as the reference writes it, `createAPIKey`."""
        head, *rest = self.handler.__name__.split("_")
        return head + "".join(word.upper() if word in ACRONYMS else word.capitalize() for word in rest)

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


class Routes:
    """The operations of one room, in the order of declaration."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.declared: list[Route] = []

    def route(
        self,
        method: str,
        path: str,
        *,
        scope: str,
        answers: Mapping[int, Any],
        refuses: Sequence[type[ApiError]] = (),
        path_fault: int = 400,
        bare: bool = False,
        is_list: bool = False,
        meta: type[Struct] | None = None,
        optional_body: bool = False,
        waits: bool = False,
        keeps_answer: bool = False,
        body_fault_is_400: bool = False,
        path_is_last: bool = False,
        cursor_header: bool = False,
        streams: str | None = None,
        lines: str | None = None,
        example: Any = None,
        is_secret: bool = False,
        max_body_bytes: int = MAX_BODY_BYTES,
        texts: Mapping[str, PathText] | None = None,
    ) -> Callable[[H], H]:
        """Declare an operation; body and query come from the handler's `Call[Body, Query]` annotation."""

        def declare(handler: H) -> H:
            body, query = get_type_hints(handler)["call"].__args__
            declared = Route(
                method=method,
                path=path,
                scope=_known(scope, f"{method} {path}"),
                tag=self.tag,
                handler=handler,
                body=body,
                query=query,
                answers=answers,
                refuses=refuses,
                path_fault=path_fault,
                bare=bare,
                is_list=is_list,
                meta=meta,
                optional_body=optional_body,
                waits=waits,
                keeps_answer=keeps_answer,
                body_fault_is_400=body_fault_is_400,
                path_is_last=path_is_last,
                cursor_header=cursor_header,
                streams=streams,
                lines=lines,
                example=example,
                is_secret=is_secret,
                max_body_bytes=max_body_bytes,
                parameters=[part[1:-1] for part in path.split("/") if part.startswith("{")],
                texts=texts or {},
            )
            return self._keep(declared, handler)

        return declare

    def _keep(self, declared: Route, handler: H) -> H:
        self.declared.append(declared)
        return handler


def _known(scope: str, operation: str) -> str:
    if scope not in ALL_SCOPES:
        raise ValueError(f"{operation}: unknown scope {scope!r}")
    return scope
