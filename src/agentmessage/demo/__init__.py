"""`agentmessage demo`: runs the scenario against a real platform and fails if a step does not come true."""
