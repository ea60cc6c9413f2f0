"""Laws of the house that no linter knows, as rules over syntax trees. Run as a script it lists what breaks them.

1. SQL is spoken only where statements live: `queries.py` (and `…_queries.py`), the outbox, the kernel, migrations.
2. A statement on a tenant's table asks for the tenant: `org_id = …`. Exceptions are listed here, each with its reason.
3. Another room is entered by its front door: `operations`, `model`, `errors`, `schemas` for event bodies, and what its
   `__init__` exports.
4. No file over 400 lines, no function over 60, no name that says nothing.
5. A prefix that three files of one folder share is a folder.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent.parent
SRC = HERE / "src" / "agentmessage"
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
EMPTY_NAMES = frozenset(
    {"utils", "util", "helpers", "helper", "common", "base", "manager", "service", "misc", "data", "info"}
)

MAX_FILES_OF_PREFIX = 2
GENERATED = "sdk/"
"""One file for each resource of the contract."""

SQL = re.compile(
    r"\s*(SELECT\s|INSERT\s+INTO\s|UPDATE\s+[\w.]+\s+(AS\s+)?(\w+\s+)?SET\s|DELETE\s+FROM\s|WITH\s+\w+(\s*\([^)]*\))?\s+AS\s"
    r"|TRUNCATE\s|ALTER\s+\w+\s|CREATE\s+(TABLE|INDEX|FUNCTION|SCHEMA|DATABASE)|DROP\s+\w+\s|LOCK\s+TABLE|NOTIFY\s|LISTEN\s)"
)
SPEAKS_SQL = re.compile(
    r"(^|/)(\w+_)?queries\.py$|^outbox/|^kernel/db\.py$|^migrations/|^embedded/|^simulator/storage\.py$"
)
ASKS_FOR_TENANT = re.compile(
    r"\borg_id\s*=|=\s*(\w+\.)?org_id\b|INSERT\s+INTO\s+[\w.]+(\s+AS\s+\w+)?\s*\([^)]*\borg_id\b", re.IGNORECASE
)

ROOMS = frozenset(
    {
        "audit",
        "billing",
        "brands",
        "campaigns",
        "compliance",
        "consent",
        "contacts",
        "conversations",
        "delivery",
        "events",
        "guardrails",
        "inbound",
        "keys",
        "lookups",
        "media",
        "messages",
        "metrics",
        "numbers",
        "optin",
        "organizations",
        "rollups",
        "webhooks",
    }
)
FRONT_DOOR = frozenset({"operations", "model", "errors", "schemas"})
ARITHMETIC = {"guardrails": frozenset({"resolution", "quiet_hours"})}
"""Pure modules that are a door of their own: compliance applies them to every message, in memory."""

RECONCILER = "the reconciler batches numbers of one carrier account, whoever they belong to"
RETENTION = "a sweep forgets what is past its retention, for everybody"
UPKEEP = "the monthly charge goes through everybody's numbers, which it locked by id with their organization"
CALLBACK = "a callback of the registry names its own id and no organization"
PROCESSOR = "the card processor names its own ids of a payment or a customer, and no organization"
KEPT = "a text that could not be applied is found again by our own id, in a job of ours"
SECRET_LINK = "whoever has the secret or signed link may use it; it names no organization"  # noqa: S105 - a reason
OPERATOR = "the operator looks across organizations, from the command line only"
DISPATCH = "a worker claims and records texts by their ids, whoever they belong to: many in one commit"
LANES = "a worker tells receivers by their lanes, whoever they belong to: many in one commit"
RECEIPTS = "a carrier's receipt names its own id and no organization; many are applied in one commit"
COUNTING = "texts of all organizations are counted behind the one order that their events have"
SEALING = "audit rows of all organizations are sealed in the one order that they have"

ACROSS_TENANTS: dict[str, str] = {
    "admin/queries.py::ring_number": OPERATOR,
    "app/monitoring/number_queries.py": OPERATOR,
    "app/monitoring/message_queries.py": OPERATOR,
    "app/monitoring/queries.py::count_open_drift": OPERATOR,
    "billing/queries.py::list_miscounted": OPERATOR,
    "billing/payments/queries.py::delete_events_before": RETENTION,
    "billing/payments/queries.py::find_customer": PROCESSOR,
    "billing/payments/queries.py::find_paid_with": PROCESSOR,
    "brands/queries.py::list_registered_as": CALLBACK,
    "campaigns/queries.py::list_registered_as": CALLBACK,
    "inbound/queries.py::count_problems": OPERATOR,
    "inbound/queries.py::delete_raw": KEPT,
    "inbound/queries.py::delete_raw_before": RETENTION,
    "inbound/queries.py::lock_failed": KEPT,
    "lookups/queries.py::redact": RETENTION,
    "media/queries.py::delete": RETENTION,
    "media/queries.py::find_stored": SECRET_LINK,
    "media/queries.py::find_upload": SECRET_LINK,
    "media/queries.py::list_expired": RETENTION,
    "delivery/dispatch_queries.py": DISPATCH,
    "delivery/receipts/id_format_queries.py": RECEIPTS,
    "delivery/receipts/queries.py": RECEIPTS,
    "delivery/result_queries.py": DISPATCH,
    "delivery/receipts/settlement_queries.py": RECEIPTS,
    "migrations/restore.py": "the numbers that a cell's rows are ordered by, whose ever they are",
    "numbers/binding/queries.py": RECONCILER,
    "numbers/orders/queries.py::find_orders_hinted": CALLBACK,
    "numbers/binding/drift_queries.py": RECONCILER,
    "audit/seal_queries.py": SEALING,
    "rollups/aggregator_queries.py": COUNTING,
    "rollups/queries.py::delete_before": RETENTION,
    "numbers/orders/renewal_queries.py::claim_owed": UPKEEP,
    "numbers/orders/renewal_queries.py::extend": UPKEEP,
    "outbox/queries.py::delete_events_before": RETENTION,
    "web/queries.py::delete_keys_before": RETENTION,
    "webhooks/fanout_queries.py::is_behind": LANES,
    "webhooks/fanout_queries.py::mark_full": LANES,
    "webhooks/endpoint_queue_queries.py": LANES,
    "webhooks/result_queries.py": LANES,
    "webhooks/monitoring_queries.py": OPERATOR,
    "webhooks/attempt_queries.py::delete_before": RETENTION,
}
"""Statements that look across tenants, as a file or `file::function`, and why they may."""


class Breach(NamedTuple):
    """One place where a law is broken."""

    place: str
    law: str


class Statement(NamedTuple):
    """One SQL text in a module: the function it stands in, its first line, and the text."""

    function: str
    line: int
    text: str


def statements(source: str) -> Iterator[Statement]:
    """Every SQL text of a module; docstrings are not SQL."""
    yield from _walk(ast.parse(source), "")


def sql_elsewhere(file: str, source: str) -> list[Breach]:
    """SQL outside the files where statements live. `file` is relative to the package."""
    if SPEAKS_SQL.search(file):
        return []
    return [Breach(f"{file}:{found.line}", "SQL is spoken only in queries") for found in statements(source)]


def tenant_forgotten(file: str, source: str, tables: frozenset[str]) -> list[Breach]:
    """Statements on tenant tables that do not ask for the tenant, but for the listed exceptions."""
    touched = re.compile(rf"\b(FROM|JOIN|INTO|UPDATE|USING)\s+(ONLY\s+)?({'|'.join(sorted(tables))})\b", re.IGNORECASE)
    return [
        Breach(f"{file}::{found.function}", "a statement on a tenant's table asks for org_id")
        for found in statements(source)
        if touched.search(found.text)
        and not ASKS_FOR_TENANT.search(found.text)
        and not {file, f"{file}::{found.function}"} & ACROSS_TENANTS.keys()
    ]


def back_doors(file: str, source: str) -> list[Breach]:
    """Imports of another room's inside. The wiring, in `app/`, may know everyone."""
    room = file.partition("/")[0]
    if room not in ROOMS:
        return []
    return [
        Breach(f"{file}:{line}", f"another room is entered by its front door, not by {other}.{inside or '*'}")
        for line, other, inside in _imports(source)
        if other in ROOMS and other != room and not _is_open(other, inside)
    ]


