"""Plain SQL, numbered, forward only: `directory/` once per Postgres, `cell/` once per cell.

Each file runs in a transaction of its own under a lock_timeout; an advisory lock makes two migrators take turns, and a
stored checksum refuses a file that was changed after it ran.
"""
