"""The command `agentmessage`: runs the parts of the platform, lets the person who hosts it work on it, and texts.

Three parts: `main` starts processes, `admin` works on the database, and `customer_commands` with all that it imports
speaks to a platform as any program does, through the client library. Every command imports what it needs when it runs,
so that `--help` is quick and each process holds only its own part.
"""