def exports(room: str) -> frozenset[str]:
    """What a room's `__init__` offers by `__all__`."""
    for node in ast.parse((SRC / room / "__init__.py").read_text()).body:
        if isinstance(node, ast.Assign) and any(ast.unparse(target) == "__all__" for target in node.targets):
            return frozenset(ast.literal_eval(node.value))
    return frozenset()


def out_of_measure(file: str, source: str) -> list[Breach]:
    """Files and functions that are too long, and files whose name says nothing."""
    breaches: list[Breach] = []
    if source.count("\n") > MAX_FILE_LINES:
        breaches.append(Breach(file, f"no file over {MAX_FILE_LINES} lines"))
    if Path(file).stem in EMPTY_NAMES:
        breaches.append(Breach(file, "a file's name says what is in it"))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                breaches.append(Breach(f"{file}::{node.name}", f"no function over {MAX_FUNCTION_LINES} lines"))
    return breaches


def shared_prefixes(files: Iterable[str]) -> list[Breach]:
    """Folders in which more than two files begin with the same word."""
    groups: dict[str, list[str]] = defaultdict(list)
    for file in files:
        if not file.startswith(GENERATED):
            path = Path(file)
            groups[(path.parent / path.stem.partition("_")[0]).as_posix()].append(file)
    return [
        Breach(place, "a prefix that three files share is a folder")
        for place, group in groups.items()
        if len(group) > MAX_FILES_OF_PREFIX
    ]


