"""`sdk/errors.py`: one exception class for each code that the platform can refuse with."""

from collections.abc import Mapping, Sequence

from agentmessage.kernel.errors import ApiError
from agentmessage.sdk.advice import in_client_words
from tools.reference.errors import cause, every_error
from tools.sdk import names
from tools.sdk.contract import Contract
from tools.sdk.models import GENERATED, docstring, quoted
from tools.sdk.operations import methods

ONE_LINE = 100
"""Characters of a cause that fit behind the status."""

ROOM_OF_ALL = "agentmessage.kernel.errors"


def module(contract: Contract) -> dict[str, str]:
    """Path below `sdk/` and text."""
    by_code = refusals_by_code()
    known = methods(contract)
    classes = [_class(code, kinds, known) for code, kinds in by_code.items()]
    head = f'"""Every refusal of the platform as an exception, by its code. {GENERATED}"""'
    imports = "from collections.abc import Mapping\n\nfrom agentmessage.sdk.exceptions import APIError"
    table = "BY_CODE: Mapping[str, type[APIError]] = {kind.code: kind for kind in APIError.__subclasses__()}"
    text = "\n\n\n".join([f"{head}\n\n{imports}", *classes, f'{table}\n"""The class of each code."""\n'])
    return {"errors.py": text, "_error_hints.py": _fixes(by_code, known)}


def refusals_by_code() -> dict[str, list[type[ApiError]]]:
    """The platform's own refusals of each code; what any operation can answer comes first."""
    found: dict[str, list[type[ApiError]]] = {}
    for kind in every_error():
        found.setdefault(kind.code, []).append(kind)
    return {code: sorted(kinds, key=lambda kind: kind.__module__ != ROOM_OF_ALL) for code, kinds in found.items()}


def _class(code: str, kinds: Sequence[type[ApiError]], known: Mapping[str, str]) -> str:
    statuses = " or ".join(str(status) for status in dict.fromkeys(kind.status for kind in kinds))
    why = cause(kinds[0])
    text = docstring(f"{statuses}: {why}" if len(why) <= ONE_LINE else f"{statuses}.\n\n{why}")
    lines = [
        f"class {names.exception(code)}(APIError):",
        text,
        "",
        f'    code = "{code}"',
        f"    default_fix = {quoted(in_client_words(kinds[0].fix, known))}",
    ]
    return "\n".join(lines)


def _fixes(by_code: Mapping[str, Sequence[type[ApiError]]], known: Mapping[str, str]) -> str:
    """The ways out of codes with several causes, by code, status and message; both where those are the same."""
    found: dict[tuple[str, int, str], list[str]] = {}
    for code, kinds in by_code.items():
        for kind in kinds if len(kinds) > 1 else ():
            found.setdefault((code, kind.status, kind.message), []).append(kind.fix)
    table = {key: " ".join(dict.fromkeys(fixes)) for key, fixes in found.items()}
    rows = ", ".join(f"{key!r}: {quoted(in_client_words(fix, known))}" for key, fix in table.items())
    return (
        f'"""What to do about refusals whose code has more than one cause. {GENERATED}"""\n\n'
        "from collections.abc import Mapping\n\n"
        f'OTHER_FIXES: Mapping[tuple[str, int, str], str] = {{{rows}}}\n"""By code, status and message."""\n'
    )
