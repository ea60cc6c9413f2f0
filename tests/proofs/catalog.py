"""Everything that Postgres's catalog holds of our schemas, but for the order of columns."""

import asyncpg

SCHEMAS = r"'^(directory|cell_[0-9]{2})$'"

PARTS = {
    "schemas": "SELECT n.nspname, n.nspowner::regrole::text, n.nspacl::text FROM pg_namespace n WHERE {ours}",
    "relations": """
        SELECT n.nspname, c.relname, c.relkind::text, c.relpersistence::text, c.reloptions::text,
               c.relowner::regrole::text, c.relacl::text, c.relrowsecurity
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {ours}""",
    "columns": """
        SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               a.attidentity::text, a.attgenerated::text, a.attstorage::text, a.attcompression::text,
               a.attcollation::regcollation::text, a.attacl::text, pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE {ours} AND a.attnum > 0 AND NOT a.attisdropped
          AND c.relkind <> 'i'  -- an index keeps the names that its columns had; nothing shows them""",
    "constraints": """
        SELECT n.nspname, r.conrelid::regclass::text, r.conname, r.contype::text, r.convalidated,
               pg_get_constraintdef(r.oid)
        FROM pg_constraint r JOIN pg_namespace n ON n.oid = r.connamespace WHERE {ours}""",
    "indexes": """
        SELECT n.nspname, i.indrelid::regclass::text, c.relname, i.indisvalid, i.indisclustered, i.indisreplident,
               pg_get_indexdef(i.indexrelid)
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {ours}""",
    "functions": """
        SELECT n.nspname, p.oid::regprocedure::text, p.proowner::regrole::text, p.proacl::text,
               pg_get_functiondef(p.oid)
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {ours}""",
    "triggers": """
        SELECT n.nspname, c.relname, t.tgname, t.tgenabled::text, pg_get_triggerdef(t.oid)
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {ours} AND NOT t.tgisinternal""",
    "types": """
        SELECT n.nspname, t.typname, t.typtype::text, t.typowner::regrole::text, t.typacl::text,
               (SELECT array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum)::text
                FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'c'
                WHERE a.attrelid = t.typrelid)
        FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE {ours}""",
    "sequences": """
        SELECT n.nspname, c.relname, s.seqtypid::regtype::text, s.seqstart, s.seqincrement, s.seqmax, s.seqcycle
        FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {ours}""",
    "comments": """
        SELECT n.nspname, d.objsubid, d.description
        FROM pg_description d JOIN pg_class c ON c.oid = d.objoid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {ours}""",
}


async def read_catalog(dsn: str) -> dict[str, set[tuple[object, ...]]]:
    """The rows of each part of the catalog; equal for two databases that differ at most in the order of columns."""
    connection = await asyncpg.connect(dsn)
    try:
        return {
            name: {tuple(row) for row in await connection.fetch(sql.format(ours=f"n.nspname ~ {SCHEMAS}"))}
            for name, sql in PARTS.items()
        }
    finally:
        await connection.close()