def tenant_tables() -> frozenset[str]:
    """The tables of a cell that carry an organization's rows, read from the migrations."""
    text = "\n".join(file.read_text() for file in sorted((SRC / "migrations" / "cell").glob("*.sql")))
    tables = re.findall(r"CREATE TABLE (\w+) \((.*?)\n\)[^;]*;", text, re.DOTALL)
    renamed = dict(re.findall(r"^ALTER TABLE (\w+) RENAME TO (\w+);", text, re.MULTILINE))
    dropped = frozenset(re.findall(r"^DROP TABLE (\w+);", text, re.MULTILINE))
    own = frozenset(name for name, columns in tables if re.search(r"^\s+org_id\s", columns, re.MULTILINE)) - dropped
    return frozenset(renamed.get(name, name) for name in own)


def sources() -> Iterator[tuple[str, str]]:
    """Every module of the package: its path within the package, and its text."""
    for file in sorted(SRC.rglob("*.py")):
        yield file.relative_to(SRC).as_posix(), file.read_text()


def breaches() -> list[Breach]:
    """Everything in the package that breaks a law."""
    tables = tenant_tables()
    found = shared_prefixes(file for file, _ in sources())
    for file, source in sources():
        found += sql_elsewhere(file, source) + tenant_forgotten(file, source, tables)
        found += back_doors(file, source) + out_of_measure(file, source)
    return found


def stale_exceptions() -> list[str]:
    """Listed exceptions that no statement needs any more."""
    tables = tenant_tables()
    needed: set[str] = set()
    for file, source in sources():
        touched = re.compile(rf"\b({'|'.join(sorted(tables))})\b")
        for found in statements(source):
            if touched.search(found.text) and not ASKS_FOR_TENANT.search(found.text):
                needed |= {file, f"{file}::{found.function}"}
    return sorted(set(ACROSS_TENANTS) - needed)


def _is_open(room: str, inside: str) -> bool:
    """Whether other rooms may import this name; the package itself only if it exports something."""
    offered = exports(room)
    return inside in FRONT_DOOR | ARITHMETIC.get(room, frozenset()) | offered or (not inside and bool(offered))


def _imports(source: str) -> Iterator[tuple[int, str, str]]:
    """Line, room and module of every import from the package: `brands`, `rules`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            package, room, inside, *_ = [*name.split("."), "", ""]
            if package == "agentmessage":
                yield node.lineno, room, inside


def _walk(node: ast.AST, function: str) -> Iterator[Statement]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _walk(child, child.name if not function else f"{function}.{child.name}")
        elif isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        elif isinstance(child, ast.expr) and SQL.match(text := _text(child)):
            yield Statement(function, child.lineno, text)
        else:
            yield from _walk(child, function)


def _text(node: ast.expr) -> str:
    """The literal text of a string, an f-string or a sum of them; what is inserted by name is left out."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_text(value) for value in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _text(left) + _text(right)
        case _:
            return ""


if __name__ == "__main__":
    for breach in breaches():
        print(f"{breach.place}: {breach.law}")
    sys.exit(bool(breaches()))
