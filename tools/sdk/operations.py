"""`sdk/operations.py`: which method of the client library calls which operation."""

from tools.sdk.contract import Contract
from tools.sdk.models import GENERATED


def methods(contract: Contract) -> dict[str, str]:
    """Method of the client library by operation, as `POST /v1/consent`."""
    return {
        f"{operation.method} {operation.path}": f"{operation.family}.{operation.name}"
        for operation in contract.operations
    }


def module(contract: Contract) -> dict[str, str]:
    """Path below `sdk/` and text."""
    rows = ", ".join(f'"{operation}": "{method}"' for operation, method in methods(contract).items())
    text = (
        f'"""Which method calls which operation. {GENERATED}"""\n\n'
        f"from collections.abc import Mapping\n\nMETHODS: Mapping[str, str] = {{{rows}}}\n"
    )
    return {"operations.py": text}
