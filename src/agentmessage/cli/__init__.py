"""The command `agentmessage`: runs the parts of the platform, and lets the person who hosts it work on it.

Every command imports what it needs when it runs, so that `--help` is quick and each process holds only its own part.
"""
