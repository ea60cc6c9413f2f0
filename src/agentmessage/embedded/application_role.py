"""The role that the platform connects as: an ordinary one that owns the database and its schemas, and nothing else.

The superuser that initdb makes stays with the supervisor. What an earlier release made as the superuser is handed over
at the next start.
"""

import asyncpg

ROLE = "agentmessage_app"
STATEMENT_S = 60
IDLE_IN_TRANSACTION_S = 60

_MAKE = f"""
    DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN CREATE ROLE {ROLE}; END IF;
    END $$;
    ALTER ROLE {ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    ALTER ROLE {ROLE} SET statement_timeout = '{STATEMENT_S}s';
    ALTER ROLE {ROLE} SET idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION_S}s';
"""

_HAND_OVER = f"""
    DO $$
    DECLARE
        owner CONSTANT regrole := '{ROLE}'::regrole;
        item record;
    BEGIN
        FOR item IN
            SELECT format('ALTER SCHEMA %I OWNER TO {ROLE}', nspname) AS command, 0 AS position FROM pg_namespace
            WHERE nspname ~ '^(directory|cell_[0-9]{{2}})$' AND nspowner <> owner
            UNION ALL
            SELECT format('ALTER %s %s OWNER TO {ROLE}',
                          CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW'
                                         WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, c.oid::regclass), 1
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname ~ '^(directory|cell_[0-9]{{2}})$' AND c.relowner <> owner
              AND c.relkind IN ('r', 'p', 'S', 'v', 'm')
              AND NOT EXISTS (SELECT FROM pg_depend d  -- a column's own sequence follows its table
                              WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
                                AND c.relkind = 'S')
            UNION ALL
            SELECT format('ALTER ROUTINE %s OWNER TO {ROLE}', p.oid::regprocedure), 2
            FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname ~ '^(directory|cell_[0-9]{{2}})$' AND p.proowner <> owner
            UNION ALL
            SELECT format('ALTER TYPE %s OWNER TO {ROLE}', t.oid::regtype), 3
            FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
            WHERE n.nspname ~ '^(directory|cell_[0-9]{{2}})$' AND t.typowner <> owner
              AND t.typtype IN ('c', 'd', 'e', 'r') AND (c.oid IS NULL OR c.relkind = 'c')
            ORDER BY position
        LOOP
            EXECUTE item.command;
        END LOOP;
    END $$
"""  # noqa: S608 - our own constants; names come quoted from the catalog


async def make_role(connection: "asyncpg.Connection", *, password: str, database: str) -> None:
    """Make the role, or bring it to what it should be, and give it the database. As the superuser."""
    await connection.execute(_MAKE)
    # A password cannot be a parameter; ours is letters, digits, `-` and `_`.
    await connection.execute(f"ALTER ROLE {ROLE} PASSWORD '{password}'")
    await connection.execute(f'ALTER DATABASE "{database}" OWNER TO {ROLE}')


async def hand_over(connection: "asyncpg.Connection") -> None:
    """Give the role what an earlier release made as the superuser, in the database that is connected to."""
    await connection.execute(_HAND_OVER)
