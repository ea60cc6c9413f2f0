"""What an operation can refuse: what its room declares, and what the edge may answer in front of it."""

from collections.abc import Mapping, Sequence

from agentmessage.kernel.errors import (
    ApiError,
    Forbidden,
    IdempotencyKeyOfAnother,
    IdempotencyKeyReused,
    Internal,
    InvalidInput,
    MalformedPathId,
    NotFound,
    PayloadTooLarge,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
    ValidationFailed,
)
from agentmessage.web.route import Route

PATH_ERRORS: Mapping[int, type[ApiError]] = {400: MalformedPathId, 404: NotFound, 422: ValidationFailed}


def errors_by_status(route: Route) -> dict[int, list[type[ApiError]]]:
    """Every refusal of an operation by status, in the order of the status; each class once."""
    by_status: dict[int, list[type[ApiError]]] = {}
    for error in (*_by_the_edge(route), *route.refuses):
        known = by_status.setdefault(error.status, [])
        if error not in known:
            known.append(error)
    return dict(sorted(by_status.items()))


def codes(errors: Sequence[type[ApiError]]) -> list[str]:
    """The codes of some refusals, each once."""
    return list(dict.fromkeys(error.code for error in errors))


def _by_the_edge(route: Route) -> list[type[ApiError]]:
    errors: list[type[ApiError]] = [Unauthorized, Forbidden]
    if len(route.parameters) > len(route.texts):
        errors.append(PATH_ERRORS[route.path_fault])
    errors += [text.fault for text in route.texts.values()]
    if route.takes_body:
        errors += [InvalidInput, UnsupportedMediaType]
    if route.reads_body:
        errors.append(PayloadTooLarge)
    if route.method == "POST":
        errors += [IdempotencyKeyReused, IdempotencyKeyOfAnother]
    if route.takes_input:
        errors.append(ValidationFailed)
    return [*errors, Internal, Unavailable]
