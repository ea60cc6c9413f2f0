"""The command `agentmessage`: starts processes, operates the platform, and calls the API.

Three parts: `main` starts processes, `admin` works on the database, and `customer_commands` with its imports calls the
API through the client library. Every command imports its modules when it runs, so that `--help` is fast and each
process loads only its own part.
"""
