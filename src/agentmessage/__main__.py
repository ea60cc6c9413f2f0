"""`python -m agentmessage` is `agentmessage`."""

from agentmessage.cli.main import run

run()
