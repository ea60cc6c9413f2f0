"""The laws that no linter knows: each is seen to catch what it forbids, and then the package is held to all of them."""

import pytest

from tools import house_rules

TABLES = frozenset({"brands", "phone_numbers"})

SQL_OUTSIDE = [
    'async def f(db):\n    await db.run("UPDATE brands SET status = $1 WHERE org_id = $2")',
    'SQL = """\n    SELECT 1"""',
    'async def f(db):\n    return await db.one(X, "WITH a AS (SELECT 1) SELECT * FROM a")',
    'X = "INSERT INTO brands (id) VALUES ($1)"',
    'X = "DELETE FROM brands"',
]
NOT_SQL = [
    'def f():\n    """SELECT is explained here."""',
    'X = "select a brand from the list"',
    'X = "Update the brand, then SET the campaign"',
    'X = "SELECTED"',
]


@pytest.mark.parametrize("source", SQL_OUTSIDE)
def test_sql_outside_queries_is_found(source: str) -> None:
    assert house_rules.sql_elsewhere("brands/operations.py", source)


@pytest.mark.parametrize("source", SQL_OUTSIDE)
@pytest.mark.parametrize(
    "file", ["brands/queries.py", "numbers/binding/queries.py", "outbox/notifications.py", "kernel/db.py"]
)
def test_sql_where_statements_live_is_allowed(file: str, source: str) -> None:
    assert house_rules.sql_elsewhere(file, source) == []


@pytest.mark.parametrize("source", NOT_SQL)
def test_prose_is_not_taken_for_sql(source: str) -> None:
    assert house_rules.sql_elsewhere("brands/operations.py", source) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id, org_id FROM brands WHERE id = $1",
        "UPDATE brands SET status = $2 WHERE id = $1",
        "DELETE FROM phone_numbers WHERE id = $1",
        "SELECT 1 FROM directory.inventory i JOIN phone_numbers p ON p.number = i.number",
        "INSERT INTO brands (id, status) VALUES ($1, $2)",
    ],
)
def test_a_statement_that_forgets_the_tenant_is_found(sql: str) -> None:
    source = f'async def f(db):\n    return await db.all(X, """{sql}""", 1)'

    assert [b.place for b in house_rules.tenant_forgotten("brands/queries.py", source, TABLES)] == [
        "brands/queries.py::f"
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM brands WHERE org_id = $1 AND id = $2",
        "UPDATE brands b SET status = $2 FROM unnest($1::uuid[]) u (org) WHERE u.org = b.org_id",
        "INSERT INTO brands (id, org_id, status) VALUES ($1, $2, $3)",
        "SELECT name FROM directory.cells",
        "SELECT id FROM brands_seen WHERE id = $1",
    ],
)
def test_a_statement_that_asks_for_the_tenant_is_allowed(sql: str) -> None:
    source = f'async def f(db):\n    return await db.all(X, """{sql}""", 1)'

    assert house_rules.tenant_forgotten("brands/queries.py", source, TABLES) == []


@pytest.mark.parametrize(
    "sql",
    [
        'f"SELECT {COLUMNS} FROM brands WHERE id = $1"',
        '"SELECT " + COLUMNS + " FROM brands" + " WHERE id = $1"',
    ],
)
def test_a_statement_put_together_from_parts_is_read_whole(sql: str) -> None:
    source = f"async def f(db):\n    return await db.all(X, {sql}, 1)"

    assert house_rules.tenant_forgotten("brands/queries.py", source, TABLES)


@pytest.mark.parametrize(
    "source",
    [
        "from agentmessage.brands import queries",
        "from agentmessage.brands.rules import require_verified",
        "import agentmessage.brands.jobs",
        "from agentmessage import brands",
        "from agentmessage.conversations import queries",
    ],
)
def test_a_back_door_is_found(source: str) -> None:
    assert house_rules.back_doors("campaigns/operations.py", source)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("campaigns/operations.py", "from agentmessage.brands import operations"),
        ("campaigns/operations.py", "from agentmessage.brands.errors import BrandNotVerified"),
        ("campaigns/operations.py", "from agentmessage.campaigns import queries"),
        ("campaigns/operations.py", "from agentmessage.web import queries"),
        ("campaigns/operations.py", "from agentmessage import conversations"),
        ("campaigns/operations.py", "from agentmessage.compliance import cost_of"),
        ("app/routes.py", "from agentmessage.brands.routes import routes"),
    ],
)
def test_a_front_door_is_open(file: str, source: str) -> None:
    assert house_rules.back_doors(file, source) == []


def test_what_is_too_long_or_says_nothing_is_found() -> None:
    long_function = "def f():\n" + "    x = 1\n" * 60
    long_file = "x = 1\n" * 401

    assert [b.place for b in house_rules.out_of_measure("brands/rules.py", long_function)] == ["brands/rules.py::f"]
    assert [b.place for b in house_rules.out_of_measure("brands/rules.py", long_file)] == ["brands/rules.py"]
    assert [b.place for b in house_rules.out_of_measure("brands/utils.py", "")] == ["brands/utils.py"]
    assert house_rules.out_of_measure("brands/rules.py", "def f():\n" + "    x = 1\n" * 59) == []


def test_three_files_with_one_prefix_are_a_folder() -> None:
    files = ["app/demo.py", "app/demo_http.py", "app/demo_steps.py", "app/democracy.py", "demo/demo_run.py"]

    assert [b.place for b in house_rules.shared_prefixes(files)] == ["app/demo"]
    assert house_rules.shared_prefixes(files[1:]) == []


def test_tenant_tables_are_read_from_the_migrations() -> None:
    tables = house_rules.tenant_tables()

    assert {"brands", "campaigns", "phone_numbers", "events", "api_keys", "wallets", "audit_log"} <= tables
    assert not {"organizations", "jobs", "carrier_callbacks"} & tables


def test_the_package_keeps_the_laws() -> None:
    assert house_rules.breaches() == []


def test_no_exception_outlives_its_need() -> None:
    assert house_rules.stale_exceptions() == []


def test_every_exception_has_a_reason() -> None:
    assert all(len(reason) > 20 for reason in house_rules.ACROSS_TENANTS.values())
