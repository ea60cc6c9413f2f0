"""Plain SQL, numbered, forward only: `directory/` once per Postgres, `cell/` once per cell, each from a baseline on.

Each file runs in a transaction of its own under a lock_timeout; an advisory lock makes two migrators take turns, and a
stored checksum rejects a file that was changed after it ran. `upgrade/` turns the schemas of version 0.1 into those of
the baselines.
"""
